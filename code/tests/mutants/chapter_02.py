"""Wrong versions of chapter 2's derivations: smoothing, spelling, temperature."""

from mutants import Mutant

MUTANTS = [
    Mutant(
        "eq-maximum-likelihood",
        "return c[h][w] / c[h].total()",
        "return c[h][w] / len(c[h])",
        "divides by the number of different followers instead of the number of followers",
    ),
    Mutant("eq-add-k", "(f.total() + k * V)", "(f.total() + V)", "adds V instead of k V to the denominator"),
    Mutant(
        "eq-linear-interpolation",
        "return share * frequency + (1 - share) * lower",
        "return share * frequency + lower",
        "does not weigh the lower order",
    ),
    Mutant(
        "eq-linear-interpolation",
        "return arrive * stop * np.where(seen, estimates, 0.0)",
        "return stop * np.where(seen, estimates, 0.0)",
        "forgets the way down in the hidden-order form",
    ),
    Mutant(
        "eq-linear-interpolation",
        "if not f:\n            return lower\n        frequency",
        "if not f:\n            return (1 - lam[len(h) + 1]) * lower\n        frequency",
        "keeps the share of an order whose context was never seen",
    ),
    Mutant(
        "eq-em-weights",
        "q[i, j].sum() / q[i, : j + 1].sum()",
        "q[i, j].sum() / i.sum()",
        "counts tokens that stopped at a higher order as arrivals",
    ),
    Mutant(
        "eq-em-weights",
        "i = ~np.isnan(estimates[:, j])",
        "i = ~np.isnan(estimates[:, 0])",
        "counts tokens whose context was never seen",
    ),
    Mutant(
        "eq-witten-bell",
        "return (f[w] + len(f) * lower) / (f.total() + len(f))",
        "return (f[w] + lower) / (f.total() + 1)",
        "counts one new follower instead of all of them",
    ),
    Mutant(
        "eq-good-turing",
        "return (r + 1) * n[r + 1] / n[r]",
        "return r * n[r + 1] / n[r]",
        "has r for r + 1",
    ),
    Mutant(
        "eq-good-turing-expectation",
        "binom.pmf(r + 1, N + 1, pi).sum()",
        "binom.pmf(r + 1, N, pi).sum()",
        "expects in a text of N instead of N + 1 tokens",
    ),
    Mutant(
        "eq-katz-discount",
        "(left - common) / (1 - common)",
        "(left - common) / (1 + common)",
        "has a sign wrong in the denominator",
    ),
    Mutant(
        "eq-katz-discount",
        "common = (limit + 1) * n[limit + 1] / n[1]",
        "common = limit * n[limit] / n[1]",
        "takes R for R + 1",
    ),
    Mutant(
        "eq-katz",
        "total[h] += 1",
        "total[h] += 2",
        "pretends two more sightings instead of one where no follower was discounted",
    ),
    Mutant(
        "eq-katz",
        "return alpha[h] * (p(w, h[1:])",
        "return (p(w, h[1:])",
        "forgets the weight of the shorter context",
    ),
    Mutant(
        "eq-katz-backoff-weight",
        "below = sum(p(w, h[1:]) if h else 1 / V for w in f)",
        "below = 0.0",
        "divides by the lower order's probability of all words instead of the unseen ones",
    ),
    Mutant(
        "eq-discount",
        "return n[1] / (n[1] + 2 * n[2]) if",
        "return n[1] / (n[1] + n[2]) if",
        "forgets that an n-gram seen twice has two tokens",
    ),
    Mutant(
        "eq-absolute-discounting",
        "return kept / f.total() + pot / f.total() * lower  # eq-absolute-discounting",
        "return kept / f.total() + len(f) / f.total() * lower  # eq-absolute-discounting",
        "hands down more than was taken",
    ),
    Mutant(
        "eq-marginal-constraint",
        "continuation = numbers / a[()].total()",
        "continuation = wanted",
        "puts plain unigrams below",
    ),
    Mutant(
        "eq-kneser-ney-continuation",
        "numbers = np.array([a[()][w] for w in symbols])",
        "numbers = np.array([a[()][w] - 1 for w in symbols])",
        "counts the neighbours beyond the first",
    ),
    Mutant(
        "eq-kneser-ney",
        "return kept / f.total() + pot / f.total() * lower  # eq-kneser-ney",
        "return kept / f.total() + d * min(len(f), 2) / f.total() * lower  # eq-kneser-ney",
        "takes from all followers and hands down what two gave",
    ),
    Mutant(
        "eq-kneser-ney",
        "if len(h) == order - 1 or h[:1] == (START,):",
        "if len(h) == order - 1:",
        "forgets that contexts beginning with <s> keep their raw counts",
    ),
    Mutant(
        "eq-modified-kneser-ney-discounts",
        "3 - 4 * Y * n[4] / n[3]",
        "3 - 3 * Y * n[4] / n[3]",
        "has a 3 for the 4",
    ),
    Mutant(
        "eq-modified-kneser-ney-discounts",
        "1 - 2 * Y * n[2] / n[1]",
        "1 - Y * n[2] / n[1]",
        "forgets that an n-gram seen twice has two tokens",
    ),
    Mutant(
        "eq-modified-kneser-ney",
        "d = D[len(h)][min(f[w], 3)]",
        "d = D[len(h)][min(f[w], 2)]",
        "treats counts of three and more as two",
    ),
    Mutant(
        "eq-spelled-unknown",
        'impossible = s("") + math.fsum(s(v) for v in known)',
        "impossible = math.fsum(s(v) for v in known)",
        "lets the empty spelling keep its probability",
    ),
    Mutant(
        "eq-spelled-unknown",
        "math.log(s(word) / (1 - impossible))",
        "math.log(s(word))",
        "spells words of the vocabulary as unknown words",
    ),
    Mutant("eq-temperature", "weight = p ** (1 / T)", "weight = p**T", "multiplies the log odds by T"),
    Mutant("eq-entropy-temperature", "** 2 / T**3", "** 2 / T**2", "forgets that the temperature enters through 1/T"),
]
