"""Typical wrong solutions of homework 1: each must lose points."""

from unrolled.homework.mutants import Mutant

MUTANTS = [
    # what a sentence costs
    Mutant(
        "without </s>",
        "sentence-bits",
        "symbols = np.array([V, V, *sentence, END])",
        "symbols = np.array([V, V, *sentence], dtype=int)",
    ),
    Mutant(
        "one <s> of padding, so the first word is lost",
        "sentence-bits",
        "[V, V, *sentence, END]",
        "[V, *sentence, END]",
    ),
    Mutant(
        "near and far exchanged",
        "sentence-bits",
        "near[v, w] + (1 - weight) * far[u, w]",
        "near[u, w] + (1 - weight) * far[v, w]",
    ),
    Mutant(
        "logarithms mixed instead of probabilities",
        "sentence-bits",
        "bits[i] = -np.log2(p).sum()",
        "bits[i] = -(weight * np.log2(near[v, w]) + (1 - weight) * np.log2(far[u, w])).sum()",
    ),
    Mutant("a product of probabilities", "sentence-bits", "-np.log2(p).sum()", "-np.log2(np.prod(p))"),
    Mutant("nats", "sentence-bits", "np.log2(p)", "np.log(p)"),
    Mutant("zeros", "sentence-bits", "    return bits", "    return 0 * bits"),
    # one text in several units
    Mutant(
        "the mean of the sentences' means",
        "units",
        "per_symbol = -sum(p.sum() for p in log10_p) / np.log10(2) / symbols",
        "per_symbol = -np.mean([p.mean() for p in log10_p]) / np.log10(2)",
    ),
    Mutant("e to the power of bits", "units", "2**per_symbol", "np.exp(per_symbol)"),
    Mutant("no end of word in the spelling", "units", "(len(word) + 1) * np.log2(27)", "len(word) * np.log2(27)"),
    Mutant("blanks are no characters", "units", '" ".join(words)', '"".join(words)'),
    Mutant("no line ends", "units", 'len(" ".join(words) + "\\n")', 'len(" ".join(words))'),
    Mutant(
        "an unknown word is spelled once",
        "units",
        "for words in sentences for word in words if",
        "for word in {w for s in sentences for w in s} if",
    ),
    # how many bits has a sentence?
    Mutant("transposed", "visits", "onwards.T", "onwards"),
    Mutant("</s> goes on", "visits", "onwards[END] = onwards[:, END] = first[END] = 0", "first[END] = 0"),
    Mutant("</s> is a word", "visits", "onwards[END] = onwards[:, END] = first[END] = 0", "onwards[END] = 0"),
    Mutant("<s> is no context", "visits", "n @ entropies", "n[:-1] @ entropies[:-1]"),
    Mutant("zeros of the table make NaN", "visits", "np.log2(np.where(p > 0, p, 1))", "np.log2(p)"),
    Mutant("<s> counted as a word", "visits", "n[:-1].sum()", "n.sum()"),
    # choosing
    Mutant("one observation only", "risks", "log_channel.sum(axis=1)", "log_channel[:, :1].sum(axis=1)"),
    Mutant("no maximum taken out", "risks", "p = np.exp(z - z.max())", "p = np.exp(z)"),
    Mutant(
        "the loss transposed",
        "risks",
        "loss @ posterior(log_prior, log_channel)",
        "posterior(log_prior, log_channel) @ loss",
    ),
    Mutant("no prior", "risks", "z = log_prior + ", "z = "),
    Mutant("not normalised", "risks", "return p / p.sum()", "return p"),
    # counting
    Mutant("sentences are crossed", "count", "context = [V] if w == END else [*context, w]", "context = [*context, w]"),
    Mutant("the context of no symbols is the whole context", "count", "context[len(context) - k :]", "context[-k:]"),
    Mutant("two <s> in front", "count", "context = [V] if w == END", "context = [V, V] if w == END"),
    Mutant(
        "a cut sentence gets its </s>",
        "count",
        "for w in stream:",
        "for w in [*stream] + [END] * int(stream[-1] != END):",
    ),
    Mutant("the newest symbol first", "count", "context[len(context) - k :]", "context[len(context) - k :][::-1]"),
    Mutant("n words of context", "count", "range(min(len(context), n - 1) + 1)", "range(min(len(context), n - 1))"),
    # adjusted counts
    Mutant("<s> treated like any other context", "adjusted", "if k > 0:", "if False:"),
    Mutant("how often, not after how many", "adjusted", "(c[k + 1] > 0)", "c[k + 1]"),
    Mutant("the symbol before is sought on the wrong axis", "adjusted", "sum(axis=0)", "sum(axis=-2)"),
    Mutant("<s> is no symbol before", "adjusted", "(c[k + 1] > 0).sum", "(c[k + 1][:V] > 0).sum"),
    Mutant("the counts come back as they are", "adjusted", "a.append(different)", "a.append(c[k])"),
    # discounts
    Mutant("n_1 + n_2 for n_1 + 2 n_2", "discounts", "n[1] + 2 * n[2]", "n[1] + n[2]"),
    Mutant("no factor r + 1", "discounts", "(r + 1) * Y", "r * Y"),
    Mutant("negative discounts are kept", "discounts", "(found >= 0).all() and", "True and"),
    Mutant("always the fallback", "discounts", "            D[k] = found", "            D[k] = D[k]"),
    Mutant("the last count of counts must not be zero", "discounts", "n[1 : R + 1].all()", "n[1:].all()"),
    # every distribution
    Mutant(
        "a context never seen sums to zero", "smooth", "np.where(seen, total, 1), 1)", "np.where(seen, total, 1), 0)"
    ),
    Mutant("large counts pay nothing", "smooth", "np.minimum(counts, R)", "np.where(counts > R, 0, counts)"),
    Mutant("nothing is handed down", "smooth", "p = own + pot * p", "p = own + pot * base"),
    Mutant(
        "the newest symbol is dropped first",
        "smooth",
        "pot * p  #",
        "pot * (p if p.ndim < 2 else np.expand_dims(p, -2))  #",
    ),
    Mutant("the base is forgotten", "smooth", "p = base  # (V,)", "p = np.full(len(base), 1 / len(base))"),
    Mutant("the order's discounts are those of the unigrams", "smooth", "[[0.0], d]", "[[0.0], D[0]]"),
    # a model of characters
    Mutant("bigrams", "character-model", "n = 6", "n = 2"),
    Mutant(
        "no state",
        "character-model",
        "state = [(*h, int(w))[-longest:] for h, w in",
        "state = [(int(w),)[-longest:] for h, w in",
    ),
    Mutant("sums to less than one", "character-model", "return np.log(p), state", "return np.log(0.99 * p), state"),
    Mutant("uniform", "character-model", "return np.log(p), state", "return np.log(0 * p + 1 / len(p)), state"),
    Mutant("nothing for the unseen", "character-model", 'np.full(model["V"], 1 / model["V"])', 'np.zeros(model["V"])'),
]
