"""Wrong versions of the derivations of chapter 7, training a language model."""

from mutants import Mutant

LANGUAGE_MODEL = "unrolled.language_model"
OPTIMISERS = "unrolled.optimisers"
SAMPLING = "unrolled.sampling"
TRAINING = "unrolled.training"

MUTANTS = [
    # Streams and segments
    Mutant(
        "eq-stream-targets",
        "y += [*ids, vocabulary.end]",
        "y += [vocabulary.end, *ids]",
        "predicts what was just read",
    ),
    Mutant("eq-stream-targets", "y += [*ids, vocabulary.end]", "y += [*ids, ids[-1]]", "never predicts an end"),
    Mutant("eq-streams", "ids[j * N + t]", "ids[t * m + j]", "puts consecutive symbols side by side"),
    Mutant("eq-streams", "N = len(ids) // m", "N = len(ids) // m - 1", "leaves a row out at every seam"),
    Mutant(
        "eq-streams",
        "reshape(m, length).T",
        "reshape(length, m)",
        "puts consecutive symbols side by side",
        module=TRAINING,
    ),
    Mutant("eq-segment-cost", "a_0 = step.a[-1]\n    return J,", "a_0 = 0 * a_0\n    return J,", "forgets the state"),
    Mutant(
        "eq-segment-cost", "a_0 = step.a[-1]\n    return J,", "a_0 = step.a[-2]\n    return J,", "carries an old state"
    ),
    Mutant("eq-segment-cost", "a = np.tanh(z_a)", "a, z_a = z_a, 0", "leaves the tanh out"),
    Mutant(
        "eq-segment-gradient",
        "truncated[name] += step.gradients[name]",
        "truncated[name] = step.gradients[name]",
        "keeps the last segment alone",
    ),
    Mutant(
        "eq-segment-gradient",
        "sum(rnn.cost(parameters, x_k, y_k, a_0) for",
        "sum(rnn.cost(parameters, x_k, y_k) for",
        "starts each segment from the same state",
    ),
    Mutant(
        "eq-truncation-gap", "wished = np.array(d_starts[1:])", "wished = np.array(d_starts[:-1])", "is one segment off"
    ),
    Mutant(
        "eq-truncation-gap", "return a[T:N:T]", "return a[T - 1 : N - 1 : T]", "takes the states one step too early"
    ),
    # Optimisers
    Mutant(
        "eq-gradient-descent",
        "change = -alpha * scale * g",
        "change = -alpha * g",
        "does not clip",
    ),
    Mutant(
        "eq-gradient-descent",
        "a_0 = None  # the text begins anew",
        "pass  # the text begins anew",
        "carries the state from the end of the text to its beginning",
    ),
    Mutant("eq-gradient-descent", "return alpha * g  # eq-gradient-descent", "return -alpha * g", "goes uphill"),
    Mutant(
        "eq-gradient-descent",
        "p -= rate * g\n\n\nclass Momentum",
        "p += rate * g\n\n\nclass Momentum",
        "goes uphill",
        module=OPTIMISERS,
    ),
    Mutant(
        "eq-momentum",
        'mu * memory.get("v", 0) + g',
        'mu * memory.get("v", 0) + (1 - mu) * g',
        "averages, and does not add",
    ),
    Mutant("eq-momentum", "v *= self.momentum", "v *= self.momentum**2", "forgets twice as fast", module=OPTIMISERS),
    Mutant(
        "eq-momentum-sum",
        "weights = np.array([mu ** (8 - i) for i in range(1, 9)])",
        "weights = np.array([mu**i for i in range(1, 9)])",
        "gives the oldest gradient the largest weight",
    ),
    Mutant("eq-adagrad", 'memory.get("s", 0) + g * g', 'memory.get("s", 0) + abs(g)', "sums sizes and no squares"),
    Mutant("eq-adagrad", "s += g * g", "s *= 0.9\n        s += g * g", "forgets", module=OPTIMISERS),
    Mutant(
        "eq-adam-moments",
        "(1 - beta_2) * g * g",
        "(1 - beta_2) * abs(g)",
        "averages the gradient twice",
    ),
    Mutant(
        "eq-adam-moments", "beta_1 * average + (1 - beta_1) * g", "beta_1 * average + g", "adds, and does not average"
    ),
    Mutant("eq-adam-average", "exponential = (1 - beta_1) * np", "exponential = np", "has weights that sum to ten"),
    Mutant(
        "eq-adam-bias", "np.array([beta_1, beta_2]) ** 5", "np.array([beta_1, beta_2]) ** 4", "counts one step too few"
    ),
    Mutant(
        "eq-adam-correction",
        "average / (1 - beta_1**k)",
        "average / (1 - beta_1)",
        "corrects every step like the first",
    ),
    Mutant("eq-adam-correction", "square / (1 - beta_2**k)", "square", "leaves the average of the squares biased"),
    Mutant("eq-adam-update", "/ (np.sqrt(square) + epsilon)  #", "/ (square + epsilon)  #", "forgets the root"),
    Mutant(
        "eq-adam-update",
        "average, square = corrected(*moments(g, memory), k)",
        "average, square = moments(g, memory)",
        "does not correct",
    ),
    Mutant(
        "eq-adam-update",
        "share /= np.sqrt(1 - self.beta2**self.steps)",
        "share /= np.sqrt(1 - self.beta2)",
        "corrects every step like the first",
        module=OPTIMISERS,
    ),
    # Schedules
    Mutant("eq-linear-schedule", "return 1 - s  #", "return 1 - s**2  #", "falls along a parabola"),
    Mutant("eq-cosine-schedule", "np.cos(np.pi * s)", "np.cos(2 * np.pi * s)", "rises again"),
    Mutant("eq-warmup", "then((s - w) / (1 - w))", "then(s)", "jumps when the rise is over"),
    # Dropout and tied embeddings
    Mutant("eq-dropout", "return r * h / (1 - q)  #", "return r * h  #", "does not enlarge what is kept"),
    Mutant("eq-dropout-mean", "return r * h / (1 - q)  #", "return r * h / q  #", "enlarges by the wrong factor"),
    Mutant(
        "eq-dropout",
        "back.dx * dropped.x",
        "back.dx",
        "lets the gradient through where nothing was passed",
        module=LANGUAGE_MODEL,
    ),
    Mutant(
        "eq-dropout",
        "dh * dropped.a)",
        "dh)",
        "lets the gradient through where nothing was passed",
        module=LANGUAGE_MODEL,
    ),
    Mutant(
        "eq-dropout-noise", "spread = q / (1 - q) * h**2", "spread = q * (1 - q) * h**2", "has the variance of r alone"
    ),
    Mutant("eq-dropout-recurrent", "1.5**2 / (1 - q) ** L", "1.5**2 * (1 - q) ** L", "shrinks, and does not grow"),
    Mutant("eq-tied-embeddings", 'p["E"][:, :V].T @', 'p["E"][:, 1:].T @', "is one column off"),
    Mutant(
        "eq-tied-gradient",
        'dE[:, :V] += of_each["Wya"].T',
        'dE[:, :V] = of_each["Wya"].T',
        "keeps the role of the writer alone",
    ),
    Mutant(
        "eq-tied-gradient",
        'dE[:, :V] += of_each["Wya"].T',
        'dE[:, 1:] += of_each["Wya"].T',
        "adds to the wrong columns",
    ),
    Mutant(
        "eq-tied-gradient",
        'gradients["E"][:, : output["by"].shape[0]] += gradients.pop("Wya").T',
        'gradients.pop("Wya")',
        "keeps the role of the reader alone",
        module=LANGUAGE_MODEL,
    ),
    # Drawing and mixing
    Mutant(
        "eq-temperature-scores",
        "return softmax(z / tau)",
        "return softmax(z * tau)",
        "is bold where it should be careful",
    ),
    Mutant("eq-top-k", 'np.argsort(-p, kind="stable")[:k]', "np.argsort(p)[:k]", "keeps the least probable"),
    Mutant("eq-top-k", "kept[some] = p[some] / p[some].sum()", "kept[some] = p[some]", "does not add up to one"),
    Mutant("eq-top-k", "kept[some] = p[some] / p[some].sum()", "kept[some] = 1 / len(some)", "makes all alike"),
    Mutant("eq-nucleus", "number = 1\n", "number = 2\n", "keeps two at least"),
    Mutant("eq-nucleus", ".sum() < mass:", ".sum() < 1 - mass:", "stops at the mass that should be cut off"),
    Mutant(
        "eq-nucleus",
        "before >= mass",
        "before + sorted_p >= mass",
        "drops the symbol that reaches the mass",
        module=SAMPLING,
    ),
    Mutant(
        "eq-mixture-em",
        "return shares.mean(axis=1)  #",
        "return np.exp(logs - mix(logs, weights)).mean(axis=1)  #",
        "takes the shares without the weights",
    ),
    Mutant(
        "eq-mixture-em",
        "metrics.log_sum_exp(np.log(weights)[:, None] + logs, axis=0)",
        "logs.max(axis=0)",
        "lets the best model speak",
    ),
]
