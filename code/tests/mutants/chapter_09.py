"""Wrong versions of the derivations of chapter 9, gated units."""

from mutants import Mutant

MUTANTS = [
    # One gate
    Mutant("eq-gate", "return sigmoid(W_a @ a + W_x @ x_t + b)", "return sigmoid(W_a @ a + W_x @ x_t)", "has no bias"),
    Mutant(
        "eq-gate",
        "return sigmoid(W_a @ a + W_x @ x_t + b)",
        "return np.tanh(W_a @ a + W_x @ x_t + b)",
        "takes another squashing",
    ),
    Mutant("eq-gate-slope", "return Gamma * (1 - Gamma)  #", "return 1 - Gamma**2  #", "is the slope of tanh"),
    Mutant("eq-gate-slope", "return Gamma * (1 - Gamma)  #", "return Gamma * (1 + Gamma)  #", "has the wrong sign"),
    Mutant(
        "eq-gate-complement",
        "as_tanh = (1 + np.tanh(z / 2)) / 2",
        "as_tanh = (1 + np.tanh(z)) / 2",
        "does not halve what is inside",
    ),
    Mutant(
        "eq-gate-complement",
        'check("eq-gate-complement", 1 - sigmoid(z), sigmoid(-z),',
        'check("eq-gate-complement", 1 - sigmoid(z), sigmoid(z),',
        "does not change the sign",
    ),
    Mutant(
        "eq-one-gate-jacobian",
        "return copy + candidate + gate  #",
        "return candidate + gate  #",
        "leaves out the additive path",
    ),
    Mutant(
        "eq-one-gate-jacobian",
        "(c_tilde - a) * gate_slope(Gamma_u) * p",
        "c_tilde * gate_slope(Gamma_u) * p",
        "forgets that the gate also shuts the old state out",
    ),
    Mutant(
        "eq-half-life", "return np.log(1 / 2) / np.log(f)", "return -1 / np.log(f)", "waits for 1/e, not for a half"
    ),
    Mutant("eq-lifetime", "return 1 + np.exp(b)", "return np.exp(b)", "leaves out step 0"),
    Mutant(
        "eq-lifetime", "return 1 + np.exp(b)", "return 1 + np.exp(-b)", "is the lifetime with an update gate's bias"
    ),
    # Ng's GRU
    Mutant(
        "eq-gru-candidate",
        "    h = Gamma_r * a\n",
        "    h = Gamma_u * a\n",
        "lets the update gate decide what is heard",
    ),
    Mutant(
        "eq-gru-candidate",
        "c_tilde = np.tanh(Wca @ h + Wcx @ x_t + bc)  # eq-gru-candidate",
        "c_tilde = np.tanh(Gamma_r * (Wca @ a) + Wcx @ x_t + bc)  #",
        "is the other GRU's",
    ),
    Mutant(
        "eq-gru-state",
        "a_next = Gamma_u * c_tilde + (1 - Gamma_u) * a  #",
        "a_next = (1 - Gamma_u) * c_tilde + Gamma_u * a  #",
        "has the update gate the wrong way round",
    ),
    Mutant(
        "eq-gru-gates",
        "dz_c = (1 - c_tilde**2) * Gamma_u * da  # eq-gru-gates",
        "dz_c = (1 - c_tilde**2) * da  #",
        "forgets the gate before the candidate",
    ),
    Mutant(
        "eq-gru-gates",
        "    dz_u = gate_slope(Gamma_u) * (c_tilde - a) * da\n    dh",
        "    dz_u = gate_slope(Gamma_u) * c_tilde * da\n    dh",
        "forgets that the gate stands twice",
    ),
    Mutant(
        "eq-gru-gates",
        "dz_r = gate_slope(Gamma_r) * a * dh",
        "dz_r = gate_slope(Gamma_r) * dh",
        "leaves out what the relevance gate multiplies",
    ),
    Mutant(
        "eq-gru-recursion",
        "return kept + heard + decided, dz, products",
        "return kept + heard, dz, products",
        "forgets the arrows through the gates",
    ),
    Mutant("eq-gru-recursion", "heard = Gamma_r * dh", "heard = dh", "lets the candidate's gradient pass a shut gate"),
    Mutant("eq-gru-recursion", "kept = (1 - Gamma_u) * da\n", "kept = Gamma_u * da\n", "keeps what was renewed"),
    Mutant(
        "eq-gate-weights",
        "d[name] += arrived @ read.T  #",
        "d[name] = arrived @ read.T  #",
        "takes the first step's share for the sum",
    ),
    Mutant(
        "eq-gate-weights",
        '"Wca": (dz_c, Gamma_r * a)}',
        '"Wca": (dz_c, a)}',
        "multiplies with the old state instead of what the candidate hears",
    ),
    Mutant(
        "eq-gate-weights",
        'd[f"b{g}"] += dz[g].sum(axis=1, keepdims=True)',
        'd[f"b{g}"] += dz[g].mean(axis=1, keepdims=True)',
        "averages over the batch",
    ),
    Mutant(
        "eq-gate-input",
        'dx[t] += p[f"W{g}x"].T @ dz[g]  #',
        'dx[t] = p[f"W{g}x"].T @ dz[g]  #',
        "keeps the last gate's share only",
    ),
    # The other GRU
    Mutant(
        "eq-gru-reset-after",
        "c_tilde = np.tanh(Gamma_r * q + Wcx @ x_t + bc)",
        "c_tilde = np.tanh(Wca @ (Gamma_r * a) + Wcx @ x_t + bc)",
        "is Ng's",
    ),
    Mutant(
        "eq-gru-reset-after",
        'q = Wca @ a + p["bca"]',
        "q = Wca @ a",
        "leaves out the bias inside the gate",
    ),
    Mutant("eq-gru-columns-rows", "return Wca * Gamma_r.T", "return Wca * Gamma_r", "scales rows in both forms"),
    Mutant("eq-gru-columns-rows", "return Gamma_r * Wca\n", "return Gamma_r.T * Wca\n", "scales columns in both forms"),
    Mutant(
        "eq-gru-reset-after-gates",
        "dq = Gamma_r * dz_c  #",
        "dq = dz_c  #",
        "forgets the gate in front of the product",
    ),
    Mutant(
        "eq-gru-reset-after-gates",
        "dz_r = gate_slope(Gamma_r) * q * dz_c",
        "dz_r = gate_slope(Gamma_r) * a * dz_c",
        "takes Ng's factor",
    ),
    Mutant(
        "eq-gru-reset-after-recursion",
        'da_before = (1 - Gamma_u) * da + p["Wca"].T @ dq',
        'da_before = (1 - Gamma_u) * da + p["Wca"].T @ dz_c',
        "goes back past the gate",
    ),
    Mutant(
        "eq-gru-reset-after-recursion",
        'da_before += p["Wua"].T @ dz_u + p["Wra"].T @ dz_r',
        'da_before += p["Wua"].T @ dz_u',
        "forgets the relevance gate's arrow",
    ),
    Mutant(
        "eq-gru-reset-after-weights",
        'products["Wca"] = (dq, a)  #',
        'products["Wca"] = (dz_c, a)  #',
        "takes what arrives at z_c for what arrives at q",
    ),
    Mutant(
        "eq-gru-reset-after-weights",
        'products["Wca"] = (dq, a)  #',
        'products["Wca"] = (dq, Gamma_r * a)  #',
        "multiplies with what Ng's candidate hears",
    ),
    # The LSTM
    Mutant(
        "eq-lstm-candidate",
        "c_tilde = np.tanh(Wca @ a + Wcx @ x_t + bc)  # eq-lstm-candidate",
        "c_tilde = sigmoid(Wca @ a + Wcx @ x_t + bc)  #",
        "makes a gate of the candidate",
    ),
    Mutant(
        "eq-lstm-cell",
        "c_next = Gamma_u * c_tilde + Gamma_f * c  # eq-lstm-cell",
        "c_next = (1 - Gamma_f) * c_tilde + Gamma_f * c  #",
        "couples the gates",
    ),
    Mutant(
        "eq-lstm-cell",
        "c_next = Gamma_u * c_tilde + Gamma_f * c  # eq-lstm-cell",
        "c_next = Gamma_u * c_tilde + c  #",
        "has no forget gate, as in 1997",
    ),
    Mutant(
        "eq-lstm-state",
        "a_next = Gamma_o * np.tanh(c_next)  # eq-lstm-state",
        "a_next = Gamma_o * c_next  #",
        "shows the cell without squashing it",
    ),
    Mutant(
        "eq-lstm-state",
        'def into_torch_lstm(p, order="ufco")',
        'def into_torch_lstm(p, order="fuco")',
        "has torch's first two gates exchanged",
    ),
    Mutant(
        "eq-lstm-cell-gradient",
        "dc = through_a + dc_from_next  #",
        "dc = through_a  #",
        "forgets the cell's second reader",
    ),
    Mutant(
        "eq-lstm-cell-gradient",
        "    through_a = Gamma_o * (1 - np.tanh(c_next) ** 2) * da\n    dc",
        "    through_a = Gamma_o * (1 - c_next**2) * da\n    dc",
        "takes the cell for its tanh",
    ),
    Mutant(
        "eq-lstm-gates",
        "dz_f = gate_slope(Gamma_f) * c * dc",
        "dz_f = gate_slope(Gamma_f) * c_tilde * dc",
        "mixes up what the two gates multiply",
    ),
    Mutant(
        "eq-lstm-gates",
        "dz_o = gate_slope(Gamma_o) * np.tanh(c_next) * da\n",
        "dz_o = gate_slope(Gamma_o) * np.tanh(c_next) * dc\n",
        "lets the cell's gradient into the output gate",
    ),
    Mutant(
        "eq-lstm-gates",
        "dz_c = (1 - c_tilde**2) * Gamma_u * dc  #",
        "dz_c = (1 - np.tanh(c_tilde) ** 2) * Gamma_u * dc  #",
        "takes the slope of a slope",
    ),
    Mutant(
        "eq-lstm-recursion",
        'da_before = sum(p[f"W{g}a"].T @ dz[g] for g in dz)  #',
        'da_before = sum(p[f"W{g}a"].T @ dz[g] for g in "fuc")  #',
        "forgets the output gate",
    ),
    Mutant(
        "eq-lstm-recursion",
        "    dc_before = Gamma_f * dc\n    da_before",
        "    dc_before = Gamma_u * dc\n    da_before",
        "goes back through the update gate",
    ),
    # Along the cell
    Mutant(
        "eq-lstm-cell-path",
        "product = product * kept[step][0]  #",
        "product = product * kept[step][1]  #",
        "multiplies the update gates",
    ),
    Mutant(
        "eq-lstm-cell-path",
        "    for step in range(k, t):\n        product =",
        "    for step in range(k + 1, t):\n        product =",
        "leaves out the first step",
    ),
    Mutant(
        "eq-lstm-jacobian",
        "rows_of_a = [D * K + through_output, D * keeps]",
        "rows_of_a = [D * K, D * keeps]",
        "leaves out the output gate's own way",
    ),
    Mutant(
        "eq-lstm-jacobian",
        "K = c * gate_slope(Gamma_f) * p",
        "K = c_next * gate_slope(Gamma_f) * p",
        "takes the new cell for the old one",
    ),
    Mutant(
        "eq-gated-at-rest",
        "np.concatenate([f + lam / 4, np.zeros(len(lam))])",
        "np.concatenate([f + lam / 2, np.zeros(len(lam))])",
        "forgets one of the two halves",
    ),
    Mutant(
        "eq-gated-at-rest",
        "return of_lstm, 1 / 2 + lam / 4  #",
        "return of_lstm, 1 / 2 + lam / 2  #",
        "forgets the relevance gate",
    ),
    # All gates at once
    Mutant(
        "eq-gates-stacked",
        'together["Waa"].T @ np.concatenate([dz_2[g] for g in "fuoc"])',
        'together["Waa"].T @ np.concatenate([dz_2[g] for g in "ufoc"])',
        "stacks in another order on the way back",
    ),
    Mutant(
        "eq-gates-stacked",
        'at_once += together["ba"]',
        'at_once += 0 * together["ba"]',
        "leaves out the biases",
    ),
    Mutant(
        "eq-gated-parameters",
        "return G * n_a * (n_a + n_x + 1) + extra",
        "return G * n_a * (n_a + n_x) + extra",
        "forgets the biases",
    ),
    Mutant(
        "eq-gated-parameters",
        '"gru": 3, "gru-reset-after": 3, "lstm": 4}[unit]\n    extra',
        '"gru": 2, "gru-reset-after": 3, "lstm": 4}[unit]\n    extra',
        "does not count the candidate",
    ),
]
