"""Typical wrong solutions of homework 4: each must lose points."""

from unrolled.homework.mutants import Mutant

MUTANTS = [
    Mutant(
        "ln f by way of f", "half-life", "-np.logaddexp(0.0, -np.asarray(b_f, dtype=float))", "np.log(sigmoid(b_f))"
    ),
    Mutant("1 - f by a subtraction", "half-life", "np.log(-np.expm1(ln_f))", "np.log(1 - np.exp(ln_f))"),
    Mutant(
        "the mean lifetime for the half-life", "half-life", "return -np.log(2) / ln_f", "return 1 / -np.expm1(ln_f)"
    ),
    Mutant("the gates before instead of those after", "half-life", "return product", "return product[::-1]"),
    Mutant(
        "a quotient of two products",
        "half-life",
        "return product",
        "return product[:1] / np.cumprod(np.vstack([np.ones_like(Gamma_f[:1]), Gamma_f]), axis=0)",
    ),
    Mutant("keeping taken for renewing", "two-conventions", "u, r = -1 / 2, 1 / 2", "u, r = 1 / 2, 1 / 2"),
    Mutant("sigmoid and tanh in the same units", "two-conventions", "u, r = -1 / 2, 1 / 2", "u, r = -1, 1"),
    Mutant(
        "the second bias forgotten",
        "two-conventions",
        'np.concatenate([nothing, nothing, p["bca"]])',
        "np.concatenate([nothing] * 3)",
    ),
    Mutant(
        "the order of the book",
        "two-conventions",
        '[r * p["br"], u * p["bu"], p["bc"]]',
        '[u * p["bu"], r * p["br"], p["bc"]]',
    ),
    Mutant(
        "the first row of biases only", "two-conventions", "times * b.sum(axis=0)[:, None]", "times * b[0][:, None]"
    ),
    Mutant("not transposed on the way back", "two-conventions", "times * R.T", "times * R"),
    Mutant("two decisions", "step", "(1 - Gamma_f) * c_tilde", "Gamma_o * c_tilde"),
    Mutant("a view of the old cell", "step", "np.tanh(c_next))", "np.tanh(c))"),
    Mutant("no tanh before the window", "step", "Gamma_o * np.tanh(c_next)", "Gamma_o * c_next"),
    Mutant("the cell on top", "step", "np.concatenate([a_next, c_next])", "np.concatenate([c_next, a_next])"),
    Mutant("the second reader of the cell forgotten", "step-back", "dc = dc_outside + ", "dc = "),
    Mutant("the forget gate's second place forgotten", "step-back", "(c - c_tilde) * dc", "c * dc"),
    Mutant("the new cell for the old one", "step-back", "(c - c_tilde) * dc", '(kept["s"][n_a:] - c_tilde) * dc'),
    Mutant("the slope of a slope", "step-back", "(1 - c_tilde**2)", "(1 - np.tanh(c_tilde) ** 2)"),
    Mutant(
        "the slope of the output gate forgotten", "step-back", "Gamma_o * (1 - Gamma_o) * tanh_c * dh", "tanh_c * dh"
    ),
    Mutant(
        "the output gate does not hear the old a",
        "step-back",
        'p["Wfa"].T @ dz_f + p["Woa"].T @ dz_o',
        'p["Wfa"].T @ dz_f',
    ),
    Mutant("the window's weights at the cell itself", "step-back", "da @ (Gamma_o * tanh_c).T", "da @ tanh_c.T"),
    Mutant("no price", "through-time", "price * s[t + 1][n_a:]", "0 * s[t + 1][n_a:]"),
    Mutant("the price at the old cell", "through-time", "price * s[t + 1][n_a:]", "price * s[t][n_a:]"),
    Mutant(
        "a price on the initial state",
        "through-time",
        'return d | {"s_0": ds}',
        'return d | {"s_0": ds + np.concatenate([0 * s_0[:n_a], price * s_0[n_a:]])}',
    ),
    Mutant("no direct term", "through-time", "ds + direct)", "ds + direct * (t == T - 1))"),
    Mutant(
        "the cell's path cut between steps",
        "through-time",
        'd["x"][t], ds = back["dx"], back["ds"]',
        'd["x"][t], ds = back["dx"], np.concatenate([back["ds"][:n_a], 0 * s_0[n_a:]])',
    ),
    Mutant("the state after the step", "through-time", "dz @ s[t][:n_a].T", "dz @ s[t + 1][:n_a].T"),
    Mutant("only the first step's weights", "through-time", 'd["Wah"] += back["dWah"]', 'd["Wah"] = back["dWah"]'),
    Mutant("the padding first", "reverse", "return np.take_along_axis(x, source[:, None], axis=0)", "return x[::-1]"),
    Mutant("the input back", "reverse", "return np.take_along_axis(x, source[:, None], axis=0)", "return x"),
    Mutant(
        "the padding turned to zero",
        "reverse",
        "return np.take_along_axis(x, source[:, None], axis=0)",
        "return np.take_along_axis(x, source[:, None], axis=0) * (t < lengths)[:, None]",
    ),
    Mutant("the last row of the array", "reverse", "right[np.maximum(lengths, 1) - 1, :, columns].T", "right[-1]"),
    Mutant("an index of minus one", "reverse", "* (lengths > 0)", "* 1"),
    Mutant("both ends on the right", "reverse", "np.concatenate([last, left[0]])", "np.concatenate([last, left[-1]])"),
    Mutant("the states not turned back", "both-directions", "reverse(read_from_the_end, lengths)", "read_from_the_end"),
    Mutant(
        "the direction to the left begins with the padding",
        "both-directions",
        'layer(direction(p, "left"), reverse(x, lengths))',
        'reverse(layer(direction(p, "left"), x[::-1])[::-1], lengths)',
    ),
    Mutant(
        "both directions with the same share",
        "both-directions",
        "mu * right + (1 - mu) * left",
        "mu * right + mu * left",
    ),
    Mutant(
        "scores in the padding",
        "both-directions",
        'np.where(real, p["Wy"] @ merged + p["by"], 0.0)',
        'p["Wy"] @ merged + p["by"]',
    ),
    Mutant("losses in the padding", "both-back", "dz_y = np.where(real, dz_y, 0.0)", "pass"),
    Mutant(
        "both directions hear everything",
        "both-back",
        "reverse((1 - mu) * d_merged, lengths)",
        "reverse(d_merged, lengths)",
    ),
    Mutant(
        "what arrives at the left is not turned round",
        "both-back",
        "reverse((1 - mu) * d_merged, lengths)",
        "(1 - mu) * d_merged",
    ),
    Mutant("the share hears one direction", "both-back", "(d_merged * (right - left))", "(d_merged * right)"),
    Mutant("the slope of the share forgotten", "both-back", '"v": mu * (1 - mu) * d_mu', '"v": d_mu'),
    Mutant("the input hears one direction", "both-back", "dx_right + reverse(dx_left, lengths)", "dx_right"),
    Mutant(
        "the left one's input not turned back",
        "both-back",
        "dx_right + reverse(dx_left, lengths)",
        "dx_right + dx_left",
    ),
    Mutant("a norm that does not move", "stack", "du - u * (du * u).mean(axis=1, keepdims=True)", "du"),
    Mutant(
        "a norm with a mean",
        "stack",
        "du - u * (du * u).mean(axis=1, keepdims=True)",
        "du - du.mean(axis=1, keepdims=True) - u * (du * u).mean(axis=1, keepdims=True)",
    ),
    Mutant("gamma times x", "stack", "(dy * u).sum(axis=(0, 2))", "(dy * x).sum(axis=(0, 2))"),
    Mutant("the addition forgotten on the way back", "stack", 'dr = dr + norm["dx"]', 'dr = norm["dx"]'),
    Mutant("the norm forgotten on the way back", "stack", 'dr = dr + norm["dx"]', "dr = dr + dy"),
    Mutant("the highest layer first", "stack", "gradients[::-1]", "gradients"),
]
