"""n-gram models on the plays: fitting against NLTK and KenLM's lmplz, scoring against the kenlm module.

NLTK is asked for maximum likelihood, its quickest model, which smooths nothing; we and lmplz fit modified Kneser-Ney.
lmplz is looked for where `make peers` puts it, on the PATH, or where the environment variable LMPLZ points.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.timing import Ratio, interleave
from unrolled import corpora
from unrolled.ngram import NgramModel
from unrolled.vocabulary import END, START, Vocabulary

ORDERS = (3, 5)


def run(rounds: int) -> Iterator[Ratio | str]:
    """Yield the lines of the report."""
    corpus = corpora.shakespeare()
    train, test = corpus.words("train"), corpus.words("test")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(" ".join(s) + "\n" for s in train), encoding="utf-8")
        for order in ORDERS:
            yield f"order {order}"
            yield from fitting(train, path, order, rounds)
            yield from scoring(train, test, Path(folder) / "model.arpa", order, rounds)
            yield from memory(path, order)


def fitting(train: list[list[str]], path: Path, order: int, rounds: int) -> Iterator[Ratio | str]:
    """Fit from ids and from a text file."""
    vocabulary = Vocabulary.from_sentences(train)
    flat = vocabulary.encode_sentences(train)
    contenders = {
        "our fit from ids": lambda: NgramModel.fit_ids(flat, order, "modified-kneser-ney", vocabulary),
        "our fit from a text file": lambda: NgramModel.fit(path, order),
    }
    built = Path(sys.executable).with_name("lmplz")
    lmplz = os.environ.get("LMPLZ") or (str(built) if built.exists() else shutil.which("lmplz"))
    if lmplz:
        command = [lmplz, "-o", str(order), "-S", "300M", "-T", str(path.parent), "--text", str(path)]
        contenders["lmplz"] = lambda: subprocess.run(
            [*command, "--arpa", os.devnull], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        yield from interleave(contenders, dict.fromkeys(list(contenders)[:2], "lmplz"), rounds, repeat=3)
    else:
        yield "  lmplz is not there (`make peers` builds it); fitting is not compared with it"
    try:
        from nltk.lm import MLE
        from nltk.util import everygrams
    except ImportError:
        yield "  NLTK is not installed; fitting is not compared with it"
        return
    marked = [[START, *s, END] for s in train]

    def nltk_fit() -> None:
        MLE(order).fit((everygrams(s, max_len=order) for s in marked), [*vocabulary.symbols])

    ours = next(iter(contenders))
    yield from interleave(
        {ours: contenders[ours], "NLTK's MLE fit": nltk_fit}, {ours: "NLTK's MLE fit"}, min(rounds, 2)
    )


def scoring(
    train: list[list[str]], test: list[list[str]], path: Path, order: int, rounds: int
) -> Iterator[Ratio | str]:
    """Score the test plays with our model, and with KenLM from the ARPA file that we write."""
    try:
        import kenlm
    except ImportError:
        yield "  the kenlm module is not installed (`make peers` builds it); scoring is not compared with it"
        return
    model = NgramModel.fit(train, order)
    model.write_arpa(path)
    options = kenlm.Config()
    options.show_progress = False
    theirs = kenlm.Model(str(path), options)
    lines = [" ".join(s) for s in test]
    text = path.with_name("test.txt")
    text.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    flat = model.vocabulary.encode_sentences(test)

    def kenlm_score() -> None:
        for line in lines:
            theirs.score(line)

    def kenlm_score_file() -> None:
        with open(text, encoding="utf-8") as file:
            for line in file:
                theirs.score(line)

    contenders = {
        "kenlm's score of each line": kenlm_score,
        "our log-probabilities from ids": lambda: model.log10_probabilities_of_ids(flat),
        "our log-probabilities from word lists": lambda: model.log10_probabilities(test),
        "our log-probabilities from lines": lambda: model.log10_probabilities([line.split() for line in lines]),
        "kenlm's score of each line of a file": kenlm_score_file,
        "our log-probabilities from a file": lambda: model.log10_probabilities(text),
    }
    peer, *ours, peer_of_file, from_file = contenders
    for name in (*ours, from_file):
        contenders[name]()  # the index is made when first asked for
    peers = {**dict.fromkeys(ours, peer), from_file: peer_of_file}
    yield from interleave(contenders, peers, 3 * rounds, repeat=5)
    logs = model.log10_probabilities(test)
    expected = np.array([entry[0] for line in lines for entry in theirs.full_scores(line)])
    yield f"  largest difference of log10 p from kenlm's: {np.abs(logs - expected).max():.1e} over {logs.size:,} tokens"
    n = model.numbers_of_ngrams
    # KenLM's probing tables have 3/2 slots per n-gram, of 16 bytes, and of 12 where there is no back-off weight.
    probing = 24 * sum(n[1:-1]) + 18 * n[-1] + 8 * n[0]
    yield f"  bytes of our model over those of KenLM's probing tables: {model.nbytes / probing:.2f}"


def memory(path: Path, order: int) -> Iterator[str]:
    """The peak of a process of its own that fits from the text file."""
    code = (
        "import sys; from benchmarks.ngrams import peak; from unrolled.ngram import NgramModel;"
        "before = peak(); NgramModel.fit(sys.argv[1], int(sys.argv[2])); print(before, peak())"
    )
    command = [sys.executable, "-c", code, str(path), str(order)]
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]).stdout
    before, after = (int(value) / 2**20 for value in out.split())
    yield f"  peak memory of a process that fits from the file: {after:.0f} MiB, {before:.0f} of them before it begins"


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it started us
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 2**10
