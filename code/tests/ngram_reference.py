"""Every rung of the smoothing ladder once more: dictionaries, recursion, no array. The tests hold the package to it.

Nothing here is imported from the package. A model is a function p(word, context) over symbols that are strings; a
context is a tuple of at most order - 1 symbols that may begin with <s>.
"""

from collections import Counter, defaultdict

START, END = "<s>", "</s>"
FALLBACK = {1: 0.5, 2: 1.0, 3: 1.5}


class Counts:
    """c(h w) of all n-grams that end in a predicted symbol, by length."""

    def __init__(self, sentences, order, symbols):
        self.order, self.symbols = order, [s for s in symbols if s != START]
        self.V = len(self.symbols)
        known = set(self.symbols)
        self.of = {k: Counter() for k in range(1, order + 1)}
        for sentence in sentences:
            text = [START, *(w if w in known else "<unk>" for w in sentence), END]
            for i in range(1, len(text)):
                for k in range(1, min(order, i + 1) + 1):
                    self.of[k][tuple(text[i - k + 1 : i + 1])] += 1

    def adjusted(self):
        """Kneser and Ney's counts: different words to the left, but below the top order and not behind <s>."""
        adjusted = {self.order: dict(self.of[self.order])}
        for k in range(1, self.order):
            left = defaultdict(set)
            for gram in self.of[k + 1]:
                left[gram[1:]].add(gram[0])
            adjusted[k] = {gram: c if gram[0] == START else len(left[gram]) for gram, c in self.of[k].items()}
        return adjusted


def followers(table):
    """By context, the words behind it with their counts."""
    found = defaultdict(dict)
    for gram, count in table.items():
        found[gram[:-1]][gram[-1]] = count
    return found


def recursion(c, tables, level):
    """p(w | h) where `level(k, word, words, lower)` knows how to mix one order with the one below.

    `words` are the followers of h with their counts; an unseen h is skipped; below the unigrams stands 1 / V.
    """
    by_context = {k: followers(tables[k]) for k in range(1, c.order + 1)}

    def p(word, context):
        if context is None:
            return 1 / c.V
        words = by_context[len(context) + 1].get(context)
        shorter = context[1:] if context else None
        if not words:
            return p(word, shorter)
        return level(len(context) + 1, word, words, lambda w: p(w, shorter))

    return p


def maximum_likelihood(c):
    def p(word, context):
        total = sum(c.of[len(context) + 1][(*context, w)] for w in c.symbols)
        return c.of[len(context) + 1][(*context, word)] / total if total else 0.0

    return p


def add_k(c, k=1.0):
    def p(word, context):
        total = sum(c.of[len(context) + 1][(*context, w)] for w in c.symbols)
        return (c.of[len(context) + 1][(*context, word)] + k) / (total + k * c.V)

    return p


def interpolation(c, weights):
    def level(k, word, words, lower):
        share = weights[k - 1]
        return share * words.get(word, 0) / sum(words.values()) + (1 - share) * lower(word)

    return recursion(c, c.of, level)


def witten_bell(c):
    def level(k, word, words, lower):
        return (words.get(word, 0) + len(words) * lower(word)) / (sum(words.values()) + len(words))

    return recursion(c, c.of, level)


def katz(c, cutoff=5):
    factors = {}
    for k in range(1, c.order + 1):
        n = Counter(c.of[k].values())
        factors[k] = defaultdict(lambda: 1.0)
        if not n[1]:
            continue
        common = (cutoff + 1) * n[cutoff + 1] / n[1]
        for r in range(1, cutoff + 1):
            if n[r] and common != 1:
                d = ((r + 1) * n[r + 1] / n[r] / r - common) / (1 - common)
                if 0 < d < 1:
                    factors[k][r] = d

    def level(k, word, words, lower):
        total = sum(words.values())
        if len(words) == c.V:
            return words[word] / total
        d = factors[k]
        if all(d[r] == 1 for r in words.values()):
            total += 1
        if word in words:
            return d[words[word]] * words[word] / total
        seen = sum(d[r] * r / total for r in words.values())
        return (1 - seen) / sum(lower(w) for w in c.symbols if w not in words) * lower(word)

    return recursion(c, c.of, level)


def _one_discount(table):
    n = Counter(table.values())
    return n[1] / (n[1] + 2 * n[2]) if n[1] else 0.5


def _three_discounts(table):
    n = Counter(table.values())
    if not (n[1] and n[2] and n[3]):
        return FALLBACK
    y = n[1] / (n[1] + 2 * n[2])
    found = {r: r - (r + 1) * y * n[r + 1] / n[r] for r in (1, 2, 3)}
    return found if all(0 <= found[r] <= r for r in found) else FALLBACK


def _discounting(c, tables, discounts):
    def level(k, word, words, lower):
        total = sum(words.values())
        taken = {w: min(r, discounts[k][min(r, 3)]) for w, r in words.items()}
        own = words[word] - taken[word] if word in words else 0
        return own / total + sum(taken.values()) / total * lower(word)

    return recursion(c, tables, level)


def absolute_discounting(c, discount=None):
    found = {k: discount or _one_discount(c.of[k]) for k in c.of}
    return _discounting(c, c.of, {k: dict.fromkeys((1, 2, 3), d) for k, d in found.items()})


def kneser_ney(c, discount=None):
    tables = c.adjusted()
    found = {k: discount or _one_discount(tables[k]) for k in tables}
    return _discounting(c, tables, {k: dict.fromkeys((1, 2, 3), d) for k, d in found.items()})


def modified_kneser_ney(c, discounts=None):
    tables = c.adjusted()
    given = dict(zip((1, 2, 3), discounts, strict=True)) if discounts else None
    return _discounting(c, tables, {k: given or _three_discounts(tables[k]) for k in tables})


def stupid_backoff(c, alpha=0.4):
    def score(word, context):
        words = {w: c.of[len(context) + 1][(*context, w)] for w in c.symbols}
        if words[word]:
            return words[word] / sum(words.values())
        return alpha * score(word, context[1:]) if context else 0.0

    return score


MODELS = {
    "maximum-likelihood": maximum_likelihood,
    "add-k": add_k,
    "interpolation": interpolation,
    "witten-bell": witten_bell,
    "katz": katz,
    "absolute-discounting": absolute_discounting,
    "kneser-ney": kneser_ney,
    "modified-kneser-ney": modified_kneser_ney,
    "stupid-backoff": stupid_backoff,
}
