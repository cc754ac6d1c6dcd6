"""Wrong versions of the derivations of chapter 5, backpropagation through time."""

from mutants import Mutant

RECURRENCE = "unrolled.recurrence"
UNITS = "unrolled.units"

MUTANTS = [
    # The chain rule
    Mutant("eq-chain-rule-paths", "yield local * rest", "yield local + rest", "local derivatives added along a path"),
    Mutant("eq-chain-rule-paths", "if t > 0:\n", "if t > 1:\n", "a state without its direct arrow"),
    Mutant("eq-chain-rule-nodes", "known[node] = sum(terms)", "known[node] = max(terms)", "one arrow instead of all"),
    Mutant("eq-chain-rule-nodes", "of_w_1 = of_w_2 * 4 + 1 * 4", "of_w_1 = of_w_2 * 4", "the example: one arrow"),
    # By hand
    Mutant(
        "eq-bptt-waa", "hand_dz_a2 * a_1 + hand_dz_a1 * 1", "hand_dz_a2 * a_2 + hand_dz_a1 * a_1", "the state it wrote"
    ),
    Mutant("eq-bptt-waa", "2 * 1 / 5 + 1 / 2 * hand_dz_a2", "1 / 2 * hand_dz_a2", "the direct term is forgotten"),
    # Local derivatives
    Mutant("eq-bptt-scores", "dz_y = softmax(z_y) - y", "dz_y = y - softmax(z_y)", "the sign"),
    Mutant("eq-bptt-scores", "y[t, targets[t, i], i] = 1", "y[t, ids[t, i], i] = 1", "the character that was read"),
    Mutant("eq-bptt-sigmoid", "dz_binary = sigmoid(z_y)", "dz_binary = softmax(z_y)", "the other output"),
    # The recursion
    Mutant("eq-bptt-recursion", "da[t + 1] += Wya.T @ dz_y[t]", "pass", "no direct term at all"),
    Mutant(
        "eq-bptt-recursion",
        "    da[t + 1] += Wya.T @ dz_y[t]",
        "    da[t + 1] += Wya.T @ dz_y[t] * (t == T - 1)",
        "the direct term at the last step only: the form with one term",
    ),
    Mutant("eq-bptt-recursion", "da[t] += Waa.T @ dz_a[t]", "da[t] += Waa @ dz_a[t]", "not transposed"),
    Mutant(
        "eq-bptt-recursion",
        "da[t] += Waa.T @ dz_a[t]",
        "da[t] += (1 - a[t + 1] ** 2) * (Waa.T @ da[t + 1])",
        "the slope after the matrix",
    ),
    Mutant("eq-bptt-preactivation", "(1 - a[t + 1] ** 2) * da[t + 1]  #", "(1 - a[t] ** 2) * da[t + 1]  #", "the time"),
    Mutant("eq-bptt-preactivation", "(1 - a[t + 1] ** 2) * da[t + 1]  #", "(1 - a[t + 1]) * da[t + 1]  #", "no square"),
    Mutant("eq-bptt-a0", "da[t] += Waa.T @ dz_a[t]", "da[t] += Waa.T @ da[t + 1]", "the slope is forgotten"),
    # Parameters
    Mutant("eq-bptt-shared", "{n: each.sum(axis=0)", "{n: each.mean(axis=0)", "the mean of the copies"),
    Mutant("eq-bptt-shared", "{n: each.sum(axis=0)", "{n: each[-1]", "the last copy only"),
    Mutant("eq-bptt-waa", "dWaa += dz_a[t] @ a[t].T", "dWaa += dz_a[t] @ a[t + 1].T", "the state the step wrote"),
    Mutant("eq-bptt-waa", "dWaa += dz_a[t] @ a[t].T", "dWaa = dz_a[t] @ a[t].T", "the last summand only"),
    Mutant("eq-bptt-waa", "dWaa += dz_a[t] @ a[t].T", "dWaa += a[t] @ dz_a[t].T", "transposed"),
    Mutant("eq-bptt-wax", "dWax += dz_a[t] @ x[t].T", "dWax += da[t + 1] @ x[t].T", "the slope is forgotten"),
    Mutant("eq-bptt-ba", "dba += dz_a[t].sum(axis=1", "dba += dz_a[t].mean(axis=1", "the mean over the batch"),
    Mutant("eq-bptt-wya", "dWya += dz_y[t] @ a[t + 1].T", "dWya += dz_y[t] @ a[t].T", "the state the step read"),
    Mutant("eq-bptt-by", "dby += dz_y[t].sum(axis=1", "dby += dz_y[0].sum(axis=1", "the first step every time"),
    Mutant("eq-bptt-x", "dx[t] = Wax.T @ dz_a[t]", "dx[t] = Wax.T @ da[t + 1]", "the slope is forgotten"),
    Mutant(
        "eq-bptt-replacement",
        "change = dx[t, :, i] - dx[t, ids[t, i], i]",
        "change = dx[t, :, i]",
        "the character that stood there is not taken away",
    ),
    # Four kinds of networks
    Mutant("eq-bptt-waa", '"relu": lambda a: (a > 0)', '"relu": lambda a: (a >= 0)', "a unit that is off has a slope"),
    Mutant("eq-bptt-waa", "return sigmoid(z_y) - targets", "return sigmoid(z_y)", "the truth is forgotten"),
    Mutant(
        "eq-bptt-a0", "        from_next = Waa.T @ dz_a\n    d", "        from_next = Waa.T @ da_t\n    d", "no slope"
    ),
    # Jacobians
    Mutant("eq-bptt-jacobian", "jacobian = np.diag(slope) @ Waa", "jacobian = Waa.T @ np.diag(slope)", "transposed"),
    Mutant("eq-bptt-jacobian", "jacobian = np.diag(slope) @ Waa", "jacobian = Waa @ np.diag(slope)", "the other order"),
    Mutant("eq-bptt-jacobian-order", "product = local @ product", "product = product @ local", "the latest right"),
    Mutant(
        "eq-bptt-vector-jacobian",
        "vector_jacobian = Waa.T @ (slope * v)",
        "vector_jacobian = slope * (Waa.T @ v)",
        "the elementwise factor last",
    ),
    Mutant(
        "eq-bptt-tensor", '"r,ri,j->rij", slope, np.eye(n_a)', '"r,ri,j->rij", slope, np.ones((n_a, n_a))', "no delta"
    ),
    # Central differences
    Mutant("eq-central-difference-error", "predicted = h**2 / 6", "predicted = h**2 / 3", "the factorial"),
    Mutant("eq-central-difference-step", "best_step = (3 * unit", "best_step = (unit", "the factor three"),
    Mutant("eq-central-difference-step", "abs(third)) ** (1 / 3)", "abs(third)) ** (1 / 2)", "the one-sided exponent"),
    # One product
    Mutant(
        "eq-bptt-one-product",
        "array.transpose(1, 0, 2).reshape(array.shape[1], -1)",
        "array.reshape(array.shape[1], -1)",
        "time and rows are mixed up",
    ),
    Mutant(
        "eq-bptt-one-product",
        'in_one = {"Waa": Z @ A.T,',
        'in_one = {"Waa": Z @ A_next.T,',
        "the states one step later",
    ),
    Mutant(
        "eq-bptt-one-hot", "] += dz_a[t, :, i]  #", "] = dz_a[t, :, i]  #", "repeated characters lose their gradient"
    ),
    Mutant(
        "eq-bptt-recursion",
        "add(da, arriving[t], da)  # eq-bptt-recursion",
        "da[:] = da if t < T - 1 else arriving[t]",
        "the form with one term",
        module=RECURRENCE,
    ),
    Mutant(
        "eq-bptt-one-product",
        "product(dz.reshape(-1, n_a).T, a[:-1].reshape(-1, n_a))",
        "product(dz.reshape(-1, n_a).T, a[1:].reshape(-1, n_a))",
        "the state the step wrote",
        module=UNITS,
    ),
    Mutant(
        "eq-bptt-one-product",
        'gradients["ba"] = sum_of_rows(flat)',
        'gradients["ba"] = sum_of_rows(flat) / len(flat)',
        "a mean over time and columns",
        module=RECURRENCE,
    ),
    # Cost, forward mode, truncation
    Mutant("eq-bptt-multiplications", "2 * N_forward + 2 * T * m * n_a", "2 * N_forward", "the slopes are free"),
    Mutant("eq-bptt-multiplications", "n_a * n_x + n_y * n_a)\n", "n_a * n_x)\n", "the scores are free"),
    Mutant("eq-real-time-recurrent-learning", "moved[r, r] += u", "moved[r, r] = u", "earlier uses are forgotten"),
    Mutant(
        "eq-real-time-recurrent-learning",
        "moved = (Waa @ P.reshape(n_a, -1))",
        "moved = (Waa.T @ P.reshape(n_a, -1))",
        "transposed",
    ),
    Mutant(
        "eq-real-time-recurrent-learning",
        "P = (1 - state * state)[:, None, None, :] * moved",
        "P = moved",
        "the slope is forgotten",
    ),
    Mutant("eq-real-time-recurrent-learning", "(3 / 5 + 1 / 2 * P_1)", "(3 / 5)", "by hand: no earlier uses"),
    Mutant("eq-real-time-multiplications", "n_a**3 * q + 2 * n_a**2 * q", "n_a**3 * q + n_a**2 * q", "the slope"),
    Mutant("eq-truncated-bptt", "range(max(0, end - k_2), end)", "range(max(0, end - k_1), end)", "k1 steps back"),
    Mutant("eq-truncated-bptt", "if t >= start:", "if True:", "earlier losses count again"),
    Mutant("eq-truncated-bptt", "range(max(0, end - k_2), end)", "range(max(0, end - k_2 - 1), end)", "one step more"),
    Mutant("eq-truncated-bptt", "800 / 3125 - 540 / 3125\n", "-28 / 3125\n", "by hand: every pair is kept"),
]
