"""From one sequence to another of another length: an encoder, a decoder, and attention between them.

The encoder reads the source and says nothing; the decoder is a language model of the targets that starts from the
state in which the encoder ended (Sutskever, Vinyals & Le 2014; Cho et al. 2014):

    h^<k>          = the encoder's output for symbol k of the source      (n_h, m)
    s_dec^<0>      = s_enc^<T_x>,  or  tanh(Wss s_enc^<T_x> + bs)         (n_s, m)      eq-bridge
    s_dec^<t>      = a step from s_dec^<t-1>, reading Ey[:, y^<t-1>]      (n_s, m)
    y_hat^<t>      = softmax(Wya a_dec^<t> + by)                          (V_y, m)

With attention (Bahdanau, Cho & Bengio 2015) the decoder looks at all of the encoder's outputs before each step, and
reads, below the embedding of the symbol before, what it saw:

    p^<t,k>        = tanh(Wps s_dec^<t-1> + Wph h^<k> + bp)               (n_p, m)      eq-attention-energy
    e^<t,k>        = Wep p^<t,k>                                          (1, m)        eq-attention-energy
    alpha^<t,k>    = exp(e^<t,k>) / sum over l of exp(e^<t,l>)            (1, m)        eq-attention-weights
    v^<t>          = sum over k of alpha^<t,k> h^<k>                      (n_h, m)      eq-attention-context

Encoder and decoder are layers of any kind: of one direction or (the encoder) two, one above the other, of any unit; see
`unrolled.recurrence`. `SequenceToSequence` describes the network, and its functions work on a dictionary of parameters
and on ids, time first, a column for each sequence. `Translator` adds what has state: vocabularies, parameters, files.

Which symbol ends a target, and which is read before the first, follows the vocabularies of this book: `</s>` has the
id 1, `<s>` the id V_y, which is read and never predicted.
"""

import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from unrolled import bidirectional, decoding, deep, optimisers, padding, recurrence, rnn, training
from unrolled.columns import Parameters, as_part, columns, part, rows, sum_of_rows
from unrolled.decoding import Hypothesis, State
from unrolled.files import arrays_from, write_arrays
from unrolled.losses import apply_mask, softmax_cross_entropy
from unrolled.vocabulary import Vocabulary
from unrolled.window import add_columns, look_up

Words = Sequence[str]

END = 1
"""The id of `</s>` in every vocabulary."""


class TranslatorFileError(ValueError):
    """A file is no saved translator."""


class Batch(NamedTuple):
    """Pairs side by side.

    Attributes:
        x: ids of the sources, (T_x, m), filled up at their ends.
        mask_x: True where a source has a symbol, (T_x, m).
        fed: what the decoder reads, ids (T_y, m): `<s>`, then the target without its last symbol.
        y: what the decoder should say, ids (T_y, m): the target, then `</s>`.
        mask_y: True where y has a symbol, `</s>` included, (T_y, m).
    """

    x: np.ndarray
    mask_x: np.ndarray
    fed: np.ndarray
    y: np.ndarray
    mask_y: np.ndarray


class Step(NamedTuple):
    """A forward and a backward pass.

    Attributes:
        J: the cost.
        gradients: those of all parameters, by name.
    """

    J: np.floating
    gradients: Parameters


class _Glance(NamedTuple):
    """What one look at the source computed: p as rows (T_x, m, n_p), alpha (T_x, m), v (n_h, m)."""

    p: np.ndarray
    alpha: np.ndarray
    v: np.ndarray


class _Run(NamedTuple):
    """A forward pass and what the way back needs."""

    encoded: Any
    s0: np.ndarray
    a: np.ndarray  # the decoder's outputs, (T_y, n_out, m)
    decoded: list  # the decoder's runs: one, or with attention one for each step
    before: list[np.ndarray]  # with attention, s_dec^<t-1> of each step
    glances: list[_Glance]


def batch(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], start: int) -> Batch:
    """Put pairs of different lengths side by side.

    Args:
        sources: ids, none of them empty.
        targets: ids without start and end; a target may be empty.
        start: the id that the decoder reads first, V_y.

    Raises:
        ValueError: there are no pairs, not as many sources as targets, or an empty source.
    """
    if len(sources) != len(targets):
        raise ValueError(f"each source needs a target; got {len(sources)} sources and {len(targets)} targets")
    x, lengths_x = padding.pad(sources)
    y, lengths_y = padding.pad([np.append(np.asarray(target, dtype=np.int64), END) for target in targets], END)
    fed = np.concatenate([np.full((1, y.shape[1]), start), y[:-1]])
    return Batch(x, padding.mask(lengths_x), fed, y, padding.mask(lengths_y))


@dataclass(frozen=True)
class SequenceToSequence:
    """An encoder and a decoder, described; the numbers live in a dictionary.

    Parameters, by name: Ex (n_x, V_x) and Ey (n_e, V_y + 1), the embeddings; "encoder." and "decoder." and the names of
    the layers' own; Wya (V_y, n_a) and by (V_y, 1); with a bridge Wss (n_s of the decoder, n_s of the encoder) and bs;
    with attention Wps (n_p, n_s), Wph (n_p, n_h), bp (n_p, 1), Wep (1, n_p). What attention asks with is the decoder's
    whole state (of an LSTM, its cells as well).

    Attributes:
        encoder: the layer that reads the source; its n_x is the length of the source's embeddings.
        decoder: the layer that writes, of one direction. Its n_x is n_e, or with attention n_e + n_h, where n_h is the
            encoder's n_out.
        V_x: the number of different symbols in a source.
        V_y: the number of symbols that can be predicted.
        attention: n_p, the size of the layer between states and energies; None is no attention.
        bridge: whether a layer leads from the encoder's last state to the decoder's first. None has one only where
            their sizes differ.

    Raises:
        ValueError: sizes do not fit together, or the decoder reads in both directions.
    """

    encoder: Any
    decoder: Any
    V_x: int
    V_y: int
    attention: int | None = None
    bridge: bool | None = None

    def __post_init__(self) -> None:
        for name in ("V_x", "V_y", "attention"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is at least 1; got {value}")
        if self.V_y < 2:
            raise ValueError(f"V_y counts the symbols that can be predicted, </s> among them; got {self.V_y}")
        if _reads_both_ways(self.decoder):
            raise ValueError("a decoder writes from left to right: it cannot be, or hold, a layer of both directions")
        if self.n_e < 1:
            raise ValueError(
                f"with attention the decoder reads an embedding and an output of the encoder, so its n_x has to be "
                f"above n_out = {self.encoder.n_out} of the encoder; got {self.decoder.n_x}"
            )
        if self.bridge is False and self.encoder.n_s != self.decoder.n_s:
            raise ValueError(
                f"the encoder's state has {self.encoder.n_s} numbers and the decoder's {self.decoder.n_s}: without a "
                "bridge they have to be as many"
            )

    @property
    def n_e(self) -> int:
        """The length of the target's embeddings."""
        return self.decoder.n_x - (self.encoder.n_out if self.attention else 0)

    @property
    def bridged(self) -> bool:
        """Whether there is a bridge."""
        return self.encoder.n_s != self.decoder.n_s if self.bridge is None else self.bridge

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shapes of the parameters, but for those of the two layers."""
        shapes = {"Ex": (self.encoder.n_x, self.V_x), "Ey": (self.n_e, self.V_y + 1)}
        shapes |= {"Wya": (self.V_y, self.decoder.n_out), "by": (self.V_y, 1)}
        if self.bridged:
            shapes |= {"Wss": (self.decoder.n_s, self.encoder.n_s), "bs": (self.decoder.n_s, 1)}
        if self.attention:
            n_p = self.attention
            shapes |= {"Wps": (n_p, self.decoder.n_s), "Wph": (n_p, self.encoder.n_out)}
            shapes |= {"bp": (n_p, 1), "Wep": (1, n_p)}
        return shapes

    def create(self, rng: np.random.Generator, dtype: type = np.float64) -> Parameters:
        """Parameters that have learned nothing yet.

        Embeddings are drawn from a normal distribution of deviation 1, matrices uniformly within 1 / sqrt(columns),
        biases are zero; the layers draw their own.

        Args:
            rng: draws them.
            dtype: float64 or float32.
        """
        parameters: Parameters = {}
        for name, shape in self.shapes.items():
            if name.startswith("E"):
                parameters[name] = rng.normal(size=shape)
            elif name.startswith("b"):
                parameters[name] = np.zeros(shape)
            else:
                parameters[name] = rng.uniform(-1, 1, shape) / np.sqrt(shape[1])
        for name in ("encoder", "decoder"):
            parameters |= as_part(getattr(self, name).create(rng), name)
        return {name: value.astype(dtype) for name, value in parameters.items()}

    def check_parameters(self, parameters: Parameters) -> None:
        """Raise a ValueError that names what is missing or has a wrong shape among this network's own parameters.

        The layers check theirs.
        """
        for name, shape in self.shapes.items():
            if name not in parameters:
                raise ValueError(f"the parameter {name} of shape {shape} is missing")
            if np.shape(parameters[name]) != shape:
                raise ValueError(f"{name} has the shape {np.shape(parameters[name])}; it has to be {shape}")

    # One pass

    def cost(self, parameters: Parameters, pairs: Batch, reduction: str = "mean") -> np.floating | np.complexfloating:
        """J alone; parameters may be complex, for the complex step.

        Arguments and errors as for `cost_and_gradients`.
        """
        losses, _, _, number = self._to_losses(parameters, pairs, reduction)
        return losses.sum() / number

    def losses(self, parameters: Parameters, pairs: Batch) -> np.ndarray:
        """The loss of each symbol, `</s>` included, in nats, (T_y, m); zero in the padding.

        Arguments and errors as for `cost_and_gradients`.
        """
        return self._to_losses(parameters, pairs, "sum")[0]

    def cost_and_gradients(self, parameters: Parameters, pairs: Batch, reduction: str = "mean") -> Step:
        """J with teacher forcing, and the gradients of all parameters of both networks.

        Implements eq-teacher-forcing and its backward pass: eq-bridge-gradient, and with attention
        eq-attention-weights-gradient to eq-attention-recursion.

        Args:
            parameters: see the class.
            pairs: see `batch`.
            reduction: "sum" over all symbols of all targets, `</s>` included; or "mean".

        Raises:
            ValueError: a parameter is missing or has a wrong shape, an id is out of range, arrays of the batch do not
                fit together, a source is empty, or a mean is taken of nothing.
        """
        losses, dz_y, run, number = self._to_losses(parameters, pairs, reduction)
        dz_y /= number
        gradients, da = rnn.output_backward(self._output(parameters), run.a, dz_y)
        dh = np.zeros_like(run.encoded.outputs)
        if self.attention:
            own, d_embedded, dh, ds0 = self._attended_backward(parameters, run, da)
            gradients |= own
        else:
            back = self.decoder.backward(part(parameters, "decoder"), run.decoded[0], da)
            gradients |= as_part(back.gradients, "decoder")
            d_embedded, ds0 = back.dx, back.ds0
        gradients["Ey"] = _into_columns(d_embedded, pairs.fed, self.V_y + 1)
        ds_last = ds0  # eq-seam-gradient
        if self.bridged:
            dz = (1 - run.s0 * run.s0) * ds0
            gradients["Wss"] = dz @ run.encoded.s_last.T
            gradients["bs"] = dz.sum(axis=1, keepdims=True)
            ds_last = parameters["Wss"].T @ dz  # eq-bridge-gradient
        back = self.encoder.backward(part(parameters, "encoder"), run.encoded, dh, ds_last=ds_last)
        gradients |= as_part(back.gradients, "encoder")
        gradients["Ex"] = _into_columns(back.dx, np.where(pairs.mask_x, pairs.x, 0), self.V_x)
        return Step(losses.sum() / number, {name: gradients[name] for name in parameters})

    def _to_losses(
        self, parameters: Parameters, pairs: Batch, reduction: str
    ) -> tuple[np.ndarray, np.ndarray, _Run, np.floating]:
        """Losses and gradients of the scores, zero in the padding; the pass; and what the sum is divided by."""
        if reduction not in ("sum", "mean"):
            raise ValueError(f"reduction is 'sum' or 'mean'; got {reduction!r}")
        self._check_batch(pairs)
        self.check_parameters(parameters)
        run = self._forward(parameters, pairs)
        z_y = rnn.output_scores(self._output(parameters), run.a)
        losses, dz_y = softmax_cross_entropy(z_y, np.where(pairs.mask_y, pairs.y, 0), out=z_y)
        losses, dz_y = apply_mask(losses, dz_y, pairs.mask_y)
        number = np.count_nonzero(pairs.mask_y) if reduction == "mean" else 1
        if number == 0:
            raise ValueError("there is no mean over no predictions: mask_y is False everywhere")
        return losses, dz_y, run, losses.real.dtype.type(number)

    def _check_batch(self, pairs: Batch) -> None:
        x, mask_x, fed, y, mask_y = map(np.asarray, pairs)
        for name, ids, mask in (("x", x, mask_x), ("y", y, mask_y)):
            if ids.dtype.kind not in "iu" or ids.ndim != 2 or 0 in ids.shape:
                raise ValueError(f"{name} has to hold ids (T, m), at least one of each; got {ids.dtype} {ids.shape}")
            if mask.dtype != bool or mask.shape != ids.shape:
                raise ValueError(
                    f"mask_{name} has to be boolean, of the shape {ids.shape} of {name}; got {mask.dtype} {mask.shape}"
                )
        if fed.shape != y.shape or fed.dtype.kind not in "iu" or x.shape[1] != y.shape[1]:
            raise ValueError(
                f"x is (T_x, m), fed and y are (T_y, m); got x {x.shape}, fed {fed.dtype} {fed.shape} and y {y.shape}"
            )
        if not mask_x.any(axis=0).all():
            raise ValueError(f"source {int(np.argmin(mask_x.any(axis=0)))} is empty: its mask_x is False everywhere")
        for name, ids, size in (("x", x[mask_x], self.V_x), ("fed", fed, self.V_y + 1), ("y", y[mask_y], self.V_y)):
            if ids.size and (ids.min() < 0 or ids.max() >= size):
                wrong = ids.min() if ids.min() < 0 else ids.max()
                raise ValueError(f"the id {wrong} in {name} is out of range: its ids are 0 .. {size - 1}")

    def _output(self, parameters: Parameters) -> Parameters:
        return {"Wya": parameters["Wya"], "by": parameters["by"]}

    def _forward(self, parameters: Parameters, pairs: Batch) -> _Run:
        encoded, s0 = self._read(parameters, pairs.x, pairs.mask_x)
        embedded = _columns_of(parameters["Ey"], pairs.fed)
        own = part(parameters, "decoder")
        if not self.attention:  # the padding of a target comes after all that counts, and its losses are masked
            decoded = self.decoder.forward(own, embedded, s0)
            return _Run(encoded, s0, decoded.outputs, [decoded], [], [])
        h = rows(encoded.outputs)
        keys = self._keys(parameters, h)
        s, decoded, before, glances = s0, [], [], []
        for below in embedded:
            glance = self._look(parameters, h, keys, pairs.mask_x, s)
            before.append(s)
            glances.append(glance)
            decoded.append(self.decoder.forward(own, np.concatenate([below, glance.v])[None], s))
            s = decoded[-1].s_last
        return _Run(encoded, s0, np.concatenate([one.outputs for one in decoded]), decoded, before, glances)

    def _read(self, parameters: Parameters, x: np.ndarray, mask: np.ndarray) -> tuple[Any, np.ndarray]:
        """The encoder's pass over the sources, and the decoder's first state."""
        embedded = _columns_of(parameters["Ex"], np.where(mask, x, 0))
        encoded = self.encoder.forward(part(parameters, "encoder"), embedded, mask=mask)
        if not self.bridged:
            return encoded, encoded.s_last  # eq-seam
        return encoded, np.tanh(parameters["Wss"] @ encoded.s_last + parameters["bs"])  # eq-bridge

    def _keys(self, parameters: Parameters, h: np.ndarray) -> np.ndarray:
        """The part of the energies' layer that does not depend on the decoder, from and as rows: (T_x, m, n_p)."""
        keys = h.reshape(-1, h.shape[2]) @ parameters["Wph"].T + parameters["bp"].T
        return keys.reshape(*h.shape[:2], -1)

    def _look(
        self, parameters: Parameters, h: np.ndarray, keys: np.ndarray, mask: np.ndarray, s: np.ndarray
    ) -> _Glance:
        """One look of the decoder's states s (n_s, m) at the encoder's outputs h and their keys, which are rows."""
        p = keys + (parameters["Wps"] @ s).T
        np.tanh(p, out=p)
        e = p @ parameters["Wep"][0]  # eq-attention-energy; (T_x, m)
        weight = np.exp(e - np.where(mask, e.real, -np.inf).max(axis=0), where=mask, out=np.zeros_like(e))
        alpha = weight / weight.sum(axis=0)  # eq-attention-weights
        return _Glance(p, alpha, np.einsum("km,kmn->nm", alpha, h))  # eq-attention-context

    def _attended_backward(
        self, parameters: Parameters, run: _Run, da: np.ndarray
    ) -> tuple[Parameters, np.ndarray, np.ndarray, np.ndarray]:
        """Gradients of the decoder and of attention; of the embeddings read, of h, and of the decoder's first state."""
        own, h = part(parameters, "decoder"), rows(run.encoded.outputs)
        gradients = {name: np.zeros_like(parameters[name]) for name in ("Wps", "Wep")}
        of_decoder: Parameters = {}
        d_embedded = np.empty((len(da), self.n_e, da.shape[2]), da.dtype)
        d_keys, dh, ds = np.zeros((*h.shape[:2], self.attention), da.dtype), np.zeros_like(h), None
        for t in reversed(range(len(da))):
            p, alpha, _ = run.glances[t]
            back = self.decoder.backward(own, run.decoded[t], da[[t]], ds_last=ds)
            for name, value in back.gradients.items():
                of_decoder[name] = of_decoder[name] + value if name in of_decoder else value
            d_embedded[t], dv = back.dx[0, : self.n_e], back.dx[0, self.n_e :].T
            d_alpha = np.einsum("kmn,mn->km", h, dv)  # eq-attention-weights-gradient
            dh += alpha[:, :, None] * dv  # eq-attention-outputs-gradient
            de = alpha * (d_alpha - (alpha * d_alpha).sum(axis=0))  # eq-attention-energy-gradient
            gradients["Wep"] += de.reshape(-1) @ p.reshape(-1, p.shape[2])
            dz_p = 1 - p * p
            dz_p *= parameters["Wep"][0]
            dz_p *= de[:, :, None]  # eq-attention-layer-gradient
            d_keys += dz_p
            d_query = dz_p.sum(axis=0).T
            gradients["Wps"] += d_query @ run.before[t].T
            ds = back.ds0 + parameters["Wps"].T @ d_query  # eq-attention-recursion
        d_keys = d_keys.reshape(-1, self.attention)
        gradients["Wph"] = d_keys.T @ h.reshape(-1, h.shape[2])
        gradients["bp"] = sum_of_rows(d_keys)
        dh += (d_keys @ parameters["Wph"]).reshape(h.shape)  # eq-attention-outputs-gradient
        return gradients | as_part(of_decoder, "decoder"), d_embedded, columns(dh), ds

    # Translating

    def begin(self, parameters: Parameters, x: np.ndarray, mask: np.ndarray) -> State:
        """What a search starts from: see `unrolled.decoding`.

        Args:
            parameters: see the class.
            x: ids of m sources, (T_x, m).
            mask: True where a source has a symbol, (T_x, m).

        Returns:
            A dictionary of arrays with m columns.
        """
        self.check_parameters(parameters)
        encoded, s0 = self._read(parameters, x, mask)
        if not self.attention:
            return {"s": s0}
        h = rows(encoded.outputs)
        return {"s": s0, "h": columns(h), "keys": columns(self._keys(parameters, h)), "mask": mask}

    def stepper(self, parameters: Parameters) -> Callable[[State, np.ndarray], tuple[np.ndarray, State]]:
        """One step of the decoder, as `unrolled.decoding` wants it: from what was said last to what may come next."""
        own = part(parameters, "decoder")

        def step(state: State, symbols: np.ndarray) -> tuple[np.ndarray, State]:
            below = parameters["Ey"][:, symbols]
            if self.attention:
                glance = self._look(parameters, rows(state["h"]), rows(state["keys"]), state["mask"], state["s"])
                below = np.concatenate([below, glance.v])
            run = self.decoder.forward(own, below[None], state["s"])
            z = rnn.output_scores(self._output(parameters), run.outputs)[0]
            z = z - z.max(axis=0)
            return z - np.log(np.exp(z).sum(axis=0)), state | {"s": run.s_last}

        return step

    def attention_weights(self, parameters: Parameters, pairs: Batch) -> np.ndarray:
        """How much each target's step looks at each symbol of its source, (T_y, T_x, m); each step's weights sum to 1.

        Raises:
            ValueError: this network has no attention, or as for `cost_and_gradients`.
        """
        if not self.attention:
            raise ValueError("this network has no attention; describe one with attention=n_p")
        self._check_batch(pairs)
        self.check_parameters(parameters)
        return np.stack([glance.alpha for glance in self._forward(parameters, pairs).glances])


class Translator:
    """An encoder and a decoder with their vocabularies: to be made, trained, asked and kept.

    Attributes:
        network: the description, see `SequenceToSequence`.
        parameters: its numbers.
        source: the symbols that are read.
        target: the symbols that are written.

    Raises:
        ValueError: the sizes of the network and of the vocabularies differ, or a parameter is missing or has a wrong
            shape.
    """

    def __init__(
        self, network: SequenceToSequence, parameters: Parameters, source: Vocabulary, target: Vocabulary
    ) -> None:
        if (network.V_x, network.V_y) != (source.size, target.size):
            raise ValueError(
                f"the network reads {network.V_x} symbols and writes {network.V_y}; the vocabularies have "
                f"{source.size} and {target.size}"
            )
        network.check_parameters(parameters)
        self.network, self.parameters, self.source, self.target = network, dict(parameters), source, target

    @classmethod
    def create(
        cls,
        rng: np.random.Generator,
        source: Vocabulary,
        target: Vocabulary,
        hidden: int = 128,
        embedding: int = 64,
        unit: str = "gru",
        layers: int = 1,
        both_directions: bool = False,
        attention: int | None = None,
        dtype: type = np.float64,
    ) -> "Translator":
        """A translator that has learned nothing yet.

        Args:
            rng: draws the parameters.
            source: the symbols that are read.
            target: the symbols that are written.
            hidden: n_a of the encoder, of each of its directions, and of the decoder.
            embedding: the length of an embedding, on both sides.
            unit: "rnn", "gru", "gru-reset-after" or "lstm", on both sides; see `unrolled.gated`.
            layers: of the encoder and of the decoder.
            both_directions: whether the encoder reads the source from both sides.
            attention: n_p, see `SequenceToSequence`; None is no attention.
            dtype: float64 or float32.

        Raises:
            ValueError: a size is below 1, or the unit is none.
        """
        one_of = bidirectional.Layer if both_directions else recurrence.Layer
        encoder = _stacked(one_of, unit, embedding, hidden, layers)
        read = embedding + (encoder.n_out if attention else 0)
        decoder = _stacked(recurrence.Layer, unit, read, hidden, layers)
        network = SequenceToSequence(encoder, decoder, source.size, target.size, attention)
        return cls(network, network.create(rng, dtype), source, target)

    @property
    def number_of_parameters(self) -> int:
        """How many numbers the network has learned."""
        return sum(value.size for value in self.parameters.values())

    def __repr__(self) -> str:
        return f"Translator from {self.source.size} to {self.target.size} symbols: {self.network}"

    def batch(self, sources: Sequence[Words], targets: Sequence[Words]) -> Batch:
        """Pairs of sentences as ids, side by side; errors as for the function `batch`."""
        ids = [self.source.encode(words) for words in sources], [self.target.encode(words) for words in targets]
        return batch(*ids, start=self.target.start)

    def train(
        self,
        sources: Sequence[Words],
        targets: Sequence[Words],
        rng: np.random.Generator,
        *,
        steps: int,
        pairs_per_step: int = 64,
        rate: float = 3e-3,
        grad_clip: float = 1.0,
        schedule: optimisers.Schedule = optimisers.linear,
        **settings: Any,
    ) -> training.History:
        """Learn from pairs, with teacher forcing and Adam; the pairs of each step are drawn at random.

        Args:
            sources: what is read.
            targets: what is to be written, as many.
            rng: draws the pairs.
            steps: the number of updates.
            pairs_per_step: how many pairs are drawn for each, at most all.
            rate: Adam's.
            grad_clip: the largest global norm a gradient may have.
            schedule: of the rate, see `unrolled.optimisers`.
            settings: more for `unrolled.training.train`, such as `evaluate` or `checkpoint`.

        Raises:
            ValueError: there are no pairs, or not as many sources as targets; or as for `unrolled.training.train`.
        """
        if len(sources) != len(targets) or not len(sources):
            raise ValueError(f"each source needs a target, and there has to be one; got {len(sources)}, {len(targets)}")
        ids = [self.source.encode(words) for words in sources], [self.target.encode(words) for words in targets]
        size = min(pairs_per_step, len(sources))
        seed = int(rng.integers(2**62))  # the pairs of step k depend on k alone, so that a training can be resumed

        def draw(k: int) -> Batch:
            drawn = np.random.default_rng([seed, k]).choice(len(sources), size, replace=False)
            return batch([ids[0][i] for i in drawn], [ids[1][i] for i in drawn], start=self.target.start)

        def step(parameters: Parameters, pairs: Batch, _: Any) -> tuple[float, Parameters, None]:
            return *self.network.cost_and_gradients(parameters, pairs), None

        # The arrays that the translator was made of are left alone.
        self.parameters = {name: value.copy() for name, value in self.parameters.items()}
        adam = optimisers.Adam(rate)
        return training.train(
            self.parameters, step, draw, adam, steps=steps, grad_clip=grad_clip, schedule=schedule, **settings
        )

    def hypotheses(
        self,
        sources: Sequence[Words],
        width: int = 1,
        length_power: float = 0.0,
        best: int = 1,
        longest: int = 50,
    ) -> list[list[Hypothesis]]:
        """The best translations that a search finds, in ids, with their log-probabilities.

        Args:
            sources: sentences, none of them empty.
            width: of the beam; 1 is greedy.
            length_power: see `unrolled.decoding`.
            best: how many are wanted of each, 1 .. width.
            longest: the largest number of symbols, `</s>` included.

        Raises:
            ValueError: as for `unrolled.decoding.beam_search`, or a source is empty.
        """
        found: list[list[Hypothesis]] = []
        step = self.network.stepper(self.parameters)
        for first in range(0, len(sources), _SIDE_BY_SIDE):
            some = [self.source.encode(words) for words in sources[first : first + _SIDE_BY_SIDE]]
            x, lengths = padding.pad(some)
            state = self.network.begin(self.parameters, x, padding.mask(lengths))
            found += decoding.beam_search(
                step, state, len(some), self.target.start, END, longest, width, length_power, best
            )
        return found

    def translate(
        self, sources: Sequence[Words], width: int = 1, length_power: float = 0.0, longest: int = 50
    ) -> list[list[str]]:
        """The best translation of each sentence, in words.

        Args and errors as for `hypotheses`.
        """
        found = self.hypotheses(sources, width, length_power, longest=longest)
        return [self.target.decode(best.symbols) for best, *_ in found]

    def log_probabilities(self, sources: Sequence[Words], targets: Sequence[Words]) -> np.ndarray:
        """The natural logarithm of the probability of each target, its end included, given its source: (m,).

        Raises:
            ValueError: as for `batch`.
        """
        pairs = self.batch(sources, targets)
        return -self.network.losses(self.parameters, pairs).sum(axis=0)

    def attention_weights(self, source: Words, target: Words) -> np.ndarray:
        """How much each symbol of a target, and its end, looked at each symbol of the source: (T_y, T_x).

        Raises:
            ValueError: the network has no attention, or the source is empty.
        """
        return self.network.attention_weights(self.parameters, self.batch([source], [target]))[:, :, 0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write description, vocabularies and parameters to one .npz file, whole or not at all; no pickle is involved.

        Raises:
            TypeError: the encoder or the decoder is, or holds, a layer of another kind than this package's.
        """
        described = {
            "encoder": _described(self.network.encoder),
            "decoder": _described(self.network.decoder),
            "attention": self.network.attention,
            "bridge": self.network.bridge,
            "source": self.source.words,
            "target": self.target.words,
        }
        write_arrays(path, described, self.parameters, default=operator.index)  # sizes may be integers of NumPy's

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Translator":
        """Read a translator that `save` has written.

        Raises:
            TranslatorFileError: the file is something else, or damaged.
            FileNotFoundError: there is no such file.
        """
        with arrays_from(path, "saved translator", TranslatorFileError) as (described, parameters):
            source, target = Vocabulary(described["source"]), Vocabulary(described["target"])
            encoder, decoder = (_from_description(described[name]) for name in ("encoder", "decoder"))
            more = {name: described[name] for name in ("attention", "bridge")}
            network = SequenceToSequence(encoder, decoder, source.size, target.size, **more)
            _check_saved(network, parameters)
            return cls(network, parameters, source, target)


_SIDE_BY_SIDE = 256
"""How many sources are searched side by side."""


def _stacked(kind: Callable, unit: str, n_x: int, hidden: int, layers: int) -> Any:
    """One layer, or several above each other."""
    if layers < 1:
        raise ValueError(f"there has to be at least 1 layer; got {layers}")
    lowest = kind(unit, n_x, hidden)
    if layers == 1:
        return lowest
    return deep.Stack((lowest, *(kind(unit, lowest.n_out, hidden) for _ in range(layers - 1))))


_KINDS = {
    "one direction": recurrence.Layer,
    "both directions": bidirectional.Layer,
    "stack": deep.Stack,
    "columns": deep.Columns,
}
"""What a layer is called in a file."""


def _described(layer: Any) -> dict[str, Any]:
    """A layer in JSON's types: its kind and its attributes, those of a stack layer by layer."""
    names = {kind: name for name, kind in _KINDS.items()}
    if type(layer) not in names:
        raise TypeError(f"only networks of this package's layers can be saved; got {type(layer).__name__}")
    own = {field.name: getattr(layer, field.name) for field in fields(layer)}
    if "layers" in own:
        own["layers"] = [_described(each) for each in own["layers"]]
    return {"kind": names[type(layer)]} | own


def _from_description(described: dict[str, Any]) -> Any:
    """The layer that `_described` was given."""
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in described.items()}
    kind = own.pop("kind")
    if kind not in _KINDS:
        raise ValueError(f"there is no kind of layer called {kind!r}; there are {', '.join(_KINDS)}")
    if "layers" in own:
        own["layers"] = tuple(_from_description(each) for each in own["layers"])
    return _KINDS[kind](**own)


def _check_saved(network: SequenceToSequence, parameters: Parameters) -> None:
    """Raise a ValueError unless these are the parameters of this network, all of one floating-point type."""
    network.check_parameters(parameters)
    expected = network.create(np.random.default_rng(0))
    for name in expected:
        if name not in parameters:
            raise ValueError(f"the parameter {name} is missing")
        if parameters[name].shape != expected[name].shape:
            raise ValueError(f"{name} has the shape {parameters[name].shape}; it has to be {expected[name].shape}")
        if parameters[name].dtype.kind != "f" or parameters[name].dtype != parameters["Wya"].dtype:
            raise ValueError(
                f"{name} has to be of the floating-point type of Wya, {parameters['Wya'].dtype}; got "
                f"{parameters[name].dtype}"
            )
    if set(parameters) - set(expected):
        raise ValueError(f"this network has no parameter {', '.join(sorted(set(parameters) - set(expected)))}")


def _reads_both_ways(layer: Any) -> bool:
    return isinstance(layer, bidirectional.Layer) or any(map(_reads_both_ways, getattr(layer, "layers", ())))


def _columns_of(E: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Embeddings of ids (T, m): (T, n_e, m)."""
    return np.ascontiguousarray(np.moveaxis(look_up(E, ids.reshape(1, -1)).reshape(-1, *ids.shape), 0, 1))


def _into_columns(d_embedded: np.ndarray, ids: np.ndarray, number: int) -> np.ndarray:
    """The gradient of an embedding matrix: what came back for each id, added up."""
    flat = np.moveaxis(d_embedded, 1, 0).reshape(d_embedded.shape[1], -1)
    return add_columns(flat, ids.reshape(1, -1), number)
