"""Wrong versions of the derivations of chapter 6, vanishing and exploding gradients, and clipping."""

from mutants import Mutant

GRADIENTS = "unrolled.gradients"

MUTANTS = [
    # A product of Jacobians
    Mutant(
        "eq-jacobian-product",
        "product = (slopes[s] * Waa) @ product  #",
        "product = product @ (slopes[s] * Waa)  #",
        "has the latest factor on the right",
    ),
    Mutant(
        "eq-jacobian-product",
        "product = (slopes[s] * Waa) @ product  #",
        "product = (slopes[s].T * Waa) @ product  #",
        "scales the columns of Waa instead of its rows",
    ),
    Mutant(
        "eq-jacobian-product",
        "    for s in range(k + 1, t + 1):\n        product = (slopes[s] * Waa) @ product",
        "    for s in range(k, t):\n        product = (slopes[s] * Waa) @ product",
        "takes the slopes one step too early",
    ),
    Mutant(
        "eq-gradient-by-distance",
        "da[k] += through.T @ direct[t]",
        "da[k] += through @ direct[t]",
        "is not transposed",
    ),
    Mutant(
        "eq-gradient-by-distance",
        "    for t in range(k, T_x + 1):",
        "    for t in range(k + 1, T_x + 1):",
        "leaves out the direct term",
    ),
    Mutant("eq-gradient-terms", "@ a[k - 1].T  #", "@ a[k].T  #", "takes the state after the step"),
    Mutant(
        "eq-gradient-terms",
        "dz_a = slopes[k] * (through.T @ direct[k + d])",
        "dz_a = through.T @ direct[k + d]",
        "forgets the slopes of the step itself",
    ),
    # The bounds
    Mutant(
        "eq-jacobian-bound",
        "sigma = np.linalg.svd(W, compute_uv=False)  #",
        "sigma = np.full(n_a, spectral_radius(W))  #",
        "takes the spectral radius for the largest singular value",
    ),
    Mutant(
        "eq-jacobian-bound",
        "slopes.max(axis=(1, 2)) * sigma[0]",
        "slopes.mean(axis=(1, 2)) * sigma[0]",
        "takes the mean slope for the largest",
    ),
    Mutant(
        "eq-jacobian-bound",
        "(slopes.max(axis=(1, 2)) * sigma[0]).prod()",
        "(slopes.max() * sigma[0]) ** len(slopes)",
        "takes the largest slope of all steps at each",
    ),
    Mutant(
        "eq-jacobian-bound",
        "gamma, sigma = 1.0, ",
        "gamma, sigma = 0.5, ",
        "bounds the slopes of tanh by a half",
    ),
    Mutant(
        "eq-jacobian-bound",
        "phi = (1 + np.sqrt(5)) / 2",
        "phi = (1 + np.sqrt(3)) / 2",
        "gives the wrong root by hand",
    ),
    Mutant(
        "eq-jacobian-lower-bound",
        "1 / (2 * phi) ** 2",
        "1 / phi**2",
        "forgets the smallest slopes by hand",
    ),
    Mutant(
        "eq-jacobian-lower-bound",
        "slopes.min(axis=(1, 2)) * sigma[-1]",
        "slopes.mean(axis=(1, 2)) * sigma[-1]",
        "takes the mean slope for the smallest",
    ),
    Mutant(
        "eq-jacobian-lower-bound",
        "slopes.min(axis=(1, 2)) * sigma[-1]",
        "slopes.min(axis=(1, 2)) * sigma[0]",
        "sigma_1",
    ),
    # Powers
    Mutant("eq-nonnormal-powers", "upper = n * c * rho ** (n - 1)", "upper = c * rho ** (n - 1)", "has no factor n"),
    Mutant("eq-nonnormal-powers", "upper = n * c * rho ** (n - 1)", "upper = n * c * rho**n", "has one power too many"),
    Mutant(
        "eq-gelfand",
        "return np.exp((log + np.log(np.linalg.norm(W, 2))) / 2**squarings)",
        "return np.exp((log + np.log(np.linalg.norm(W, 2))) / (2 * squarings))",
        "takes the wrong root",
    ),
    Mutant("eq-gelfand", "2 * (log + np.log(size))", "2 * log + np.log(size)", "squares the matrix but not its size"),
    Mutant(
        "eq-saturated-powers",
        "[[1.5**n, -(1.5 ** (n - 1))], [0.0, 0.0]]",
        "[[1.5**n, -(1.5**n)], [0.0, 0.0]]",
        "counts one factor too many in the second column",
    ),
    Mutant(
        "eq-saturated-powers",
        '"ba": np.array([[1.0], [40.0]])',
        '"ba": np.array([[1.0], [4.0]])',
        "does not saturate the second unit",
    ),
    # relu
    Mutant(
        "eq-relu-active",
        "product[A] = inner @ Waa[A]",
        "product[np.ix_(A, A)] = inner @ Waa[np.ix_(A, A)]",
        "forgets that inactive units are read once",
    ),
    Mutant(
        "eq-relu-active",
        "inner = np.linalg.matrix_power(Waa[np.ix_(A, A)], n - 1)",
        "inner = np.linalg.matrix_power(Waa[np.ix_(A, A)], n)",
        "has one power too many",
    ),
    Mutant(
        "eq-relu-active",
        "torch_relu(W_relu, 1000 * push + inputs, a_0)",
        "torch_relu(W_relu, -1000 * push + inputs, a_0)",
        "holds for inputs that activate other units",
    ),
    # Slopes and the cliff
    Mutant(
        "eq-log-slope",
        "distances * np.log(rho) + np.log(norms_back[0, 0])",
        "distances * np.log(rho**2) + np.log(norms_back[0, 0])",
        "counts the radius twice per step",
    ),
    Mutant(
        "eq-log-slope",
        'da = network["Waa"].T @ (slope * da)',
        'da = da + network["Waa"].T @ (slope * da)',
        "collects what it should pass on",
    ),
    Mutant("eq-cliff-gradient", "dw += product * slope * a[k - 1]", "dw += product * slope * a[k]", "the later state"),
    Mutant("eq-cliff-gradient", "product *= theta[0] * slope", "product *= theta[0]", "forgets the slopes on the way"),
    Mutant("eq-cliff-wall", "np.arctanh(1 / 2) - w / 2", "np.arctanh(1 / 2) - w", "starts from one, not from a half"),
    Mutant("eq-cliff-wall", "(q**T - 1) / (q - 1)  #", "q**T / (q - 1)  #", "has one term too many"),
    Mutant("eq-cliff-wall", "    q = 3 / 4 * w\n", "    q = w / 2\n", "has the wrong slope at the resting point"),
    # Clipping
    Mutant("eq-global-norm", "total += entry**2", "total += abs(entry)", "adds absolute values"),
    Mutant("eq-global-norm", "return np.sqrt(total)  #", "return total  #", "takes no root"),
    Mutant(
        "eq-clip",
        "scale = grad_clip / norm if norm > grad_clip else 1.0",
        "scale = grad_clip / norm",
        "forgets the condition",
    ),
    Mutant(
        "eq-clip",
        "scale = grad_clip / norm if norm > grad_clip else 1.0",
        "scale = norm / grad_clip if norm > grad_clip else 1.0",
        "turns the quotient over",
    ),
    Mutant(
        "eq-clip",
        "    return {name: scale * array for name, array in g.items()}  #",
        "    return {n: min(1, grad_clip / np.linalg.norm(v)) * v for n, v in g.items()}  #",
        "clips each array by itself",
    ),
    Mutant(
        "eq-clip",
        "    return {name: scale * array for name, array in g.items()}  #",
        "    return {n: np.minimum(np.maximum(v, -grad_clip), grad_clip) for n, v in g.items()}  #",
        "clips each element by itself",
    ),
    Mutant(
        "eq-clip",
        "scale = grad_clip / norm if norm > grad_clip else 1.0",
        "scale = min(1.0, np.sqrt(grad_clip / norm))",
        "takes a root, so that clipping twice clips more",
    ),
    Mutant(
        "eq-clip",
        "twice = slow_clip(slow_clip(g, 0.5), 0.5)",
        "twice = slow_clip(slow_clip(g, 0.5), 0.4)",
        "goes on shortening",
    ),
    Mutant(
        "eq-clipped-norm",
        "shorter = np.minimum(torch_norm(g), tried)",
        "shorter = tried",
        "has the length of the threshold always",
    ),
    Mutant(
        "eq-clipped-norm",
        "scale = grad_clip / norm if norm > grad_clip else 1.0",
        "scale = grad_clip / norm if norm > 2 * grad_clip else 1.0",
        "clips too late",
    ),
    Mutant(
        "eq-clip-nearest",
        'clipped = slow_clip(pair, 1.0)["both"]',
        'clipped = slow_clip(pair, 0.9)["both"]',
        "goes farther than to the ball",
    ),
    Mutant(
        "eq-clip-nearest",
        "expected = [length - 1, 0.0]",
        "expected = [length - 1, -length]",
        "counts the way out to the ball from inside",
    ),
    Mutant("eq-clip", "if norm <= grad_clip:", "if norm <= 0:", "forgets the condition", module=GRADIENTS),
    Mutant(
        "eq-global-norm",
        "squares = sum(float(np.vdot(g, g)) for g in arrays.values())  #",
        "squares = max(float(np.vdot(g, g)) for g in arrays.values())  #",
        "takes the longest array for the whole",
        module=GRADIENTS,
    ),
    # Floors, leaky units
    Mutant(
        "eq-copying-floor",
        "return 10 * np.log(8) / (T + 20)  #",
        "return 10 * np.log(8) / (T + 10)  #",
        "counts ten steps too few",
    ),
    Mutant("eq-copying-floor", "return 10 * np.log(8) /", "return 10 * np.log(10) /", "counts blank and marker"),
    Mutant("eq-adding-floor", "1 / 12 + 1 / 12 + (1 - c) ** 2  #", "1 / 12 + (1 - c) ** 2  #", "one number only"),
    Mutant("eq-adding-floor", "(1 - c) ** 2  #", "(0.5 - c) ** 2  #", "takes the mean of one number"),
    Mutant(
        "eq-leaky-jacobian",
        "(1 - kappa) * np.eye(n_a) + kappa * through_tanh  #",
        "kappa * np.eye(n_a) + kappa * through_tanh  #",
        "keeps what it should forget",
    ),
    Mutant(
        "eq-leaky-jacobian",
        "through_tanh = (1 - inside**2) * Waa",
        "through_tanh = (1 - a[5] ** 2) * Waa",
        "takes the slope of the step before",
    ),
]
