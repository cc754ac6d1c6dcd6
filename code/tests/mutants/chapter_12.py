"""Wrong versions of the derivations of chapter 12, sequence to sequence."""

from mutants import Mutant

NETWORK = "unrolled.sequence_to_sequence"

MUTANTS = [
    # Two networks, one probability
    Mutant(
        "eq-translation-probability",
        "right = [*target, END]\n    return sum(surprisal",
        "right = [*target]\n    scores = scores[:-1]\n    return sum(surprisal",
        "leaves the end out",
    ),
    Mutant(
        "eq-translation-probability",
        "for w in [START, *said]:",
        "for w in [*said, START]:",
        "reads the symbol that it should predict",
    ),
    Mutant(
        "eq-translation-probability",
        "np.log(np.exp(z).sum(axis=0)) - z[y, range(len(y))]",
        "np.log(np.exp(z).max(axis=0)) - z[y, range(len(y))]",
        "normalises by the largest",
    ),
    Mutant(
        "eq-bridge",
        'np.tanh(parameters["Wss"] @ ends + parameters["bs"])',
        'np.tanh(parameters["Wss"] @ ends)',
        "forgets the bias",
    ),
    Mutant(
        "eq-bridge",
        'starts = np.tanh(parameters["Wss"] @ ends + parameters["bs"])',
        'starts = parameters["Wss"] @ ends + parameters["bs"]',
        "forgets the tanh",
    ),
    Mutant(
        "eq-teacher-forcing",
        "J = J + (u[t] * surprisal(z_y, y[t])).sum()  #",
        "J = J + surprisal(z_y, y[t]).sum()  #",
        "lets the padding cost something",
    ),
    Mutant(
        "eq-teacher-forcing",
        "a = s_x[t] * proposed + (1 - s_x[t]) * a\n    g, a, J",
        "a = proposed\n    g, a, J",
        "reads the padding of the source",
    ),
    Mutant(
        "eq-teacher-forcing",
        "fed = np.vstack([np.full(len(targets), START), y[:-1]])",
        "fed = y",
        "feeds the answer",
    ),
    Mutant(
        "eq-teacher-forcing",
        'np.tanh(parameters["Wss"] @ encoded.s_last + parameters["bs"])  # eq-bridge',
        'np.tanh(parameters["Wss"] @ encoded.s_last - parameters["bs"])  # eq-bridge',
        "has a sign wrong in the bridge",
        module=NETWORK,
    ),
    Mutant(
        "eq-bridge-gradient",
        "dz_s = (1 - a_0**2) * of_decoder.ds0  #",
        "dz_s = of_decoder.ds0  #",
        "forgets the slope of tanh",
    ),
    Mutant(
        "eq-bridge-gradient",
        'found["Wss"] = dz_s @ reading.s_last.T\n    found["bs"]',
        'found["Wss"] = dz_s @ reading.outputs[0].T\n    found["bs"]',
        "takes the first state of the encoder for its last",
    ),
    Mutant(
        "eq-bridge-gradient",
        "reading, silent, ds_last=through)\n    found |=",
        "reading, silent)\n    found |=",
        "cuts the way to the encoder",
    ),
    # Search
    Mutant("eq-beam", "sorted(longer, key=lambda c: -c[0])[:k]  #", "sorted(longer)[:k]  #", "keeps the worst"),
    Mutant(
        "eq-beam",
        "sorted(longer, key=lambda c: -c[0])[:k]  #",
        "sorted(longer, key=lambda c: -c[0])[: k + 1]  #",
        "keeps one too many",
    ),
    Mutant(
        "eq-beam",
        "longer.append((value + log_P, (*prefix, w)))",
        "longer.append((log_P, (*prefix, w)))",
        "forgets what a prefix has cost",
    ),
    Mutant("eq-search-bound", "return value / L**alpha  #", "return value / 2**alpha  #", "promises too little"),
    Mutant("eq-search-bound", "return value / L**alpha  #", "return value * L**alpha  #", "multiplies by the length"),
    # BLEU
    Mutant("eq-clipped-matches", "min(c, wanted[g]) for g", "c * (wanted[g] > 0) for g", "does not clip"),
    Mutant(
        "eq-clipped-matches", "N[n - 1] += sum(said.values())", "N[n - 1] += len(said)", "counts different runs only"
    ),
    Mutant(
        "eq-brevity-penalty",
        "np.exp(1 - length_r / length)  #",
        "np.exp(1 - length / length_r)  #",
        "turns the ratio around",
    ),
    Mutant("eq-bleu", "penalty * np.prod(M / N) ** (1 / 4)  #", "penalty * (M / N).mean()  #", "takes another mean"),
    Mutant("eq-bleu", "penalty * np.prod(M / N) ** (1 / 4)  #", "np.prod(M / N) ** (1 / 4)  #", "drops the penalty"),
    # Attention
    Mutant(
        "eq-attention-energy",
        '@ s + p["Wph"] @ h_k + p["bp"] for h_k in h]',
        '@ s + p["Wph"] @ h_k for h_k in h]',
        "forgets the bias",
    ),
    Mutant(
        "eq-attention-energy",
        "layer = [np.tanh(z + d) for z, d in",
        "layer = [z + d for z, d in",
        "forgets the tanh",
    ),
    Mutant(
        "eq-attention-energy",
        "looks.append(look_at(p, s[t], h, at_t))",
        "looks.append(look_at(p, s[0], h, at_t))",
        "asks with the first state at every step",
    ),
    Mutant(
        "eq-attention-weights",
        "alpha = np.exp(e) / np.exp(e).sum()  # eq-attention-weights",
        "alpha = np.exp(e) / np.exp(e).max()  # eq-attention-weights",
        "normalises by the largest",
    ),
    Mutant(
        "eq-attention-weights",
        "where=mask, out=np.zeros_like(e))",
        "where=mask | True, out=np.zeros_like(e))",
        "looks at the padding",
        module=NETWORK,
    ),
    Mutant(
        "eq-attention-context",
        "v = sum(alpha_k * h_k for alpha_k, h_k in",
        "v = sum(h_k / len(h) for _, h_k in",
        "looks at all alike",
    ),
    Mutant(
        "eq-attention-weights-gradient",
        "(h_k.T @ dv)[0, 0] for h_k in h]  #",
        "(h_k.T @ v)[0, 0] for h_k in h]  #",
        "takes the view for its gradient",
    ),
    Mutant(
        "eq-attention-energy-gradient",
        "de = alpha * (d_alpha - mean)  # eq-attention-energy-gradient",
        "de = alpha * d_alpha  # eq-attention-energy-gradient",
        "drops the mean",
    ),
    Mutant(
        "eq-attention-energy-gradient",
        "de = alpha * (d_alpha - mean)  # eq-attention-energy-gradient",
        "de = alpha * (1 - alpha) * d_alpha  # eq-attention-energy-gradient",
        "keeps the diagonal of the Jacobian alone",
    ),
    Mutant(
        "eq-attention-layer-gradient",
        'dz_p = slope * p["Wep"].T * de[k]  #',
        'dz_p = p["Wep"].T * de[k]  #',
        "forgets the slope of tanh",
    ),
    Mutant(
        "eq-attention-outputs-gradient",
        "dh_k = alpha[k] * dv + in_energy  #",
        "dh_k = alpha[k] * dv  #",
        "drops the way through the energies",
    ),
    Mutant(
        "eq-attention-outputs-gradient",
        "dh_k = alpha[k] * dv + in_energy  #",
        "dh_k = in_energy  #",
        "drops the way through the view",
    ),
    Mutant(
        "eq-attention-outputs-gradient",
        'between["h"][k] += dh_k',
        'between["h"][k] = dh_k',
        "keeps the first step alone",
    ),
    Mutant(
        "eq-attention-recursion",
        'between["s"][t] += p["Wps"].T @ dz_p  #',
        'between["s"][t] += 0 * p["Wps"].T @ dz_p  #',
        "drops the way through attention",
    ),
    Mutant(
        "eq-attention-recursion",
        'between["s"][t + 1] += p["Wya"].T @ dz_y  #',
        'between["s"][t + 1] = p["Wya"].T @ dz_y  #',
        "keeps the output's part alone",
    ),
    Mutant(
        "eq-attention-recursion",
        'ds = back.ds0 + parameters["Wps"].T @ d_query  #',
        "ds = back.ds0  #",
        "drops the way through attention",
        module=NETWORK,
    ),
    # The door
    Mutant(
        "eq-dot-attention",
        "H @ (np.exp(energy) / np.exp(energy).sum(axis=0))  #",
        "H @ (np.exp(energy) / np.exp(energy).sum(axis=1, keepdims=True))  #",
        "normalises along the wrong axis",
    ),
    Mutant("eq-dot-attention", "energy = K.T @ Q / np.sqrt(d)  #", "energy = K.T @ Q  #", "does not divide"),
    Mutant(
        "eq-dot-variance",
        "(products**2).mean() - products.mean() ** 2  #",
        "np.abs(products).mean()  #",
        "takes the mean size for the variance",
    ),
]
