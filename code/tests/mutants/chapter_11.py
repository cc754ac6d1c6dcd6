"""Wrong versions of the derivations of chapter 11, deep recurrent networks."""

from mutants import Mutant

DEEP = "unrolled.deep"

MUTANTS = [
    # The stack, forward
    Mutant("eq-deep-state", '@ a[l - 1][t + 1] + p["ba"][l]', "@ a[l - 1][t + 1]", "the biases are forgotten"),
    Mutant("eq-deep-state", 'p["Waa"][l] @ a[l][t] + p', 'p["Waa"][l].T @ a[l][t] + p', "a transpose"),
    Mutant(
        "eq-deep-state",
        "h = h + run.outputs if self._adds(layer, h) else run.outputs",
        "h = run.outputs if level < 3 else run.outputs[::-1]",
        "the highest layer says its outputs backwards",
        module=DEEP,
    ),
    Mutant("eq-deep-output", 'p["Wya"] @ a[-1][t + 1] + p["by"]', 'p["Wya"] @ a[-1][t] + p["by"]', "the step before"),
    Mutant("eq-deep-output", 'p["Wya"] @ a[-1][t + 1] + p["by"]', 'p["Wya"] @ a[-1][t + 1]', "without its bias"),
    Mutant("eq-deep-output", "return e / e.sum(axis=0)", "return e / e.sum()", "one softmax over all sequences"),
    Mutant(
        "eq-deep-state",
        "read = read * kept",
        "read = read * 1.0",
        "drops nothing between the layers",
        module=DEEP,
    ),
    Mutant("eq-deep-rounds", "L_ + T_ - 1 for", "L_ + T_ for", "one round too many"),
    Mutant("eq-deep-rounds", "L_ + T_ - 1 for", "L_ * T_ for", "nothing at the same time"),
    Mutant("eq-deep-parameters", "n[l] * (n[l] + n[l - 1] + 1)", "n[l] * (n[l] + n[l - 1])", "without biases"),
    Mutant("eq-deep-parameters", "n[l] * (n[l] + n[l - 1] + 1)", "n[l] * (2 * n[l] + 1)", "all of one length"),
    # The stack, backward
    Mutant("eq-deep-backward", "da[l - 1][t + 1] += below", "da[l - 1][t + 1] += 0 * below", "nothing from above"),
    Mutant("eq-deep-backward", "da[l - 1][t + 1] += below", "da[l - 1][t] += below", "the step before"),
    Mutant(
        "eq-deep-backward",
        'da[l][t] += p["Waa"][l].T @ dz_a  # eq',
        'da[l][t] += p["Waa"][l] @ dz_a  # eq',
        "a transpose is missing",
    ),
    Mutant("eq-deep-gradients", "+= dz_a @ a[l][t].T  # eq", "+= dz_a @ a[l][t + 1].T  # eq", "the state after"),
    Mutant(
        "eq-deep-gradients",
        "dz_a = (1 - a[l][t + 1] ** 2) * da[l][t + 1]\n            grads",
        "dz_a = (1 - a[l][t] ** 2) * da[l][t + 1]\n            grads",
        "the slope of the step before",
    ),
    Mutant(
        "eq-deep-gradients",
        "gradients |= as_part(found, str(level))",
        "gradients |= as_part({k: v + (level < 2) * 1e-6 for k, v in found.items()}, str(level))",
        "the lowest layer's gradients a little off",
        module=DEEP,
    ),
    Mutant(
        "eq-deep-backward",
        "return LayerGradients(gradients, dh, np.concatenate(ds0[::-1]))",
        "return LayerGradients(gradients, dh, np.concatenate(ds0))",
        "initial states from the top down",
        module=DEEP,
    ),
    Mutant("eq-deep-both", "left[:0:-1]", "left[1:]", "the backward direction is not turned round"),
    Mutant("eq-deep-both", "h[T_x - 1 - t]", "h[t]", "both directions read forward"),
    # Columns
    Mutant("eq-column", "g(W[k] @ below[t] + b[k])", "g(W[k] @ below[t])", "the bias is forgotten"),
    Mutant("eq-column", "g(W[k] @ below[t] + b[k])", "g(W[k] @ below[t - 1] + b[k])", "reads the step before"),
    Mutant("eq-column-backward", "[W[k].T @ dz[t] for t", "[W[k].T @ dh[t] for t", "the slope is forgotten"),
    Mutant("eq-column-backward", "dz[t] @ h[k - 1][t].T for t", "dz[t] @ h[k - 1][0].T for t", "one step's input"),
    Mutant(
        "eq-column-backward",
        "dz = dh * ACTIVATIONS[self.activation].slope(run.h[k].reshape(T * m, -1))",
        "dz = dh * 1.0",
        "slopes are forgotten",
        module=DEEP,
    ),
    # Paths, remedies, dropout
    Mutant("eq-deep-paths", "paths * w**far", "w**far", "a single path"),
    Mutant("eq-deep-paths", "math.comb(d + L_ - 1, L_ - 1)", "math.comb(d + L_, L_)", "one storey too many"),
    Mutant("eq-residual", "if l == 1 else r + state[l - 1]", "if l < 3 else r + state[l - 1]", "one layer without"),
    Mutant("eq-residual", "if l == 1 else r + state[l - 1]", "if l == 1 else 2 * r + state[l - 1]", "counted twice"),
    Mutant(
        "eq-residual-backward",
        "handed_down[t] = dr[t] + into_layer",
        "handed_down[t] = into_layer",
        "the way past the layer is forgotten",
    ),
    Mutant(
        "eq-residual-backward",
        "dh = dh + d_read if d_read is not None and self._adds(layer, d_read) else d_read",
        "dh = d_read",
        "the way past the layer is forgotten",
        module=DEEP,
    ),
    Mutant(
        "eq-residual-backward",
        'd_read, of_norm = normalise_backward(d_read, own["gain"], run.normalised[level - 1])',
        '_, of_norm = normalise_backward(d_read, own["gain"], run.normalised[level - 1])',
        "goes past the normalisation",
        module=DEEP,
    ),
    Mutant(
        "eq-layer-norm",
        "u = (x - mu) / np.sqrt(v + epsilon)\n    return",
        "u = (x - mu) / (v + epsilon)\n    return",
        "no root",
    ),
    Mutant("eq-layer-norm", "v = ((x - mu) ** 2).mean(axis=0)", "v = (x**2).mean(axis=0)", "around zero"),
    Mutant("eq-layer-norm", "return gain * u + shift", "return gain * (u + shift)", "shifts before it stretches"),
    Mutant("eq-layer-norm-backward", "du.mean(axis=0) - along", "du.mean(axis=0)", "as if the variance did not move"),
    Mutant("eq-layer-norm-backward", "(du - du.mean(axis=0) - along)", "(du - along)", "as if the mean did not move"),
    Mutant("eq-layer-norm-backward", "du = gain * dy\n", "du = dy\n", "the gain is forgotten"),
    Mutant("eq-layer-norm-directions", "large / sigma2 *", "0 / sigma2 *", "exactly zero, epsilon or not"),
    Mutant("eq-deep-dropout", "stay ** (depth + 1 + far)", "stay ** (depth + 1)", "no distance"),
    Mutant("eq-deep-dropout", "[stay ** (depth + 1),", "[stay**depth,", "one arrow too few"),
]
