"""Wrong versions of the derivations of chapter 4, the forward pass of a recurrent network."""

from mutants import Mutant

LOSSES = "unrolled.losses"
COLUMNS = "unrolled.columns"
RECURRENCE = "unrolled.recurrence"
UNITS = "unrolled.units"

MUTANTS = [
    # State and output
    Mutant("eq-rnn-state", "Wax @ x[t] + ba  #", "Wax @ x[t]  #", "the bias of the state is forgotten"),
    Mutant("eq-rnn-state", "z_a = Waa @ a[t] +", "z_a = Waa.T @ a[t] +", "a transpose"),
    Mutant("eq-rnn-state", "z_a = Waa @ a[t] +", "z_a = Waa @ a[0] +", "every step starts from the initial state"),
    Mutant("eq-rnn-state", "+ Wax @ x[t] + ba", "+ Wax @ x[t - 1] + ba", "reads the symbol before"),
    Mutant("eq-rnn-state", "a.append(g1(z_a))", "a.append(z_a)", "the nonlinearity is forgotten"),
    Mutant("eq-rnn-state", "return np.maximum(z, 0)", "return np.maximum(z, 0.01 * z)", "a rectifier that leaks"),
    Mutant("eq-rnn-output", "z_y = Wya @ a[t + 1] + by", "z_y = Wya @ a[t] + by", "looks at the state before"),
    Mutant("eq-rnn-output", "z_y = Wya @ a[t + 1] + by", "z_y = Wya @ a[t + 1]", "the bias of the output is forgotten"),
    Mutant("eq-rnn-output", "exponentials.sum(axis=0)", "exponentials.sum(axis=1, keepdims=True)", "over the batch"),
    Mutant("eq-rnn-state", "s[:, 0] = _parts(s0, n_a)", "s[:, 0] = 0", "starts from nothing", module=RECURRENCE),
    Mutant(
        "eq-rnn-state",
        "add(scores, a_t, scores)",
        "add(scores, a_next[0], scores)",
        "every step adds what stands at the first",
        module=UNITS,
    ),
    # Other forms
    Mutant("eq-rnn-stacked", "np.concatenate([a[t], x[t]])", "np.concatenate([x[t], a[t]])", "the wrong order"),
    Mutant(
        "eq-rnn-stacked",
        'both = [parameters["Waa"], parameters["Wax"]]',
        'both = [parameters["Waa"].T, parameters["Wax"]]',
        "a transpose",
    ),
    Mutant(
        "eq-rnn-parameters",
        "layer = n_a**2 + n_a * n_x + n_a\n",
        "layer = n_a**2 + n_a * n_x\n",
        "the bias of the state is not counted",
    ),
    Mutant(
        "eq-rnn-parameters",
        "layer + n_y * n_a + n_y  #",
        "layer + n_y * n_a  #",
        "the bias of the output is not counted",
    ),
    Mutant(
        "eq-rnn-parameters", "layer + n_y * n_a + n_y  #", "T_x * layer + n_y * n_a + n_y  #", "a copy for every step"
    ),
    Mutant("eq-rnn-crossing", "k_star = 1 + hidden / n_e", "k_star = hidden / n_e", "W_ax is not counted"),
    Mutant("eq-rnn-crossing", "k_star = 1 + hidden / n_e", "k_star = 1 + n_e / hidden", "upside down"),
    Mutant(
        "eq-rnn-one-hot",
        'chosen = parameters["Wax"][:, ids]',
        'chosen = parameters["Wax"][:, ids - 1]',
        "the column before",
    ),
    Mutant(
        "eq-rnn-one-hot",
        "table = np.add(Wax.T, ba.T",
        "table = np.add(Wax.T[::-1], ba.T",
        "the columns in the opposite order",
        module=COLUMNS,
    ),
    Mutant("eq-rnn-linear", "matrix_power(Waa, t - tau)", "matrix_power(Waa, t - tau + 1)", "one power too many"),
    Mutant(
        "eq-rnn-linear",
        "state = np.linalg.matrix_power(Waa, t) @ a_0",
        "state = a_0 * (t == 0)",
        "the initial state is gone at once",
    ),
    Mutant("eq-rnn-carry", "x[S:], first_a[-1], g1)", "x[S:], a_0, g1)", "the second piece starts anew"),
    Mutant("eq-rnn-carry", "x[S:], first_a[-1], g1)", "x[S:], first_a[-2], g1)", "carries the state before the last"),
    # Losses
    Mutant("eq-sigmoid-tanh", "(1 + np.tanh(z / 2)) / 2  #", "(1 + np.tanh(z)) / 2  #", "twice too steep"),
    Mutant("eq-binary-cross-entropy", "- (1 - y) * np.log(1 - y_hat)\n", "\n", "a wrong no costs nothing"),
    Mutant(
        "eq-binary-cross-entropy",
        "return each.sum(axis=-2)  # eq-binary-cross-entropy",
        "return each.mean(axis=-2)",
        "a mean of the questions",
    ),
    Mutant("eq-binary-from-scores", "np.maximum(z, 0) - y * z", "np.maximum(z, 0) + y * z", "a sign"),
    Mutant("eq-binary-from-scores", "np.exp(-np.abs(z))", "np.exp(-z)", "overflows"),
    Mutant(
        "eq-binary-from-scores",
        "np.log1p(np.exp(-np.abs(z)))",
        "np.log(1 + np.exp(-np.abs(z)))",
        "adds a small number to 1",
    ),
    Mutant(
        "eq-binary-from-scores",
        "np.log1p(np.exp(-size))",
        "np.log(1 + np.exp(-size))",
        "adds a small number to 1",
        module=LOSSES,
    ),
    Mutant(
        "eq-binary-from-scores",
        "losses = (np.where(positive, z, 0) - y * z",
        "losses = (z - y * z",
        "no maximum",
        module=LOSSES,
    ),
    Mutant(
        "eq-binary-as-softmax",
        "two_rows = np.concatenate([row, np.zeros_like(row)]",
        "two_rows = np.concatenate([row, -row]",
        "the other score is not zero",
    ),
    Mutant(
        "eq-binary-as-softmax", "np.where(y[:, 0] == 1, 0, 1)", "np.where(y[:, 0] == 1, 1, 0)", "yes and no exchanged"
    ),
    Mutant(
        "eq-rnn-cost",
        "np.log(y_hat[t, targets[t, i], i])",
        "np.log(y_hat[t, targets[t - 1, i], i])",
        "the target of the step before",
    ),
    Mutant(
        "eq-rnn-cost",
        "np.log(y_hat[t, targets[t, i], i])",
        "np.log(y_hat[t, targets[t, i], i]) / len(targets)",
        "a mean over time",
    ),
    # Before training, and forgetting
    Mutant("eq-rnn-initial-loss", "** 2).mean(axis=0)\n", "** 2).sum(axis=0)\n", "a sum instead of the mean"),
    Mutant("eq-rnn-initial-loss", "first = z.mean(axis=0) - z[w", "first = -z[w", "the mean score is forgotten"),
    Mutant(
        "eq-rnn-initial-loss",
        "return np.log(len(z)), first, second",
        "return np.log(len(z) + 1), first, second",
        "counts the start mark",
    ),
    Mutant(
        "eq-rnn-forgetting",
        "np.linalg.svd(Waa, compute_uv=False)[0]",
        "np.abs(np.linalg.eigvals(Waa)).max()",
        "the spectral radius instead of the largest singular value",
    ),
    Mutant(
        "eq-rnn-forgetting",
        "sigma_max ** np.arange(steps + 1)[:, None]",
        "sigma_max ** np.arange(1, steps + 2)[:, None]",
        "one step too many",
    ),
]
