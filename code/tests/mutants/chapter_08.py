"""Wrong versions of the derivations of chapter 8, the sequence types."""

from mutants import Mutant

RECURRENCE = "unrolled.recurrence"
LOSSES = "unrolled.losses"

MUTANTS = [
    # One cost for all arrangements
    Mutant("eq-sequence-cost", "J = J + u[t] * each[t]  #", "J = J + each[t]  #", "the weights are lost"),
    Mutant("eq-sequence-cost", "J = J + u[t] * each[t]  #", "J = u[t] * each[t]  #", "only the last loss is kept"),
    Mutant(
        "eq-sequence-score-gradient",
        "dz_y = u * (y_hat - one_hot(right, V))  #",
        "dz_y = y_hat - one_hot(right, V)  #",
        "the weights are lost",
    ),
    Mutant(
        "eq-sequence-score-gradient",
        "dz_y = u * (y_hat - one_hot(right, V))  #",
        "dz_y = u * y_hat - one_hot(right, V)  #",
        "weighs the prediction and not the truth",
    ),
    # Padding and masks
    Mutant(
        "eq-mask-state",
        "a.append(s[t] * proposed + (1 - s[t]) * a[t])  #",
        "a.append(proposed)  #",
        "reads the padding",
    ),
    Mutant(
        "eq-mask-state",
        "a.append(s[t] * proposed + (1 - s[t]) * a[t])  #",
        "a.append(s[t] * proposed)  #",
        "forgets the state in the padding",
    ),
    Mutant(
        "eq-mask-preactivation",
        "dz_a = s[t] * (1 - a[t + 1] ** 2) * da[t + 1]  # eq-mask-preactivation",
        "dz_a = (1 - a[t + 1] ** 2) * da[t + 1]  # eq-mask-preactivation",
        "sends gradients through the padding",
    ),
    Mutant(
        "eq-mask-preactivation",
        "dz_a = s[t] * (1 - a[t + 1] ** 2) * da[t + 1]  # eq-mask-preactivation",
        "dz_a = s[t] * (1 - a[t + 1]) * da[t + 1]  # eq-mask-preactivation",
        "has a wrong derivative of tanh",
    ),
    Mutant(
        "eq-mask-recursion",
        "da[t] = through + past  #",
        "da[t] = through  #",
        "drops the gradient of a carried state",
    ),
    Mutant(
        "eq-mask-recursion",
        'da[t + 1] += p["Wya"].T @ dz_y[t]',
        'da[t + 1] = p["Wya"].T @ dz_y[t]',
        "keeps the direct term alone",
    ),
    Mutant(
        "eq-mask-recursion",
        'through, past = p["Waa"].T @ dz_a',
        'through, past = p["Waa"] @ dz_a',
        "forgets a transpose",
    ),
    Mutant(
        "eq-mask-invariance",
        "J = J + (u[t] * surprisal",
        "J = J + (surprisal",
        "lets the padding cost something",
    ),
    Mutant(
        "eq-sequence-cost",
        "losses[~mask] = 0",
        "losses[mask] = losses[mask]",
        "lets the padding cost something",
        module=LOSSES,
    ),
    Mutant("eq-mask-mean", "(u * each).sum() / u.sum()  #", "(u * each).mean()  #", "divides by T m"),
    # One to one
    Mutant(
        "eq-one-to-one",
        'np.tanh(p["Wax"][:, ids] + p["ba"])\n',
        'np.tanh(p["Wax"][:, ids])\n',
        "forgets the bias",
    ),
    Mutant(
        "eq-one-to-one-recurrent-gradient",
        "return dz_a @ a0.T,",
        "return dz_a @ a1.T,",
        "takes the state that was written for the one that was read",
    ),
    Mutant(
        "eq-one-to-one-recurrent-gradient",
        'p["Waa"].T @ dz_a  # eq-one-to-one-recurrent-gradient',
        '0 * p["Waa"].T @ dz_a  # eq-one-to-one-recurrent-gradient',
        "says that the initial state has no gradient either",
    ),
    Mutant(
        "eq-one-to-one-counts",
        "softmax(Z) * C.sum(axis=0) - C  #",
        "softmax(Z) - C  #",
        "counts the prediction once only",
    ),
    Mutant(
        "eq-one-to-one-counts",
        "(C.sum(axis=0) * log_sum).sum()",
        "log_sum.sum()",
        "counts every word once only",
    ),
    # One to many
    Mutant("eq-one-to-many", "fed = y  # what came out", "fed = label  # what came out", "never feeds an output back"),
    Mutant(
        "eq-one-to-many-label-gradient",
        "dz_1[:, its_own].sum(axis=1)",
        "dz_1[:, its_own].mean(axis=1)",
        "averages over the melodies of a label",
    ),
    Mutant(
        "eq-one-to-many-label-gradient",
        "dz_1 = (1 - a[1] ** 2) * da[1]",
        "dz_1 = da[1]",
        "takes the gradient above the tanh",
    ),
    # Many to one
    Mutant(
        "eq-many-to-one-gradient",
        'product @ critic["Waa"].T @ np.diagflat(1 - a[k] ** 2)',
        'critic["Waa"].T @ np.diagflat(1 - a[k] ** 2) @ product',
        "multiplies in the wrong order",
    ),
    Mutant(
        "eq-many-to-one-gradient",
        'product @ critic["Waa"].T @ np.diagflat(1 - a[k] ** 2)',
        'product @ np.diagflat(1 - a[k] ** 2) @ critic["Waa"].T',
        "applies the matrix before the slope",
    ),
    Mutant("eq-bag-of-words", "dw = N @ error + penalty * w  #", "dw = N @ error  #", "forgets the penalty"),
    Mutant(
        "eq-bag-of-words",
        "dw = N @ error + penalty * w  #",
        "dw = N @ error + 2 * penalty * w  #",
        "doubles the penalty",
    ),
    # Many to many, equal lengths
    Mutant(
        "eq-many-to-many",
        "dz.append((real[t] * (sigmoid(z) - right[t]))[None])",
        "dz.append((real[t] * (right[t] - sigmoid(z)))[None])",
        "has the sign wrong",
    ),
    Mutant(
        "eq-many-to-many",
        "J = J + (real[t] * (np.log(1 + np.exp(z)) - right[t] * z)).sum()",
        "J = J + (np.log(1 + np.exp(z)) - right[t] * z).sum()",
        "lets the padding cost something",
    ),
    Mutant(
        "eq-causal",
        "read = columns[t]  #",
        "read = columns[t] + columns[min(t + 1, len(columns) - 1)]  #",
        "reads the next word as well",
    ),
    Mutant("eq-span-f1", "2 * TP / (2 * TP + FP + FN)  #", "TP / (TP + FP + FN)  #", "is the Jaccard index"),
    Mutant("eq-span-f1", "FN += len(runs[1] - runs[0])", "FN += len(runs[1])", "counts found spans as missed"),
    # Many to many, different lengths
    Mutant(
        "eq-seam",
        "masked_states(decoder, fed, s_y, a0=a_enc[-1])",
        "masked_states(decoder, fed, s_y)",
        "starts the decoder from zero",
    ),
    Mutant("eq-seam-gradient", "da = da_dec[0]  #", "da = 0 * da_dec[0]  #", "cuts the seam"),
    Mutant("eq-seam-gradient", "da = da_dec[0]  #", "da = da_dec[1]  #", "takes the gradient one step too late"),
    Mutant(
        "eq-seam-gradient",
        'da = encoder["Waa"].T @ dz_a + (1 - s_x[t]) * da',
        'da = encoder["Waa"].T @ dz_a',
        "loses the gradient in the padding of the encoder",
    ),
    # The package
    Mutant(
        "eq-mask-recursion",
        "dz[t, carried] = 0",
        "dz[t, carried] *= 1",
        "sends gradients through the padding",
        module=RECURRENCE,
    ),
]
