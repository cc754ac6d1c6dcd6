"""Wrong versions of the derivations of chapter 10, bidirectional networks."""

from mutants import Mutant

BIDIRECTIONAL = "unrolled.bidirectional"

MUTANTS = [
    # The network
    Mutant(
        "eq-bidirectional-forward-state",
        "a_forward.append(np.tanh(z_forward))  #",
        "a_forward.append(z_forward)  #",
        "forgets the nonlinearity",
    ),
    Mutant(
        "eq-bidirectional-forward-state",
        'z_forward = past + p["Wax_forward"] @ x[t] + p["ba_forward"]',
        'z_forward = past + p["Wax_forward"] @ x[t]',
        "forgets the bias",
    ),
    Mutant(
        "eq-bidirectional-backward-state",
        'future = p["Waa_backward"] @ a_backward[t + 1]\n        z_backward',
        'future = p["Waa_backward"] @ a_backward[T]\n        z_backward',
        "starts from the initial state at every step",
    ),
    Mutant(
        "eq-bidirectional-backward-state",
        'z_backward = future + p["Wax_backward"] @ x[t] + p["ba_backward"]',
        'z_backward = future + p["Wax_backward"] @ x[T - 1 - t] + p["ba_backward"]',
        "reads the words from the other end",
    ),
    Mutant(
        "eq-bidirectional-output",
        "both = np.concatenate([a_forward[t + 1], a_backward[t]])  # (2 n_a, m)",
        "both = np.concatenate([a_backward[t], a_forward[t + 1]])  # (2 n_a, m)",
        "exchanges the halves",
    ),
    Mutant(
        "eq-bidirectional-output",
        "both = np.concatenate([a_forward[t + 1], a_backward[t]])  # (2 n_a, m)",
        "both = np.concatenate([a_forward[t + 1], a_backward[t + 1]])  # (2 n_a, m)",
        "reads the state to the left one step too early",
    ),
    Mutant("eq-bidirectional-flip", "return a[::-1]  #", "return a  #", "turns the sentence and not the states"),
    Mutant(
        "eq-bidirectional-flip",
        "a = read_forward(as_forward, x[::-1], a_start)",
        "a = read_forward(as_forward, x, a_start)",
        "turns the states and not the sentence",
    ),
    Mutant(
        "eq-bidirectional-parameters",
        "+ n_y * (2 * n_a + 1)  #",
        "+ n_y * (n_a + 1)  #",
        "lets the output read one direction",
    ),
    Mutant(
        "eq-bidirectional-parameters",
        "both = 2 * n_a * (n_a + n_x + 1)\n",
        "both = 2 * n_a * (n_a + n_x)\n",
        "forgets the biases",
    ),
    # Two opinions
    Mutant(
        "eq-bidirectional-opinions",
        'return opinion_left + opinion_right + p["by"]  #',
        "return opinion_left + opinion_right  #",
        "forgets the bias",
    ),
    Mutant(
        "eq-bidirectional-opinions",
        'opinion_right = p["Wy"][:, n_a:] @ a_backward[t]\n',
        'opinion_right = p["Wy"][:, :n_a] @ a_backward[t]\n',
        "takes the other half of the matrix",
    ),
    Mutant(
        "eq-bidirectional-rectangle",
        'return opinion_left + opinion_right + p["by"]  #',
        'return opinion_left * opinion_right + p["by"]  #',
        "lets the opinions interact",
    ),
    Mutant(
        "eq-bidirectional-reach",
        "for j in range(t, k, -1):",
        "for j in range(k + 1, t + 1):",
        "multiplies in the wrong order",
    ),
    Mutant("eq-bidirectional-reach", "if k >= t:", "if k > t:", "forgets that the word is read twice"),
    # The backward pass
    Mutant(
        "eq-bidirectional-direct",
        'direct.append(p["Wy"].T @ dz_y[t])  #',
        'direct.append(np.roll(p["Wy"].T @ dz_y[t], n_a, axis=0))  #',
        "hands each half to the other direction",
    ),
    Mutant(
        "eq-bidirectional-forward-recursion",
        "da_forward = direct[t][:n_a] + from_next  #",
        "da_forward = direct[t][:n_a]  #",
        "forgets the next state",
    ),
    Mutant(
        "eq-bidirectional-forward-recursion",
        'from_next = p["Waa_forward"].T @ dz_forward',
        'from_next = p["Waa_forward"] @ dz_forward',
        "forgets a transpose",
    ),
    Mutant(
        "eq-bidirectional-backward-recursion",
        "for t in range(len(x)):  # step t read a_backward[t + 1], wrote a_backward[t]",
        "for t in reversed(range(len(x))):  # step t read a_backward[t + 1], wrote a_backward[t]",
        "runs the wrong way",
    ),
    Mutant(
        "eq-bidirectional-backward-recursion",
        "da_backward = direct[t][n_a:] + from_next  #",
        "da_backward = direct[t][:n_a] + from_next  #",
        "takes the other half",
    ),
    Mutant(
        "eq-bidirectional-forward-gradients",
        'd["Waa_forward"] += dz_forward @ a_forward[t].T\n        d["Wax_forward"] += dz_forward @ x[t].T  #',
        'd["Waa_forward"] += dz_forward @ a_forward[t + 1].T\n        d["Wax_forward"] += dz_forward @ x[t].T  #',
        "takes the state that was written for the one that was read",
    ),
    Mutant(
        "eq-bidirectional-backward-gradients",
        'd["Waa_backward"] += dz_backward @ a_backward[t + 1].T\n        d["Wax_backward"] += dz_backward @ x[t].T  #',
        'd["Waa_backward"] += dz_backward @ a_backward[t].T\n        d["Wax_backward"] += dz_backward @ x[t].T  #',
        "takes the state that was written for the one that was read",
    ),
    Mutant(
        "eq-bidirectional-backward-gradients",
        "dz_backward = (1 - a_backward[t] ** 2) * da_backward",
        "dz_backward = (1 - a_backward[t + 1] ** 2) * da_backward",
        "takes the slope of another step",
    ),
    Mutant(
        "eq-bidirectional-meeting",
        "both = np.concatenate([a_forward[t + 1], a_backward[t]])\n        dWy",
        "both = np.concatenate([a_forward[t], a_backward[t]])\n        dWy",
        "takes the state before the word",
    ),
    Mutant("eq-bidirectional-input", "dx = dx_forward + dx_backward  #", "dx = dx_forward  #", "hears one direction"),
    Mutant(
        "eq-bidirectional-any-unit",
        "to_the_left = run_backward.outputs[::-1]  #",
        "to_the_left = run_backward.outputs  #",
        "turns once",
    ),
    Mutant(
        "eq-bidirectional-any-unit",
        "d_both[::-1, n_a:])",
        "d_both[:, n_a:])",
        "does not turn the gradient round",
    ),
    # Lengths
    Mutant(
        "eq-bidirectional-reverse",
        "turned[t - 1, :, i] = v[T_i + 1 - t - 1, :, i]  #",
        "turned[t - 1, :, i] = v[len(v) - t, :, i]  #",
        "turns the padding to the front",
    ),
    Mutant(
        "eq-bidirectional-mask-state",
        "a_backward[t] = s[t] * proposed + kept  #",
        "a_backward[t] = proposed  #",
        "reads the padding",
    ),
    Mutant(
        "eq-bidirectional-mask-state",
        "a_backward[t] = s[t] * proposed + kept  #",
        "a_backward[t] = s[t] * proposed  #",
        "loses the initial state in the padding",
    ),
    Mutant(
        "eq-bidirectional-mask-recursion",
        "arrived = through_the_unit + past_the_unit  #",
        "arrived = through_the_unit  #",
        "loses the gradient in the padding",
    ),
    Mutant(
        "eq-bidirectional-mask-recursion",
        "dz_backward = s[t] * (1 - a_backward[t] ** 2) * da_backward",
        "dz_backward = (1 - a_backward[t] ** 2) * da_backward",
        "sends gradients through the padding",
    ),
    Mutant(
        "eq-bidirectional-ends",
        "np.concatenate([a_forward[-1], a_backward[0]])  #",
        "np.concatenate([a_forward[-1], a_backward[-2]])  #",
        "takes the last output",
    ),
    # Waiting
    Mutant(
        "eq-bidirectional-lookahead",
        "last = min(t + d, len(x) - 1)",
        "last = min(t + d + 1, len(x) - 1)",
        "reads a word too far",
    ),
    Mutant(
        "eq-bidirectional-lookahead",
        "for k in range(last, t - 1, -1):  #",
        "for k in range(last, t, -1):  #",
        "does not read the word itself",
    ),
    Mutant(
        "eq-bidirectional-wait",
        "d - d * (d + 1) / (2 * T)  #",
        "d - d * (d - 1) / (2 * T)  #",
        "adds up one word too few",
    ),
    Mutant(
        "eq-bidirectional-rereading",
        "return T, T * (T + 1) / 2  #",
        "return T, T * (T - 1) / 2  #",
        "forgets the last pass",
    ),
    Mutant(
        "eq-bidirectional-rereading",
        "return T, T * (T + 1) / 2  #",
        "return T * (T + 1) / 2, T * (T + 1) / 2  #",
        "reads everything again in the direction to the right, too",
    ),
    Mutant(
        "eq-bidirectional-lookahead",
        "state = np.zeros((n_a, x.shape[2]))\n    last =",
        "state = np.ones((n_a, x.shape[2]))\n    last =",
        "does not start from the initial state",
    ),
    # The leak
    Mutant(
        "eq-bidirectional-leak",
        "inside = np.log(1 + (K - 1) * np.exp(-B) + np.exp(-B / 2))",
        "inside = np.log(1 + K * np.exp(-B))",
        "forgets the score of the end",
    ),
    Mutant("eq-bidirectional-leak", 'p["by"][K] = B / 2  #', 'p["by"][K] = 0  #', "never expects the end"),
    Mutant(
        "eq-bidirectional-no-distribution",
        "closed = K**n * np.exp(one_product)  #",
        "closed = np.exp(one_product)  #",
        "counts one sequence",
    ),
    Mutant(
        "eq-bidirectional-cloze",
        "around = [a_forward[t], a_backward[t + 1]]  #",
        "around = [a_forward[t], a_backward[t]]  #",
        "sees the missing word from one side",
    ),
    Mutant(
        "eq-bidirectional-cloze",
        "around = [a_forward[t], a_backward[t + 1]]  #",
        "around = [a_forward[t + 1], a_backward[t]]  #",
        "sees the missing word",
    ),
    # The package
    Mutant(
        "eq-bidirectional-any-unit",
        "self.backward.outputs[::-1]]",
        "self.backward.outputs]",
        "turns once",
        module=BIDIRECTIONAL,
    ),
    Mutant(
        "eq-bidirectional-mask-recursion",
        "run.backward, d_backward[::-1], last[1])",
        "run.backward, d_backward, last[1])",
        "does not turn the gradient round",
        module=BIDIRECTIONAL,
    ),
]
