"""Typical wrong solutions of homework 3: each must lose points."""

from unrolled.homework.mutants import Mutant

MUTANTS = [
    # clip, and tell
    Mutant(
        "each array by itself",
        "clip",
        "return {name: scale * g for name, g in gradients.items()}",
        "return {name: g * min(1.0, c / max(np.linalg.norm(g), 1e-300)) for name, g in gradients.items()}",
    ),
    Mutant("the condition forgotten", "clip", "c / norm if norm > c else 1.0", "c / norm if norm > 0 else 1.0"),
    Mutant("each element by itself", "clip", "{name: scale * g for", "{name: np.clip(g, -c, c) for"),
    Mutant(
        "squares that overflow",
        "clip",
        "largest * np.sqrt(sum(((g / largest) ** 2).sum() for g in gradients.values())) if largest > 0 else 0.0",
        "np.sqrt(sum((g**2).sum() for g in gradients.values()))",
    ),
    Mutant("broken entries pass", "clip", "    if broken:\n", "    if False:\n"),
    Mutant("only NaN is broken", "clip", "~np.isfinite(g)", "np.isnan(g)"),
    Mutant("a trace too far, as torch does", "clip", "c / norm if", "c / (norm + 1e-6) if"),
    # how far back
    Mutant(
        "the oldest step first",
        "reach",
        "product = product @ (np.diag(1 - kappa) + scales[:, None] * Waa)",
        "product = (np.diag(1 - kappa) + scales[:, None] * Waa) @ product",
    ),
    Mutant("no copy", "reach", "np.diag(1 - kappa) + scales", "scales"),
    Mutant("the slopes at the columns", "reach", "scales[:, None] * Waa", "scales * Waa"),
    Mutant("the steps from the beginning", "reach", "slopes[T - 1 - d]", "slopes[d]"),
    Mutant(
        "the spectral radius",
        "reach",
        "np.linalg.norm(product, 2), bound",
        "np.abs(np.linalg.eigvals(product)).max(), bound",
    ),
    Mutant("Frobenius", "reach", "np.linalg.norm(product, 2)", "np.linalg.norm(product)"),
    # streams
    Mutant(
        "consecutive symbols side by side",
        "streams",
        "ids[: N * m].reshape(m, N).T.astype(int)",
        "ids[: N * m].reshape(N, m).astype(int)",
    ),
    Mutant("the tops of the columns carry on", "streams", "    fresh[0] = True\n", ""),
    Mutant("warm-up in every column", "streams", "weights[: min(first, warm_up), j] = 0", "weights[:warm_up, j] = 0"),
    Mutant("fresh one step late", "streams", "x == 0, np.ones", "y == 0, np.ones"),
    Mutant(
        "no end of a document",
        "streams",
        "y = np.concatenate([[*document, 0] for document in documents])",
        "y = np.roll(x, -1)[: len(x)] + (np.roll(x, -1) == 0)",
    ),
    Mutant(
        "beginnings sought too late",
        "streams",
        "    for j in range(m):\n",
        "    fresh[0] = True\n    for j in range(m):\n",
    ),
    # reading
    Mutant("fresh columns keep their copy", "read", "(1 - kappa) * before", "(1 - kappa) * a"),
    Mutant("never fresh", "read", "np.where(fresh[t], 0, a)", "a"),
    Mutant(
        "the mean is the wrong way round",
        "read",
        "(1 - kappa) * before + kappa * np",
        "kappa * before + (1 - kappa) * np",
    ),
    Mutant("not carried", "read", "np.where(fresh[t], 0, a)", "np.where(fresh[t], 0, a0)"),
    # one step
    Mutant("no copy on the way back", "step", "(1 - kappa) * da + Waa.T @ dz", "Waa.T @ dz"),
    Mutant("the copy only", "step", "(1 - kappa) * da + Waa.T @ dz", "(1 - kappa) * da"),
    Mutant("Waa not transposed", "step", "Waa.T @ dz", "Waa @ dz"),
    Mutant(
        "fresh columns hear the future",
        "step",
        "np.where(fresh[t], 0, (1 - kappa) * da + Waa.T @ dz)",
        "(1 - kappa) * da + Waa.T @ dz",
    ),
    Mutant(
        "no direct term", "step", "da = E @ dz_y[t] + from_future", "da = E @ dz_y[t] if t == T - 1 else from_future"
    ),
    Mutant("nothing from reading", "step", '        np.add.at(gradients["E"].T, x[t], (Wax.T @ dz).T)\n', ""),
    Mutant("nothing from writing", "step", '        gradients["E"] += states[t] @ dz_y[t].T\n', ""),
    Mutant(
        "symbols read twice count once",
        "step",
        'np.add.at(gradients["E"].T, x[t], (Wax.T @ dz).T)',
        'gradients["E"][:, x[t]] += Wax.T @ dz',
    ),
    Mutant("the slope of the state", "step", "(1 - insides[t] ** 2)", "(1 - states[t] ** 2)"),
    Mutant("kappa forgotten", "step", "dz = kappa * da", "dz = da"),
    Mutant("weights in the cost only", "step", "dz_y.append(share[t] * d)", "dz_y.append(d / share.size)"),
    Mutant("a sum, not a mean", "step", "weights / weights.sum()", "weights"),
    Mutant("no maximum taken out", "step", "z_y = z_y - z_y.max(axis=0)", "z_y = z_y - 0"),
    Mutant("the state after in dWaa", "step", "dz @ befores[t].T", "dz @ states[t].T"),
    Mutant(
        "the first state is zero", "step", "a, losses = a0, np.zeros((T, m))", "a, losses = 0 * a0, np.zeros((T, m))"
    ),
    Mutant("the state, not the embedding, in dWax", "step", "dz @ E[:, x[t]].T", "dz @ states[t].T"),
    Mutant("Wax forgotten on the way to E", "step", "(Wax.T @ dz).T", "dz.T"),
    Mutant("zeros", "step", "**gradients}", "**{name: 0 * g for name, g in gradients.items()}}"),
    # Adam
    Mutant(
        "no bias correction",
        "adam",
        "average[name] / (1 - BETA_1**t), square[name] / (1 - BETA_2**t)",
        "average[name], square[name]",
    ),
    Mutant("t one too small", "adam", "1 - BETA_2**t", "1 - BETA_2 ** max(t - 1, 1)"),
    Mutant(
        "the decay inside the gradient",
        "adam",
        "g = gradients[name]",
        "g = gradients[name] + (decay * theta if name in decayed else 0)",
    ),
    Mutant("everything decays", "adam", "if name in decayed", "if True"),
    Mutant("epsilon inside the root", "adam", "(np.sqrt(v_hat) + EPSILON)", "np.sqrt(v_hat + EPSILON)"),
    Mutant(
        "the betas exchanged",
        "adam",
        'BETA_1 * memory["average"][name] + (1 - BETA_1) * g',
        'BETA_2 * memory["average"][name] + (1 - BETA_2) * g',
    ),
    Mutant("uphill", "adam", "theta - rate * m_hat", "theta + rate * m_hat"),
    # the loop
    Mutant("the state is never carried", "loop", "        if s == 0:\n", "        if True:\n"),
    Mutant("the state is never zero again", "loop", "        if s == 0:\n", "        if k == 0:\n"),
    Mutant("the last segment left out", "loop", "range(0, N, T)", "range(0, N - T + 1, T) or range(0, N, T)"),
    Mutant(
        "not clipped",
        "loop",
        "adam(parameters, clipped,",
        "adam(parameters, {name: found[name] for name in parameters},",
    ),
    Mutant("a constant rate", "loop", "rate * (1 - k / steps)", "rate"),
    Mutant(
        "Adam forgets",
        "loop",
        "parameters, memory = adam(parameters, clipped, memory,",
        "parameters, _ = adam(parameters, clipped, None,",
    ),
    # a model
    Mutant(
        "predicts without the copy that it was trained with",
        "language-model",
        'state = state + model["kappa"] * (inside - state)',
        'state = model["kappa"] * inside + 0 * state',
    ),
    Mutant("hardly trained", "language-model", "passes * -(-N // T), rate", "9, rate"),
    Mutant("the columns mixed", "language-model", 'model["E"][:, x]', 'model["E"][:, x].mean(axis=1, keepdims=True)'),
    Mutant("consecutive symbols side by side", "language-model", "reshape(m, N).T for part", "reshape(N, m) for part"),
]
