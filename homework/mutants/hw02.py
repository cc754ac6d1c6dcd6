"""Typical wrong solutions of homework 2: each must lose points."""

from unrolled.homework.mutants import Mutant

MUTANTS = [
    # forward
    Mutant(
        "the network of the book: no leak at all",
        "forward",
        'a.append((1 - p["kappa"]) * a[t] + p["kappa"] * a_tilde[t])',
        "a.append(a_tilde[t])",
    ),
    Mutant(
        "kappa and 1 - kappa have changed places",
        "forward",
        '(1 - p["kappa"]) * a[t] + p["kappa"] * a_tilde[t]',
        'p["kappa"] * a[t] + (1 - p["kappa"]) * a_tilde[t]',
    ),
    Mutant("the scores do not read the input", "forward", ' + p["Wyx"] @ x[t]', ""),
    Mutant("the scores read the state before the step", "forward", '@ a[t + 1] + p["Wyx"]', '@ a[t] + p["Wyx"]'),
    Mutant("always tanh", "forward", 'np.tanh(z_a) if g1 == "tanh" else np.maximum(z_a, 0)', "np.tanh(z_a)"),
    Mutant("zeros of the right shapes", "forward", '{"a": np.stack(a)', '{"a": 0 * np.stack(a)'),
    # yes-no-loss
    Mutant(
        "the gradient of the book, y_hat - y",
        "yes-no-loss",
        '"dz_y": (1 - y) * yes - omega * y * no',
        '"dz_y": yes - y',
    ),
    Mutant("omega for no as well", "yes-no-loss", "+ (1 - y) * minus_ln_no", "+ omega * (1 - y) * minus_ln_no"),
    Mutant(
        "log instead of log1p",
        "yes-no-loss",
        "np.maximum(-z_y, 0) + np.log1p(small)",
        "np.maximum(-z_y, 0) + np.log(1 + small)",
    ),
    Mutant("1 - y_hat loses its digits", "yes-no-loss", "np.where(z_y >= 0, smaller, larger)", "1 - yes"),
    Mutant(
        "the logarithm of a rounded probability",
        "yes-no-loss",
        "minus_ln_no = np.maximum(z_y, 0) + np.log1p(small)",
        "minus_ln_no = -np.log(1 - 1 / (1 + np.exp(-z_y)))",
    ),
    # own-length
    Mutant(
        "off by one: the step after the last is counted", "own-length", "[:, None] < lengths", "[:, None] <= lengths"
    ),
    Mutant("divided by T m", "own-length", "N = lengths.sum()", "N = losses.size"),
    Mutant("zero times NaN", "own-length", "np.where(true, losses, 0)", "(true * losses)"),
    Mutant("every column by its own length", "own-length", "sum(axis=0) / N", "sum(axis=0) / np.maximum(lengths, 1)"),
    Mutant(
        "the last state of the array for all columns",
        "own-length",
        "return a[lengths, :, np.arange(len(lengths))].T",
        "return a[-1]",
    ),
    Mutant(
        "the way back ends at the last step of all",
        "own-length",
        "da[lengths, :, np.arange(len(lengths))] = d_last.T",
        "da[-1] = d_last",
    ),
    # recursion
    Mutant(
        "the recursion without its direct term",
        "recursion",
        "da[t + 1] += Wya.T @ dz_y[t]",
        "da[t + 1] += Wya.T @ dz_y[t] * (t == len(dz_y) - 1)",
    ),
    Mutant("the recursion without the leak", "recursion", "da[t] += (1 - kappa) * da[t + 1]", "pass"),
    Mutant("the recursion without the way through Waa", "recursion", "da[t] += Waa.T @ dz_a[t]", "pass"),
    Mutant("the slope from the state, as in the book", "recursion", "1 - a_tilde**2", '1 - states["a"][1:] ** 2'),
    Mutant("relu on where the state is positive", "recursion", "(a_tilde > 0)", '(states["a"][1:] > 0)'),
    Mutant("kappa forgotten between da and dz_a", "recursion", "dz_a[t] = kappa * slope[t]", "dz_a[t] = slope[t]"),
    Mutant("Waa for its transpose", "recursion", "Waa.T @ dz_a[t]", "Waa @ dz_a[t]"),
    Mutant(
        "the factors after Waa, not before",
        "recursion",
        "da[t] += Waa.T @ dz_a[t]",
        "da[t] += kappa * slope[t] * (Waa.T @ da[t + 1])",
    ),
    Mutant(
        "nothing arrives from elsewhere",
        "recursion",
        "da = da_more.astype(float)  # a copy",
        "da = np.zeros(da_more.shape)",
    ),
    # gradients
    Mutant("dWaa with the state that the step wrote", "gradients", "dz_a[t] @ a[t].T", "dz_a[t] @ a[t + 1].T"),
    Mutant("dWya with the state that the step read", "gradients", "dz_y[t] @ a[t + 1].T", "dz_y[t] @ a[t].T"),
    Mutant("dkappa without the old state", "gradients", "(a_tilde[t] - a[t])", "a_tilde[t]"),
    Mutant("dkappa from dz_a", "gradients", "da[t + 1] * (a_tilde", "dz_a[t] * (a_tilde"),
    Mutant("dx without the arrow to the scores", "gradients", ' + parameters["Wyx"].T @ dz_y[t]', ""),
    Mutant("dba of the last step only", "gradients", 'd["ba"] += ', 'd["ba"] = '),
    # two-questions
    Mutant(
        "the question at the end teaches its own layer only",
        "two-questions",
        "arriving_at_last(Wka.T @ dz_k, lengths, T)",
        "np.zeros((T + 1, *last.shape))",
    ),
    Mutant("the end question asked at step T", "two-questions", 'last_states(states["a"], lengths)', 'states["a"][-1]'),
    Mutant("the gradient of a sum for a cost that is a mean", "two-questions", "    dz_k /= m\n", ""),
    Mutant("da_0 of one column", "two-questions", 'flow["da"][0].sum(axis=1, keepdims=True)', 'flow["da"][0][:, :1]'),
    Mutant("a softmax without the shift", "two-questions", "z_k = z_k - z_k.max(axis=0)", "pass"),
    Mutant(
        "the padding is counted",
        "two-questions",
        'masked_losses(steps["losses"], steps["dz_y"], lengths)',
        'masked_losses(steps["losses"], steps["dz_y"], 0 * lengths + T)',
    ),
    # gradient-check
    Mutant("one fixed step", "gradient-check", "h = 6e-6 * (np.abs(theta).max(initial=0) or 1.0)", "h = 1e-5"),
    Mutant("a one-sided difference", "gradient-check", "left[i] -= h", "left[i] -= 0"),
    Mutant("whole numbers stay whole", "gradient-check", "np.array(value, dtype=float)", "np.array(value)"),
    Mutant("noise divided by noise", "gradient-check", ", 1e-3 * M)", ", 1e-300)"),
    Mutant(
        "the error of the worst entry is averaged away",
        "gradient-check",
        "e = np.abs(g - n).max(initial=0)",
        "e = np.abs(g - n).mean()",
    ),
    Mutant("never a complaint", "gradient-check", "return np.array(errors)", "return 0 * np.array(errors)"),
    # jacobians
    Mutant(
        "the transposed Jacobian",
        "jacobians",
        '(kappa * slope)[:, None] * parameters["Waa"]',
        '((kappa * slope)[:, None] * parameters["Waa"]).T',
    ),
    Mutant("the slope multiplies the columns", "jacobians", "(kappa * slope)[:, None] *", "(kappa * slope) *"),
    Mutant(
        "the product in the wrong order",
        "jacobians",
        "step_jacobian(parameters, a_tilde[r], g1) @ product",
        "product @ step_jacobian(parameters, a_tilde[r], g1)",
    ),
    Mutant("pulled back from the early end", "jacobians", "for r in reversed(range(s, t)):", "for r in range(s, t):"),
    Mutant(
        "right but slow: all Jacobians multiplied first",
        "jacobians",
        "    for r in reversed(range(s, t)):\n"
        "        v = (1 - kappa) * v + Waa.T @ (kappa * slope[r] * v)\n"
        "    return v",
        "    return jacobian_between(parameters, a_tilde, s, t, g1).T @ v",
    ),
    # by-lag
    Mutant(
        "the leak forgotten on the way back",
        "by-lag",
        "delta = ((1 - kappa) * delta + Waa.T @ inside)[1:]",
        "delta = (Waa.T @ inside)[1:]",
    ),
    Mutant(
        "moved back by nothing",
        "by-lag",
        "(1 - kappa) * delta + Waa.T @ inside)[1:]",
        "(1 - kappa) * delta + Waa.T @ inside)[:-1]",
    ),
    Mutant("losses counted by every pass that meets them", "by-lag", "if t >= start:", "if True:"),
    Mutant(
        "pieces that do not fit are lost",
        "by-lag",
        "for start in range(0, T, k_1):",
        "for start in range(0, T - k_1 + 1, k_1):",
    ),
    Mutant("k_2 ignored: back to the beginning", "by-lag", "range(max(0, end - k_2), end)", "range(0, end)"),
    Mutant("k_1 for k_2", "by-lag", "range(max(0, end - k_2), end)", "range(max(0, end - k_1), end)"),
]
