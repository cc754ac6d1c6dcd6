"""Gated units: the GRU in two forms, and the LSTM.

A gate is a sigmoid of the same two things that the simple unit looks at, the state before and the input:

    Gamma_k = sigmoid(Wka a^<t-1> + Wkx x^<t> + bk)                     (n_a, m)    eq-gate

**GRU**, as Ng (2018) writes it, and Cho et al. (2014): update and relevance gates; `gru`.

    c~      = tanh(Wca (Gamma_r * a^<t-1>) + Wcx x^<t> + bc)            (n_a, m)    eq-gru-candidate
    a^<t>   = Gamma_u * c~ + (1 - Gamma_u) * a^<t-1>                    (n_a, m)    eq-gru-state

**GRU, reset after**, as CS224n and PyTorch have it: the relevance gate acts behind the product, and on a bias of its
own; `gru-reset-after`. It is another function; neither can imitate the other.

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

from unrolled.columns import Parameters, choice, sum_of_rows
from unrolled.units import Pass, Unit

# What the gates have in common


def _halved_transpose(W: np.ndarray, sigmoid_rows: int) -> np.ndarray:
    """W.T in memory of its own, with those columns halved that lead to sigmoids."""
    WT = np.array(W.T, order="C")
    WT[:, :sigmoid_rows] *= 0.5
    return WT


def _to_sigmoid(tanh_of_half: np.ndarray) -> None:
    """tanh(z / 2) becomes sigmoid(z), in place."""
    tanh_of_half += 1
    tanh_of_half *= 0.5


# GRU, Ng's form


def _gru_forward(parameters: Parameters, run: Pass) -> Callable[[int], None]:
    a, z, relevant = run  # kept: Gamma_r * a^<t-1>
    n = a.shape[2]
    WgT = _halved_transpose(parameters["Waa"][: 2 * n], 2 * n)  # of both gates
    WcaT = np.ascontiguousarray(parameters["Waa"][2 * n :].T)
    of_gates, of_candidate = np.empty((a.shape[1], 2 * n), a.dtype), np.empty_like(a[0])

    def step(t: int) -> None:
        before, after, z_t = a[t], a[t + 1], z[t]
        gates, candidate = z_t[:, : 2 * n], z_t[:, 2 * n :]
        np.dot(before, WgT, out=of_gates)
        np.add(of_gates, gates, out=gates)
        np.tanh(gates, out=gates)
        _to_sigmoid(gates)  # eq-gate
        np.multiply(gates[:, n:], before, out=relevant[t])
        np.dot(relevant[t], WcaT, out=of_candidate)
        candidate += of_candidate
        np.tanh(candidate, out=candidate)  # eq-gru-candidate
        np.subtract(candidate, before, out=after)
        after *= gates[:, :n]
        after += before  # eq-gru-state

    return step


def _gru_backward(parameters: Parameters, run: Pass, dz: np.ndarray) -> Callable[[int, np.ndarray], None]:
    a, z, _ = run
    n = a.shape[2]
    Wg, Wca = np.ascontiguousarray(parameters["Waa"][: 2 * n]), np.ascontiguousarray(parameters["Waa"][2 * n :])
    through_gates, d_relevant, scratch = (np.empty_like(a[0]) for _ in range(3))

    def step(t: int, da: np.ndarray) -> None:
        before, z_t, dz_t = a[t], z[t], dz[t]
        update, relevance, candidate = z_t[:, :n], z_t[:, n : 2 * n], z_t[:, 2 * n :]
        dz_u, dz_r, dz_c = dz_t[:, :n], dz_t[:, n : 2 * n], dz_t[:, 2 * n :]
        np.multiply(da, update, out=scratch)  # dc~
        da -= scratch  # what passes by the candidate: (1 - Gamma_u) da
        np.multiply(candidate, candidate, out=dz_c)
        np.subtract(1, dz_c, out=dz_c)
        dz_c *= scratch
        np.dot(dz_c, Wca, out=d_relevant)
        np.subtract(candidate, before, out=dz_u)
        dz_u *= scratch  # da Gamma_u (c~ - a): the slope of the sigmoid is Gamma_u (1 - Gamma_u)
        np.subtract(1, update, out=scratch)
        dz_u *= scratch
        np.subtract(1, relevance, out=dz_r)
        np.multiply(d_relevant, relevance, out=d_relevant)
        da += d_relevant
        dz_r *= d_relevant
        dz_r *= before
        np.dot(dz_t[:, : 2 * n], Wg, out=through_gates)
        da += through_gates

    return step


def _gru_recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
    n = run.s.shape[2]
    dz = dz.reshape(-1, 3 * n)
    dWaa = np.empty((3 * n, n), dz.dtype)
    np.matmul(dz[:, : 2 * n].T, run.s[:-1].reshape(-1, n), out=dWaa[: 2 * n])
    np.matmul(dz[:, 2 * n :].T, run.kept.reshape(-1, n), out=dWaa[2 * n :])
    return {"Waa": dWaa}


GRU = Unit("gru", ("u", "r", "c"), ("a",), 1, {}, 2, _gru_forward, _gru_backward, _gru_recurrent_gradients)


# GRU, reset after


def _reset_after_forward(parameters: Parameters, run: Pass) -> Callable[[int], None]:
    a, z, recalled = run  # kept: Wca a^<t-1> + bca
    n = a.shape[2]
    WaaT, bca = _halved_transpose(parameters["Waa"], 2 * n), parameters["bca"].T
    scores = np.empty((a.shape[1], 3 * n), a.dtype)

    def step(t: int) -> None:
        before, after, z_t = a[t], a[t + 1], z[t]
        gates, candidate = z_t[:, : 2 * n], z_t[:, 2 * n :]
        np.dot(before, WaaT, out=scores)
        np.add(scores[:, 2 * n :], bca, out=recalled[t])
        np.add(scores[:, : 2 * n], gates, out=gates)
        np.tanh(gates, out=gates)
        _to_sigmoid(gates)  # eq-gate
        np.multiply(gates[:, n:], recalled[t], out=after)
        candidate += after
        np.tanh(candidate, out=candidate)  # eq-gru-reset-after
        np.subtract(candidate, before, out=after)
        after *= gates[:, :n]
        after += before  # eq-gru-state

    return step


def _reset_after_backward(parameters: Parameters, run: Pass, dz: np.ndarray) -> Callable[[int, np.ndarray], None]:
    a, z, recalled = run
    n = a.shape[2]
    Waa = np.ascontiguousarray(parameters["Waa"])
    through, scratch = np.empty_like(a[0]), np.empty_like(a[0])
    behind = np.empty((a.shape[1], 3 * n), a.dtype)  # the gradient of Waa a^<t-1>: that of the scores, but for c~

    def step(t: int, da: np.ndarray) -> None:
        before, z_t, dz_t = a[t], z[t], dz[t]
        update, relevance, candidate = z_t[:, :n], z_t[:, n : 2 * n], z_t[:, 2 * n :]
        dz_u, dz_r, dz_c = dz_t[:, :n], dz_t[:, n : 2 * n], dz_t[:, 2 * n :]
        np.multiply(da, update, out=scratch)  # dc~
        da -= scratch
        np.multiply(candidate, candidate, out=dz_c)
        np.subtract(1, dz_c, out=dz_c)
        dz_c *= scratch
        np.subtract(candidate, before, out=dz_u)
        dz_u *= scratch
        np.subtract(1, update, out=scratch)
        dz_u *= scratch
        np.multiply(dz_c, relevance, out=behind[:, 2 * n :])
        np.subtract(1, relevance, out=dz_r)
        dz_r *= recalled[t]
        dz_r *= behind[:, 2 * n :]
        behind[:, : 2 * n] = dz_t[:, : 2 * n]
        np.dot(behind, Waa, out=through)
        da += through

    return step


def _reset_after_recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
    n = run.s.shape[2]
    before = run.s[:-1].reshape(-1, n)
    behind = (dz[:, :, 2 * n :] * run.z[:, :, n : 2 * n]).reshape(-1, n)  # Gamma_r dz_c
    dWaa = np.empty((3 * n, n), dz.dtype)
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
    s, z, tanh_c = run  # kept: tanh(c^<t>)
    n = s.shape[2] // 2
    a, c = s[:, :, :n], s[:, :, n:]
    WaaT = _halved_transpose(parameters["Waa"], 3 * n)
    scores, written = np.empty(z.shape[1:], s.dtype), np.empty_like(tanh_c[0])

    def step(t: int) -> None:
        z_t, c_after = z[t], c[t + 1]
        np.dot(a[t], WaaT, out=scores)
        np.add(scores, z_t, out=z_t)
        np.tanh(z_t, out=z_t)  # eq-lstm-candidate
        _to_sigmoid(z_t[:, : 3 * n])  # eq-gate
        np.multiply(z_t[:, n : 2 * n], z_t[:, 3 * n :], out=written)
        np.multiply(z_t[:, :n], c[t], out=c_after)
        c_after += written  # eq-lstm-cell
        np.tanh(c_after, out=tanh_c[t])
        np.multiply(z_t[:, 2 * n : 3 * n], tanh_c[t], out=a[t + 1])  # eq-lstm-state

    return step


def _lstm_backward(parameters: Parameters, run: Pass, dz: np.ndarray) -> Callable[[int, np.ndarray], None]:
    s, z, tanh_c = run
    n = s.shape[2] // 2
    c = s[:, :, n:]
    Waa = np.ascontiguousarray(parameters["Waa"])
    scratch, through = np.empty_like(tanh_c[0]), np.empty_like(tanh_c[0])

    def step(t: int, ds: np.ndarray) -> None:
        z_t, dz_t = z[t], dz[t]
        da, dc = ds[:, :n], ds[:, n:]
        forget, update, output, candidate = (z_t[:, k * n : (k + 1) * n] for k in range(4))
        dz_f, dz_u, dz_o, dz_c = (dz_t[:, k * n : (k + 1) * n] for k in range(4))
        np.multiply(da, output, out=scratch)
        np.multiply(scratch, tanh_c[t], out=through)  # da Gamma_o tanh(c)
        np.subtract(1, output, out=dz_o)
        dz_o *= through
        dc += scratch
        np.multiply(through, tanh_c[t], out=through)
        dc -= through  # dc + da Gamma_o (1 - tanh(c)^2)
        np.multiply(dc, update, out=scratch)
        np.multiply(candidate, candidate, out=dz_c)
        np.subtract(1, dz_c, out=dz_c)
        dz_c *= scratch
        np.subtract(1, update, out=dz_u)
        dz_u *= candidate
        dz_u *= scratch
        np.subtract(1, forget, out=dz_f)
        dc *= forget  # that of c^<t-1>
        dz_f *= c[t]
        dz_f *= dc
        np.dot(dz_t, Waa, out=through)
        da[:] = through

    return step


def _lstm_recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
    n = run.s.shape[2] // 2
    return {"Waa": dz.reshape(-1, 4 * n).T @ run.s[:-1, :, :n].reshape(-1, n)}


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
