"""Gated units: the GRU in two forms, and the LSTM.

A gate is a sigmoid of the same two things that the simple unit looks at, the state before and the input:

    Gamma_k = sigmoid(Wka a^<t-1> + Wkx x^<t> + bk)                     (n_a, m)    eq-gate

**GRU**, as Ng (2018) writes it, and Cho et al. (2014): update and relevance gates; `gru`.

    c~      = tanh(Wca (Gamma_r * a^<t-1>) + Wcx x^<t> + bc)            (n_a, m)    eq-gru-candidate
    a^<t>   = Gamma_u * c~ + (1 - Gamma_u) * a^<t-1>                    (n_a, m)    eq-gru-state

**GRU, reset after**, as CS224n and PyTorch have it: the relevance gate acts behind the product, and on a bias of its
own; `gru-reset-after`. It is another function, and there is little hope that one could imitate the other (chapter 9).

    c~      = tanh(Gamma_r * (Wca a^<t-1> + bca) + Wcx x^<t> + bc)      (n_a, m)    eq-gru-reset-after

**LSTM** (Hochreiter & Schmidhuber 1997; with forget gates Gers, Schmidhuber & Cummins 2000): forget, update and output
gates, and a second part of the state, the cell c; `lstm`.

    c~      = tanh(Wca a^<t-1> + Wcx x^<t> + bc)                        (n_a, m)    eq-lstm-candidate
    c^<t>   = Gamma_u * c~ + Gamma_f * c^<t-1>                          (n_a, m)    eq-lstm-cell
    a^<t>   = Gamma_o * tanh(c^<t>)                                     (n_a, m)    eq-lstm-state

The package stacks what the gates share: Waa holds Wua, Wra and Wca (GRU) or Wfa, Wua, Woa and Wca (LSTM) one below the
other, Wax and ba likewise. `join` and `separate` lead from one form to the other.
"""

from collections.abc import Callable

import numpy as np

from unrolled.buffers import empty
from unrolled.columns import Parameters, choice, product, product_of_steps, sum_of_rows
from unrolled.units import Pass, Unit

# What the gates have in common


def _transposes(W: np.ndarray, gates: int, halved: int) -> np.ndarray:
    """Each gate's block of W transposed, (gates, n_a, n_a); the first `halved`, which lead to sigmoids, times 1/2."""
    WT = W.reshape(gates, -1, W.shape[1]).swapaxes(1, 2).copy()
    WT[:halved] *= 0.5
    return WT


def _to_sigmoid(tanh_of_half: np.ndarray) -> None:
    """tanh(z / 2) becomes sigmoid(z), in place."""
    tanh_of_half += 1
    tanh_of_half *= 0.5


def _by_gate(dz: np.ndarray, gates: int) -> np.ndarray:
    """(..., m, G n_a) seen gate by gate, (G, ..., m, n_a)."""
    return np.moveaxis(dz.reshape(*dz.shape[:-1], gates, -1), -2, 0)


def _scratch(dz: np.ndarray, gates: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory for each gate's slopes at one step, (G, m, n_a), and dz seen in the same way, (G, T, m, n_a)."""
    by_gate = _by_gate(dz, gates)
    return np.empty_like(by_gate[:, 0], order="C"), by_gate


# GRU, Ng's form


def _gru_forward(parameters: Parameters, run: Pass) -> Callable[[int], None]:
    (a,), z, (relevant,) = run  # kept: Gamma_r * a^<t-1>
    m, n = a.shape[1:]
    times_WgT = product_of_steps(_transposes(parameters["Waa"][: 2 * n], 2, halved=2), m)  # of both gates
    times_WcaT = product_of_steps(parameters["Waa"][2 * n :].T, m)
    of_gates, of_candidate = np.empty((2, m, n), a.dtype), np.empty_like(a[0])

    def step(t: int) -> None:
        before, after = a[t], a[t + 1]
        gates, candidate = z[:2, t], z[2, t]
        times_WgT(before, out=of_gates)
        np.add(of_gates, gates, out=gates)
        np.tanh(gates, out=gates)
        _to_sigmoid(gates)  # eq-gate
        update, relevance = gates
        np.multiply(relevance, before, out=relevant[t])
        times_WcaT(relevant[t], out=of_candidate)
        candidate += of_candidate
        np.tanh(candidate, out=candidate)  # eq-gru-candidate
        np.subtract(candidate, before, out=after)
        after *= update
        after += before  # eq-gru-state

    return step


def _gru_backward(parameters: Parameters, run: Pass, dz: np.ndarray, ds: np.ndarray) -> Callable[[int], None]:
    (a,), z, _ = run
    m, n = a.shape[1:]
    times_Wg = product_of_steps(parameters["Waa"][: 2 * n], m)
    times_Wca = product_of_steps(parameters["Waa"][2 * n :], m)
    through, d_relevant, slopes, dz_by_gate = np.empty_like(a[0]), np.empty_like(a[0]), *_scratch(dz, 3)

    def step(t: int) -> None:
        before, (da,), gates, (update, relevance, candidate) = a[t], ds, z[:2, t], z[:, t]
        of_u, of_r, of_c = slopes
        dz_u, dz_r, dz_c = dz_by_gate[:, t]
        np.subtract(1, gates, out=slopes[:2])
        slopes[:2] *= gates  # the slope of the sigmoid is Gamma (1 - Gamma)
        np.subtract(candidate, before, out=through)
        of_u *= through
        of_r *= before
        np.multiply(candidate, candidate, out=of_c)
        np.subtract(1, of_c, out=of_c)
        of_c *= update
        np.multiply(da, of_u, out=dz_u)
        np.multiply(da, of_c, out=dz_c)
        times_Wca(dz_c, out=d_relevant)
        np.multiply(d_relevant, of_r, out=dz_r)
        np.multiply(da, update, out=through)
        da -= through  # what passes by the candidate: (1 - Gamma_u) da
        np.multiply(d_relevant, relevance, out=through)
        da += through
        times_Wg(dz[t, :, : 2 * n], out=through)
        da += through

    return step


def _gru_recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
    (a,), _, (relevant,) = run
    n = a.shape[2]
    dz = dz.reshape(-1, 3 * n)
    dWaa = empty((3 * n, n), dz.dtype)
    np.matmul(dz[:, : 2 * n].T, a[:-1].reshape(-1, n), out=dWaa[: 2 * n])
    np.matmul(dz[:, 2 * n :].T, relevant.reshape(-1, n), out=dWaa[2 * n :])
    return {"Waa": dWaa}


GRU = Unit("gru", ("u", "r", "c"), ("a",), 1, {}, 2, _gru_forward, _gru_backward, _gru_recurrent_gradients)


# GRU, reset after


def _reset_after_forward(parameters: Parameters, run: Pass) -> Callable[[int], None]:
    (a,), z, (recalled,) = run  # kept: Wca a^<t-1> + bca
    times_WaaT = product_of_steps(_transposes(parameters["Waa"], 3, halved=2), a.shape[1])
    bca = parameters["bca"].T
    scores = np.empty((3, *a.shape[1:]), a.dtype)

    def step(t: int) -> None:
        before, after = a[t], a[t + 1]
        gates, candidate = z[:2, t], z[2, t]
        times_WaaT(before, out=scores)
        np.add(scores[2], bca, out=recalled[t])
        np.add(scores[:2], gates, out=gates)
        np.tanh(gates, out=gates)
        _to_sigmoid(gates)  # eq-gate
        update, relevance = gates
        np.multiply(relevance, recalled[t], out=after)
        candidate += after
        np.tanh(candidate, out=candidate)  # eq-gru-reset-after
        np.subtract(candidate, before, out=after)
        after *= update
        after += before  # eq-gru-state

    return step


def _reset_after_backward(parameters: Parameters, run: Pass, dz: np.ndarray, ds: np.ndarray) -> Callable[[int], None]:
    (a,), z, (recalled,) = run
    times_Waa = product_of_steps(parameters["Waa"], a.shape[1])
    through, slopes, dz_by_gate = np.empty_like(a[0]), *_scratch(dz, 3)
    behind = np.empty_like(dz[0])  # the gradient of Waa a^<t-1>: that of the scores, but for c~
    behind_by_gate = _by_gate(behind, 3)

    def step(t: int) -> None:
        (da,), gates, (update, relevance, candidate) = ds, z[:2, t], z[:, t]
        of_u, of_r, of_c = slopes
        np.subtract(1, gates, out=slopes[:2])
        slopes[:2] *= gates  # the slope of the sigmoid is Gamma (1 - Gamma)
        np.multiply(candidate, candidate, out=of_c)
        np.subtract(1, of_c, out=of_c)
        of_c *= update
        of_r *= of_c
        of_r *= recalled[t]
        np.subtract(candidate, a[t], out=through)
        of_u *= through
        np.multiply(da, slopes, out=dz_by_gate[:, t])
        behind[:] = dz[t]
        behind_by_gate[2] *= relevance
        np.multiply(da, update, out=through)
        da -= through  # what passes by the candidate: (1 - Gamma_u) da
        times_Waa(behind, out=through)
        da += through

    return step


def _reset_after_recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
    (a,), z, _ = run
    n = a.shape[2]
    before = a[:-1].reshape(-1, n)
    behind = (dz[:, :, 2 * n :] * z[1]).reshape(-1, n)  # Gamma_r dz_c
    dWaa = empty((3 * n, n), dz.dtype)
    np.matmul(dz.reshape(-1, 3 * n)[:, : 2 * n].T, before, out=dWaa[: 2 * n])
    np.matmul(behind.T, before, out=dWaa[2 * n :])
    return {"Waa": dWaa, "bca": sum_of_rows(behind)}


GRU_RESET_AFTER = Unit(
    "gru-reset-after",
    ("u", "r", "c"),
    ("a",),
    1,
    {"bca": ("n_a", "1")},
    2,
    _reset_after_forward,
    _reset_after_backward,
    _reset_after_recurrent_gradients,
)


# LSTM


def _lstm_forward(parameters: Parameters, run: Pass) -> Callable[[int], None]:
    (a, c), z, (tanh_c,) = run  # kept: tanh(c^<t>)
    times_WaaT = product_of_steps(_transposes(parameters["Waa"], 4, halved=3), a.shape[1])
    scores, written = np.empty((4, *a.shape[1:]), a.dtype), np.empty_like(a[0])

    def step(t: int) -> None:
        z_t, c_after = z[:, t], c[t + 1]
        times_WaaT(a[t], out=scores)
        np.add(scores, z_t, out=z_t)
        np.tanh(z_t, out=z_t)  # eq-lstm-candidate
        _to_sigmoid(z_t[:3])  # eq-gate
        forget, update, output, candidate = z_t
        np.multiply(update, candidate, out=written)
        np.multiply(forget, c[t], out=c_after)
        c_after += written  # eq-lstm-cell
        np.tanh(c_after, out=tanh_c[t])
        np.multiply(output, tanh_c[t], out=a[t + 1])  # eq-lstm-state

    return step


def _lstm_backward(parameters: Parameters, run: Pass, dz: np.ndarray, ds: np.ndarray) -> Callable[[int], None]:
    (a, c), z, (tanh_c,) = run
    times_Waa = product_of_steps(parameters["Waa"], a.shape[1])
    through, slopes, dz_by_gate = np.empty_like(a[0]), *_scratch(dz, 4)

    def step(t: int) -> None:
        (da, dc), gates, (forget, update, output, candidate) = ds, z[:3, t], z[:, t]
        of_f, of_u, of_o, of_c = slopes
        np.multiply(output, tanh_c[t], out=through)
        np.multiply(through, tanh_c[t], out=through)
        np.subtract(output, through, out=through)  # Gamma_o (1 - tanh(c)^2)
        np.multiply(through, da, out=through)
        dc += through
        np.subtract(1, gates, out=slopes[:3])
        slopes[:3] *= gates  # the slope of the sigmoid is Gamma (1 - Gamma)
        np.multiply(candidate, candidate, out=of_c)
        np.subtract(1, of_c, out=of_c)
        of_f *= c[t]
        of_u *= candidate
        of_o *= tanh_c[t]
        of_c *= update
        dz_f, dz_u, dz_o, dz_c = dz_by_gate[:, t]
        np.multiply(dc, of_f, out=dz_f)
        np.multiply(dc, of_u, out=dz_u)
        np.multiply(da, of_o, out=dz_o)
        np.multiply(dc, of_c, out=dz_c)
        dc *= forget  # that of c^<t-1>
        times_Waa(dz[t], out=da)

    return step


def _lstm_recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
    a = run.s[0]
    n = a.shape[2]
    return {"Waa": product(dz.reshape(-1, 4 * n).T, a[:-1].reshape(-1, n))}


LSTM = Unit(
    "lstm", ("f", "u", "o", "c"), ("a", "c"), 1, {}, 3, _lstm_forward, _lstm_backward, _lstm_recurrent_gradients
)


# Gate by gate

GATED = {unit.name: unit for unit in (GRU, GRU_RESET_AFTER, LSTM)}
"""The gated units by name."""


def separate(parameters: Parameters, unit: str) -> Parameters:
    """The parameters gate by gate: Wua (n_a, n_a), Wux (n_a, n_x), bu (n_a, 1), and so on for each gate.

    Args:
        parameters: Waa, Wax and ba of a layer, with the rows of all gates; copies are returned.
        unit: "gru", "gru-reset-after" (which has bca as well) or "lstm".

    Raises:
        ValueError: there is no such unit, or a parameter is missing or has a number of rows that does not fit.
    """
    gates = choice("unit", unit, GATED).gates
    found = {}
    for name in ("Waa", "Wax", "ba"):
        if name not in parameters:
            raise ValueError(f"the parameter {name} is missing; there are only {', '.join(parameters) or 'none'}")
        value = np.asarray(parameters[name])
        if value.ndim != 2 or len(value) % len(gates):
            raise ValueError(
                f"{name} has the shape {value.shape}; its rows have to be {len(gates)} blocks, one for each of the "
                f"gates {', '.join(gates)}"
            )
        for gate, block in zip(gates, np.split(value, len(gates)), strict=True):
            found[_of_gate(name, gate)] = block.copy()
    return found | {name: np.array(parameters[name]) for name in GATED[unit].extra}


def join(by_gate: Parameters, unit: str) -> Parameters:
    """The parameters stacked, Waa (G n_a, n_a), Wax (G n_a, n_x), ba (G n_a, 1): what `separate` takes apart.

    Raises:
        ValueError: there is no such unit, or a matrix is missing, or its shape differs from that of the other gates.
    """
    gates = choice("unit", unit, GATED).gates
    joined = {}
    for name in ("Waa", "Wax", "ba"):
        names = [_of_gate(name, gate) for gate in gates]
        for missing in (name for name in names if name not in by_gate):
            raise ValueError(f"the parameter {missing} is missing; there are only {', '.join(by_gate) or 'none'}")
        blocks = [np.asarray(by_gate[name]) for name in names]
        if len({block.shape for block in blocks}) > 1:
            listed = ", ".join(f"{name} {block.shape}" for name, block in zip(names, blocks, strict=True))
            raise ValueError(f"the gates have to have matrices of one shape; got {listed}")
        joined[name] = np.concatenate(blocks)
    return joined | {name: np.array(by_gate[name]) for name in GATED[unit].extra}


def _of_gate(name: str, gate: str) -> str:
    """Wua for the rows of the gate u of Waa, Wux for those of Wax, bu for those of ba."""
    return {"Waa": f"W{gate}a", "Wax": f"W{gate}x", "ba": f"b{gate}"}[name]
