"""Wrong versions of the derivations of chapter 3, the window model."""

from mutants import Mutant

LOSSES = "unrolled.losses"
WINDOW = "unrolled.window"

MUTANTS = [
    # Words as columns
    Mutant("eq-one-hot-selection", "O[w, i] = 1", "O[w - 1, i] = 1", "the one stands in the row above"),
    Mutant(
        "eq-embedding-scatter", "dE[:, w] += dX[:, i]", "dE[:, w] = dX[:, i]", "a repeated word keeps its last use only"
    ),
    # The network
    Mutant(
        "eq-window-input",
        "[E[:, slot] for slot in contexts])",
        "[E[:, slot] for slot in contexts[::-1]])",
        "the newest word first",
    ),
    Mutant("eq-window-hidden", "z_h = Wh @ x + bh  #", "z_h = Wh @ x  #", "the hidden bias is forgotten"),
    Mutant("eq-window-scores", "Wy @ a + Wd @ x + by  #", "Wy @ a + by  #", "the direct connections are forgotten"),
    Mutant("eq-window-scores", "Wy @ a + Wd @ x + by  #", "Wy @ a + Wd @ x  #", "the output bias is forgotten"),
    Mutant("eq-window-parameters", "ends = n_e * (V + 1)", "ends = n_e * V", "<s> has no embedding"),
    Mutant("eq-window-parameters", "+ V * n_h + V\n", "+ V * n_h\n", "the output bias is not counted"),
    Mutant("eq-window-parameters", "return count + V * k * n_e if", "return count + V * n_e if", "one slot counted"),
    # Softmax and cross-entropy
    Mutant(
        "eq-softmax",
        "exponentials / exponentials.sum(axis=0, keepdims=True)  #",
        "exponentials / exponentials.sum(axis=1, keepdims=True)  #",
        "normalises over the batch",
    ),
    Mutant(
        "eq-softmax-shift", "exponentials = np.exp(shifted)", "exponentials = np.exp(0.5 * shifted)", "scales as well"
    ),
    Mutant("eq-softmax-shift", "shifted = z - z.real.max", "shifted = z - 0 * z.real.max", "no shift: overflow"),
    Mutant("eq-softmax-cross-entropy", ".sum(axis=0)) + largest", ".sum(axis=0))", "the shift is not undone"),
    Mutant(
        "eq-initial-loss", "return log_sum - np.array", "return 1.1 * log_sum - np.array", "the normaliser is too large"
    ),
    Mutant(
        "eq-softmax-jacobian",
        "y_hat[i] * ((i == j) - y_hat[j])",
        "y_hat[i] * (i == j)",
        "the off-diagonal term is lost",
    ),
    Mutant("eq-softmax-jacobian", "((i == j) - y_hat[j])", "((i == j) + y_hat[j])", "a sign"),
    Mutant("eq-softmax-cross-entropy-gradient", "return y_hat - y  #", "return y - y_hat  #", "the sign"),
    Mutant(
        "eq-softmax-cross-entropy-gradient",
        "y = one_hot(targets)[:V]",
        "y = one_hot(targets - 1)[:V]",
        "another word is the target",
    ),
    Mutant(
        "eq-softmax-cross-entropy-gradient",
        "return y_hat - y  #",
        "return y_hat - (y == y.max(axis=0))  #",
        "a target that is no one-hot column counts as one",
    ),
    Mutant("eq-softmax-cross-entropy", "losses += np.log(total[", "losses -= np.log(total[", "a sign", module=LOSSES),
    Mutant(
        "eq-softmax-cross-entropy-gradient",
        "dz[right] -= 1  #",
        "dz[right] -= 0.9  #",
        "not one",
        module=LOSSES,
    ),
    Mutant(
        "eq-window-cost",
        "return (u * losses(z_y, targets)).sum()  # eq-window-cost",
        "return losses(z_y, targets).sum()  # eq-window-cost",
        "the weights are lost",
    ),
    Mutant(
        "eq-window-score-gradient",
        "scores_gradient(z_y, y) * u  #",
        "scores_gradient(z_y, y)  #",
        "the weights are lost",
    ),
    # The backward pass
    Mutant(
        "eq-window-output-weights",
        "dWy = dz_y @ a.T",
        "dWy = (dz_y / u) @ a.T",
        "the weights are lost",
    ),
    Mutant(
        "eq-window-output-bias", "dby = dz_y.sum(axis=1, keepdims=True)", "dby = dz_y[:, :1]", "the batch is not summed"
    ),
    Mutant(
        "eq-window-output-bias",
        "dby = dz_y.sum(axis=1, keepdims=True)",
        "dby = dz_y.mean(axis=1, keepdims=True)",
        "a mean instead of the sum",
    ),
    Mutant(
        "eq-window-direct-weights",
        "dWd = dz_y @ x.T",
        "dWd = dz_y @ x[::-1].T",
        "the rows of the window in the wrong order",
    ),
    Mutant(
        "eq-window-hidden-gradient", "dz_h = (1 - a * a) * da", "dz_h = (1 - a) * da", "the derivative of tanh is wrong"
    ),
    Mutant("eq-window-hidden-gradient", "dz_h = (1 - a * a) * da", "dz_h = da", "the derivative of tanh is forgotten"),
    Mutant("eq-window-hidden-weights", "dWh = dz_h @ x.T", "dWh = da @ x.T", "taken above the tanh"),
    Mutant(
        "eq-window-hidden-bias",
        "dbh = dz_h.sum(axis=1, keepdims=True)",
        "dbh = dz_h[:, -1:]",
        "the batch is not summed",
    ),
    Mutant(
        "eq-window-input-gradient",
        'dx = through_hidden + parameters["Wd"].T @ dz_y  #',
        "dx = through_hidden  #",
        "the direct arrow is forgotten",
    ),
    Mutant(
        "eq-window-embedding-gradient",
        "dE[:, contexts[j, i]] += by_slot[j][:, i]",
        "dE[:, contexts[j, i]] = by_slot[j][:, i]",
        "repeated words lose their gradient",
    ),
    Mutant(
        "eq-window-embedding-gradient",
        "dE[:, contexts[j, i]] += by_slot[j][:, i]",
        "dE[:, contexts[j, i]] += by_slot[0][:, i]",
        "every slot gets the gradient of the first",
    ),
    # Learning
    Mutant("eq-steepest-descent", "slope = -(norm_of_g**2)", "slope = norm_of_g**2", "uphill"),
    Mutant(
        "eq-window-update",
        "updated = {n: parameters[n] - alpha * g[n]",
        "updated = {n: parameters[n] + alpha * g[n]",
        "uphill",
    ),
    Mutant("eq-window-update", "gradient *= -current_rate", "gradient *= current_rate", "uphill", module=WINDOW),
    Mutant("eq-window-update", "dz_h *= 1 - a * a", "dz_h *= 1 - a", "the derivative of tanh is wrong", module=WINDOW),
    Mutant(
        "eq-window-update",
        "dE[:, ids[first]] = np.add.reduceat(columns[:, order], first, axis=1)",
        "dE[:, ids[first]] = columns[:, order][:, first]",
        "repeated words lose their gradient",
        module=WINDOW,
    ),
    Mutant("eq-minibatch-unbiased", "average += g_B / len(batches)", "average += g_B", "a sum"),
    Mutant("eq-minibatch-noise", "* (N - m) / (N - 1)  #", "#", "the tokens of a batch may repeat"),
    Mutant("eq-minibatch-noise", "* (N - m) / (N - 1)  #", "* (N - m) / N  #", "one token too many"),
    # Mixing, picture
    Mutant("eq-mixture", "np.log(1 - weight) + second", "np.log(weight) + second", "both have the weight of the first"),
    Mutant("eq-mixture-step", "np.log(weight) + first - mix(", "first - mix(", "the share without its weight"),
    Mutant(
        "eq-pca-variance",
        "(sigma**2 * (e @ u_j) ** 2)",
        "(sigma * (e @ u_j) ** 2)",
        "the spread, not its square",
    ),
]
