"""The recurrent language model: read a symbol, update the state, say what comes next.

A sentence w1 .. wn is read as <s> w1 .. wn, and what has to be predicted is w1 .. wn </s>, one step ahead:

    x^<t>     = E[:, w]                                (n_e, m)      the embedding of what is read, if there is one
    a^<t>     = tanh(Waa a^<t-1> + Wax x^<t> + ba)     (n_a, m)      eq-rnn-state
    y_hat^<t> = softmax(Wya a^<t> + by)                (V, m)        eq-rnn-output

In the place of the second line any layer can stand: any unit of `unrolled.recurrence`, and several of them on top of
each other (`unrolled.deep`).

Without an embedding x^<t> is one-hot, and Wax x^<t> is the choice of a column of Wax (n_a, V + 1): right for a
handful of characters. With one, Wax is (n_a, n_e). With *tied* embeddings (Press & Wolf 2017; Inan, Khosravi & Socher
2017) the embeddings of the V symbols that can be predicted serve as the output's weights too, Wya = E[:, :V].T
(eq-tied-embeddings); if n_e differs from n_a, a projection Wea (n_e, n_a) comes between: z_y = E[:, :V].T (Wea a) +
by.

Dropout (eq-dropout; Srivastava et al. 2014) acts on the embeddings that are read and on the states on their way to the
output, never on the way from one state to the next (Zaremba, Sutskever & Vinyals 2014).

The functions of this module work on a dictionary of parameters and on ids, time first, a column for each sequence; the
recurrence and its backward pass are those of `unrolled.rnn`. The class `RecurrentModel` adds what has state: a
vocabulary, training, and files.
"""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unrolled import deep, metrics, optimisers, padding, rnn, sampling, training
from unrolled.activations import softmax
from unrolled.columns import as_part, choice
from unrolled.files import arrays_from, write_arrays
from unrolled.losses import softmax_cross_entropy
from unrolled.recurrence import UNITS, Layer, check_sizes
from unrolled.vocabulary import Vocabulary
from unrolled.window import Parameters, Sentences, add_columns, look_up


class RecurrentFileError(ValueError):
    """A file is no saved recurrent language model."""


class Dropped(NamedTuple):
    """What dropout multiplies with: 0, or 1 / (1 - rate) for what is kept.

    Attributes:
        x: for the embeddings that are read, (T, n_e, m); None without an embedding.
        a: for the states on their way to the output, (T, n_a, m).
        between: for what each layer but the lowest reads, (T, n_a, m) each; None for a single layer.
    """

    x: np.ndarray | None
    a: np.ndarray
    between: tuple[np.ndarray, ...] | None = None


class Step(NamedTuple):
    """What `cost_and_gradients` finds.

    Attributes:
        J: the mean loss in nats.
        gradients: of every parameter, under its name.
        ds0: the gradient of the initial state, (n_s, m).
        run: of the layer, see `read`.
    """

    J: np.floating
    gradients: Parameters
    ds0: np.ndarray
    run: Any

    @property
    def s_last(self) -> np.ndarray:
        """The state after the last step, (n_s, m): what a next piece of text starts from."""
        return self.run.s_last

    @property
    def da0(self) -> np.ndarray:
        """The gradient of the initial state of the simple unit, (n_a, m)."""
        return self.ds0

    @property
    def a(self) -> np.ndarray:
        """The states of a single layer, (T + 1, n_s, m), the initial one included."""
        return self.run.s


def read_and_predict(vocabulary: Vocabulary, sentences: Sentences) -> tuple[np.ndarray, np.ndarray]:
    """What the model reads and what it predicts, for all sentences behind one another.

    The sentence `to be` gives `<s> to be` to be read and `to be </s>` to be predicted. After the last word of a
    sentence the next thing to be read is the `<s>` of the following one: `</s>` is predicted and never read, `<s>` is
    read and never predicted.

    Args:
        vocabulary: gives the ids; unknown words become `<unk>`.
        sentences: lists of words.

    Returns:
        Two vectors of ids, as long as there are words and sentences, int64.

    Raises:
        ValueError: there are no sentences, or a sentence holds `<s>` or `</s>`, which are added here.
    """
    flat = vocabulary.encode_sentences(sentences)  # <s> w w </s> <s> w ... </s>
    if flat.size == 0:
        raise ValueError("there are no sentences")
    starts, ends = flat == vocabulary.start, flat == vocabulary.end
    if not starts[0] or not ends[-1] or not np.array_equal(starts[1:], ends[:-1]):
        raise ValueError("a sentence holds <s> or </s>; both are added here and may not be in the text")
    return flat[~ends], flat[~starts]


def number_of_parameters(
    size: int, hidden: int, embedding: int | None = None, tied: bool = False, unit: str = "rnn", layers: int = 1
) -> int:
    """How many numbers the model learns.

    Args:
        size: V, the number of symbols it can predict; `<s>` is read as well.
        hidden: n_a.
        embedding: n_e; None for a one-hot input (for tied embeddings: n_e = n_a).
        tied: whether the output shares the embeddings.
        unit: a name of `unrolled.recurrence.UNITS`.
        layers: how many are on top of each other.
    """
    if tied and embedding is None:
        embedding = hidden
    inputs = size + 1 if embedding is None else embedding
    gates, extra = len(UNITS[unit].gates), len(UNITS[unit].extra)
    count = layers * hidden * (gates * (hidden + 1) + extra)  # Waa, ba, bca
    count += gates * hidden * (inputs + (layers - 1) * hidden)  # Wax
    count += 0 if embedding is None else embedding * (size + 1)  # E
    if tied:
        return count + size + (0 if embedding == hidden else embedding * hidden)  # by, Wea
    return count + size * (hidden + 1)  # Wya, by


def draw_dropout(
    rng: np.random.Generator, parameters: Parameters, T: int, m: int, rate: float, layer: Any | None = None
) -> Dropped:
    """Which numbers a step of T times m predictions drops. Implements eq-dropout.

    Args:
        rng: decides.
        parameters: give n_e, n_a and the data type.
        T: steps.
        m: columns.
        rate: the probability of being dropped, at least 0 and below 1.
        layer: see `read`.
    """
    layer = _simple(parameters) if layer is None else layer
    dtype = parameters["by"].dtype

    def kept(n: int) -> np.ndarray:
        return (rng.random((T, n, m)) >= rate) * dtype.type(1 / (1 - rate))  # eq-dropout

    x, a = kept(parameters["E"].shape[0]) if "E" in parameters else None, kept(layer.n_out)
    between = layer.draw_dropout(rng, T, m, rate, dtype) if isinstance(layer, deep.Stack) else None
    return Dropped(x, a, between)


def _simple(parameters: Parameters) -> Layer:
    """The layer that the parameters have when nothing else is said: one simple unit."""
    n_a, n_x = parameters["Wax"].shape
    return Layer("rnn", n_x, n_a)


def states(
    parameters: Parameters,
    x: np.ndarray,
    a0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    dropped: Dropped | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """What one layer of the simple unit makes of a text; see `read`.

    Returns:
        What the layer was given, ids (T, m) or embeddings (T, n_e, m), and a (T + 1, n_a, m).
    """
    inputs, run = read(parameters, x, a0, mask, dropped)
    return inputs, run.s


def read(
    parameters: Parameters,
    x: np.ndarray,
    s0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    dropped: Dropped | None = None,
    layer: Any | None = None,
) -> tuple[np.ndarray, Any]:
    """What a layer makes of a text.

    Args:
        parameters: see `RecurrentModel`.
        x: ids to be read, (T, m).
        s0: the state before the first of them, (n_s, m); zeros when it is not given.
        mask: booleans (T, m); where False, the state is carried over.
        dropped: see `draw_dropout`; None drops nothing.
        layer: what reads, as in `RecurrentModel.layer`; one layer of the simple unit when it is not given.

    Returns:
        What the layer was given, ids (T, m) or embeddings (T, n_e, m), and its run with its outputs and s_last.
    """
    layer = _simple(parameters) if layer is None else layer
    if "E" in parameters:
        embedded = look_up(parameters["E"], np.reshape(x, (1, -1)))  # (n_e, T m)
        x = np.moveaxis(embedded.reshape(-1, *x.shape), 0, 1)  # (T, n_e, m)
        if dropped is not None:
            x = x * dropped.x
    if isinstance(layer, deep.Stack):
        return x, layer.forward(parameters, x, s0, mask, None if dropped is None else dropped.between)
    return x, layer.forward(parameters, x, s0, mask)


def scores(parameters: Parameters, a: np.ndarray) -> np.ndarray:
    """The scores of the V symbols after each state: (T, V, m). Implements eq-tied-embeddings.

    Args:
        parameters: see `RecurrentModel`.
        a: states (T, n_a, m).
    """
    return rnn.output_scores(_output(parameters), _projected(parameters, a))


def _output(parameters: Parameters) -> Parameters:
    """Wya (V, n) and by (V, 1): with tied embeddings, Wya is a view of E."""
    by = parameters["by"]
    return {"Wya": parameters.get("Wya") if "Wya" in parameters else parameters["E"][:, : by.shape[0]].T, "by": by}


def _projected(parameters: Parameters, a: np.ndarray) -> np.ndarray:
    """Wea a (T, n_e, m), or a itself where there is no projection."""
    if "Wea" not in parameters:
        return a
    return rnn.output_scores(_projection(parameters), a)


def _projection(parameters: Parameters) -> Parameters:
    Wea = parameters["Wea"]
    return {"Wya": Wea, "by": np.zeros((Wea.shape[0], 1), Wea.dtype)}


def cost(
    parameters: Parameters,
    x: np.ndarray,
    targets: np.ndarray,
    a0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    dropped: Dropped | None = None,
    layer: Any | None = None,
) -> np.floating | np.complexfloating:
    """The mean loss of a batch in nats; takes complex parameters for the complex step.

    Args and errors as for `cost_and_gradients`.
    """
    _, run = read(parameters, x, a0, mask, dropped, layer)
    z_y = scores(parameters, _to_output(run.outputs, dropped))
    losses, _ = softmax_cross_entropy(z_y, np.where(_all(mask), targets, 0))
    return losses[np.broadcast_to(_all(mask), losses.shape)].mean()


def cost_and_gradients(
    parameters: Parameters,
    x: np.ndarray,
    targets: np.ndarray,
    a0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    dropped: Dropped | None = None,
    layer: Any | None = None,
) -> Step:
    """The mean loss in nats and the gradient of each parameter: forward and backward through T steps.

    The state a0 is taken as it is: nothing flows back to what computed it (eq-truncated-bptt).

    Args:
        parameters: see `RecurrentModel`.
        x: ids to be read, (T, m).
        targets: ids to be predicted, (T, m).
        a0: the state before the first of them, (n_s, m); zeros when it is not given.
        mask: booleans (T, m); where False, the state is carried over and the prediction does not count.
        dropped: see `draw_dropout`; None drops nothing.
        layer: see `read`.

    Raises:
        ValueError: an id is out of range, or a shape does not fit.
    """
    layer = _simple(parameters) if layer is None else layer
    _, run = read(parameters, x, a0, mask, dropped, layer)
    h = _to_output(run.outputs, dropped)
    e, output = _projected(parameters, h), _output(parameters)
    number = np.size(x) if mask is None else np.count_nonzero(mask)
    # From here on all gradients are those of the mean: the first ones, at the scores, are divided by the number.
    losses, gradients, de = rnn.output_losses_and_gradients(output, e, targets, mask, 1 / number)
    dh = de
    if "Wea" in parameters:
        of_projection, dh = rnn.output_backward(_projection(parameters), h, de)
        gradients["Wea"] = of_projection["Wya"]
    back = layer.backward(parameters, run, dh if dropped is None else dh * dropped.a)
    gradients |= back.gradients
    if "E" in parameters:
        dx = back.dx if dropped is None else back.dx * dropped.x
        ids = np.reshape(x if mask is None else np.where(mask, x, 0), (1, -1))  # dx is zero under the mask
        gradients["E"] = add_columns(np.moveaxis(dx, 1, 0).reshape(dx.shape[1], -1), ids, parameters["E"].shape[1])
        if "Wya" not in parameters:
            gradients["E"][:, : output["by"].shape[0]] += gradients.pop("Wya").T  # eq-tied-embeddings
    return Step(losses.sum() * losses.dtype.type(1 / number), gradients, back.ds0, run)


def _to_output(outputs: np.ndarray, dropped: Dropped | None) -> np.ndarray:
    return outputs if dropped is None else outputs * dropped.a


def _all(mask: np.ndarray | None) -> np.ndarray:
    return np.array(True) if mask is None else mask


class RecurrentModel:
    """A recurrent language model with its vocabulary: to be made, trained, asked and kept.

    Attributes:
        vocabulary: the symbols.
        parameters: Waa (n_a, n_a), Wax (n_a, V + 1), ba (n_a, 1), Wya (V, n_a), by (V, 1); with an embedding also
            E (n_e, V + 1), and Wax (n_a, n_e); with tied embeddings no Wya, but Wea (n_e, n_a) if n_e differs from n_a.
            All of one floating-point type. Of a gated unit, Waa, Wax and ba have a block of n_a rows for each gate
            (see `unrolled.gated`); of several layers, they are called 1.Waa, ..., 2.Waa, ... from the lowest on.
        dropout: the probability with which training drops a number; nothing is dropped when the model is asked.
        unit: a name of `unrolled.recurrence.UNITS`.
        layers: how many are on top of each other.

    Raises:
        ValueError: a parameter is missing or has a wrong shape or type; the message names it and what would be right.
    """

    def __init__(
        self, vocabulary: Vocabulary, parameters: Parameters, dropout: float = 0.0, unit: str = "rnn", layers: int = 1
    ):
        choice("unit", unit, UNITS)
        check_sizes(layers=layers)
        _check_parameters(vocabulary, parameters, unit, layers)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is a probability, at least 0 and below 1; got {dropout}")
        self.vocabulary = vocabulary
        self.parameters = dict(parameters)
        self.dropout = float(dropout)
        self.unit = unit
        self.layers = layers

    @classmethod
    def create(
        cls,
        rng: np.random.Generator,
        vocabulary: Vocabulary,
        hidden: int = 128,
        embedding: int | None = None,
        tied: bool = False,
        dropout: float = 0.0,
        recurrent: str = "orthogonal",
        frequencies: np.ndarray | None = None,
        embedding_scale: float = 0.1,
        dtype: type = np.float64,
        unit: str = "rnn",
        layers: int = 1,
    ) -> "RecurrentModel":
        """A model that has learned nothing yet; see `unrolled.recurrence.Layer.create` for how matrices start.

        Args:
            rng: draws the matrices.
            vocabulary: the symbols.
            hidden: n_a, the length of the state.
            embedding: n_e, the length of an embedding; None for a one-hot input, or with `tied` for n_e = n_a.
            tied: whether the output shares the embeddings.
            dropout: the probability with which training drops a number.
            recurrent: how Waa starts: "uniform", "orthogonal" or "identity".
            frequencies: how often each of the V symbols is predicted in the training text; their logarithms become by,
                so that training starts near the unigram model.
            embedding_scale: standard deviation of the entries of E.
            dtype: float64 or float32.
            unit: a name of `unrolled.recurrence.UNITS`: "rnn", "gru", "gru-reset-after", "lstm", ...
            layers: how many are on top of each other.

        Raises:
            ValueError: a size is below 1, or another argument is out of range.
        """
        size = vocabulary.size
        if tied and embedding is None:
            embedding = hidden
        if embedding is not None and embedding < 1:
            raise ValueError(f"embedding has to be at least 1, or None; got {embedding}")
        check_sizes(layers=layers)
        parameters: Parameters = {}
        layer = stacked(unit, size + 1 if embedding is None else embedding, hidden, layers)
        for level, each in enumerate(layer.layers if layers > 1 else (layer,), start=1):
            own = each.create(rng, recurrent=recurrent)
            parameters |= own if layers == 1 else as_part(own, str(level))
        bound = 1 / np.sqrt(hidden)
        parameters["Wya"] = rng.uniform(-bound, bound, (size, hidden))
        parameters["by"] = np.zeros((size, 1))
        if embedding is not None:
            parameters["E"] = rng.normal(0, embedding_scale, (embedding, size + 1))
        if tied:
            del parameters["Wya"]
            if embedding != hidden:
                parameters["Wea"] = rng.uniform(-bound, bound, (embedding, hidden))
        if frequencies is not None:
            frequencies = np.asarray(frequencies, dtype=np.float64)
            if frequencies.shape != (size,) or not (frequencies >= 0).all() or not 0 < frequencies.sum() < np.inf:
                raise ValueError(f"frequencies are V = {size} counts, not negative and not all zero")
            smoothed = frequencies + 0.5  # a symbol that was never predicted keeps a finite bias
            parameters["by"] = np.log(smoothed / smoothed.sum())[:, None]
        arrays = {name: value.astype(dtype) for name, value in parameters.items()}
        return cls(vocabulary, arrays, dropout, unit, layers)

    @property
    def hidden(self) -> int:
        """n_a, the length of the state."""
        return self.layer.n_out

    @property
    def layer(self) -> Any:
        """What reads: a `recurrence.Layer`, or a `deep.Stack` of several."""
        n_x, n_a = _sizes(self.parameters, self.layers)
        return stacked(self.unit, n_x, n_a, self.layers)

    @property
    def number_of_parameters(self) -> int:
        """How many numbers the model has learned."""
        return rnn.number_of_parameters(self.parameters)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in self.parameters.items())
        return f"RecurrentModel over {self.vocabulary.size} symbols: {shapes}"

    def log_probabilities(self, sentences: Sentences, carry: bool = False) -> np.ndarray:
        """The natural logarithm of the probability of each token given all before it, `</s>` included.

        Args:
            sentences: lists of words; unknown words count as `<unk>`.
            carry: False starts each sentence from the zero state, so that its probability depends on nothing else, and
                reads many sentences side by side. True reads all sentences as one text from front to back and never
                resets the state, as training does; one step then has to wait for the one before.

        Returns:
            float64, one number per word and one per sentence end, in the order of the text; empty without sentences.
        """
        sentences = list(sentences)
        if not sentences:
            return np.empty(0)
        x, y = read_and_predict(self.vocabulary, sentences)
        if carry:
            return self._log_probabilities(x[:, None], y[:, None])[:, 0]
        lengths = np.array([len(sentence) + 1 for sentence in sentences])
        first = np.cumsum(lengths) - lengths
        result = np.empty(x.size)
        by_length = np.argsort(lengths, kind="stable")
        for some in np.array_split(by_length, -(-len(by_length) // _SIDE_BY_SIDE)):  # of about equal lengths
            inside = padding.mask(lengths[some])  # (T, m)
            place = np.where(inside, first[some] + np.arange(len(inside))[:, None], 0)
            result[place[inside]] = self._log_probabilities(x[place], y[place])[inside]
        return result

    def _log_probabilities(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """For ids (T, m), a bearable number of scores at a time; what stands after an end changes nothing before it."""
        result, s0 = np.empty(x.shape), None
        T = max(1, _SCORES_AT_ONCE // (self.vocabulary.size * x.shape[1]))
        for start in range(0, len(x), T):
            part = slice(start, start + T)
            run = self._read(x[part], s0)
            z_y = scores(self.parameters, run.outputs)
            result[part] = -softmax_cross_entropy(z_y, y[part], out=z_y)[0]
            s0 = run.s_last
        return result

    def _read(self, x: np.ndarray, s0: np.ndarray | None = None) -> Any:
        """The layer's run over ids (T, m)."""
        return read(self.parameters, x, s0, layer=self.layer)[1]

    def sentence_log_probabilities(self, sentences: Sentences, carry: bool = False) -> np.ndarray:
        """The natural logarithm of the probability of each sentence, its `</s>` included."""
        sentences = list(sentences)
        tokens = np.array([len(sentence) + 1 for sentence in sentences], dtype=np.int64)
        if not tokens.size:
            return np.empty(0)
        return np.add.reduceat(self.log_probabilities(sentences, carry), np.cumsum(tokens) - tokens)

    def perplexity(self, sentences: Sentences, carry: bool = False) -> float:
        """Per predicted token; `</s>` counts, `<s>` does not.

        Raises:
            ValueError: there are no sentences.
        """
        return metrics.perplexity(self.log_probabilities(sentences, carry))

    def distribution(self, context: Sequence[str] = ()) -> np.ndarray:
        """The probabilities (V,) of the next symbol after some words, in the order of the ids.

        Args:
            context: the words before, from the beginning of the sentence; `<s>` may stand in front.
        """
        run = self._read(self._context_ids(context)[:, None])
        return softmax(scores(self.parameters, run.outputs[-1:])[0])[:, 0]

    def _context_ids(self, context: Sequence[str]) -> np.ndarray:
        ids = self.vocabulary.encode(context)
        return ids if ids.size and ids[0] == self.vocabulary.start else np.append(self.vocabulary.start, ids)

    def sample(
        self,
        rng: np.random.Generator,
        temperature: float = 1.0,
        top_k: int | None = None,
        nucleus: float | None = None,
        context: Sequence[str] = (),
        maximum_length: int = 200,
    ) -> list[str]:
        """Draw a sentence word by word. Implements eq-temperature, eq-top-k and eq-nucleus, in this order.

        Args:
            rng: the source of randomness.
            temperature: T >= 0; see `unrolled.sampling.temper`.
            top_k: how many of the most probable words may be drawn; None for all.
            nucleus: the mass that the most probable words have to reach; None for all.
            context: words that the sentence begins with; they are not returned. `<s>` before them is understood.
            maximum_length: stop after so many words although no `</s>` was drawn.

        Returns:
            The words drawn, without `</s>`.

        Raises:
            ValueError: an argument is out of range.
        """
        if maximum_length < 0:
            raise ValueError(f"maximum_length cannot be negative; got {maximum_length}")
        drawn: list[int] = []
        x, s0 = self._context_ids(context)[:, None], None
        while len(drawn) < maximum_length:
            run = self._read(x, s0)
            z_y = scores(self.parameters, run.outputs[-1:])[0, :, 0]
            p = sampling.temper(scores=z_y, temperature=temperature)
            if top_k is not None:
                p = sampling.top_k(p, top_k)
            if nucleus is not None:
                p = sampling.nucleus(p, nucleus)
            word = sampling.draw(p, rng)
            if word == self.vocabulary.end:
                break
            drawn.append(word)
            x, s0 = np.array([[word]]), run.s_last
        return self.vocabulary.decode(drawn)

    def train(
        self,
        sentences: Sentences,
        rng: np.random.Generator,
        *,
        epochs: float = 1.0,
        steps: int | None = None,
        streams: int = 16,
        length: int = 32,
        rate: float = 6e-3,
        schedule: optimisers.Schedule = optimisers.linear,
        optimiser: optimisers.Optimiser | None = None,
        grad_clip: float | None = 1.0,
        valid: Sentences | None = None,
        every: int = 100,
        patience: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> training.History:
        """Truncated backpropagation through time on the mean loss, by Adam unless another optimiser is given.

        The sentences, one behind the other, are cut into `streams` pieces of equal length that are read side by side,
        `length` steps at a time. The state at the end of a segment is where the next one begins; it is not reset
        between sentences, whose ends the network sees as `<s>` in what it reads, and it is zero again when the text
        begins anew.

        Args:
            sentences: the training text.
            rng: decides what is dropped.
            epochs: passes over the text; fractions are welcome.
            steps: the number of updates, instead of epochs.
            streams: m, pieces of the text that are read side by side.
            length: T, the steps of a segment, through which the gradient flows back.
            rate: Adam's learning rate.
            schedule: a factor of the rate as a function of the fraction of training that is over. At rates near 1e-2
                a warm-up, `optimisers.warmup(optimisers.linear, 0.1)`, keeps the first hundred steps from magnifying
                rounding; thousands of steps at such a rate still let it grow to a thousandth of the loss.
            optimiser: another optimiser than Adam(rate); its own rate holds.
            grad_clip: the largest global norm of the gradient; None never clips.
            valid: other sentences, whose mean loss, each by itself, is measured every `every` steps.
            every: steps from one measurement, and one checkpoint, to the next.
            patience: see `unrolled.training.train`.
            checkpoint: a file from which an interrupted training goes on; see `unrolled.training.train`.

        Returns:
            The history; costs and evaluations are in nats per token.

        Raises:
            ValueError: an argument is out of range.
            TrainingError, CheckpointError: see `unrolled.training.train`.
        """
        if not epochs > 0:
            raise ValueError(f"epochs has to be positive; got {epochs}")
        x, y = (training.streams(ids, streams) for ids in read_and_predict(self.vocabulary, sentences))
        batches = training.segments(x, y, length)
        # The arrays that the model was made of are left alone.
        self.parameters = {name: value.copy() for name, value in self.parameters.items()}
        valid = None if valid is None else list(valid)
        layer = self.layer

        def step(parameters: Parameters, batch: tuple[np.ndarray, np.ndarray], s0: np.ndarray | None):
            dropped = draw_dropout(rng, parameters, *batch[0].shape, self.dropout, layer) if self.dropout else None
            result = cost_and_gradients(parameters, *batch, s0, dropped=dropped, layer=layer)
            return result.J, result.gradients, result.s_last.copy()

        return training.train(
            self.parameters,
            step,
            batches,
            optimisers.Adam(rate) if optimiser is None else optimiser,
            steps=max(1, round(epochs * len(batches))) if steps is None else steps,
            grad_clip=grad_clip,
            schedule=schedule,
            checkpoint=checkpoint,
            every=every,
            evaluate=None if valid is None else lambda parameters: -self.log_probabilities(valid).mean(),
            patience=patience,
            rng=rng,
            description="recurrent language model",
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one .npz file, whole or not at all; no pickle is involved."""
        model = {"words": self.vocabulary.words, "dropout": self.dropout, "unit": self.unit, "layers": self.layers}
        write_arrays(path, model, self.parameters)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RecurrentModel":
        """Read a model that `save` has written.

        Raises:
            RecurrentFileError: the file is something else, or damaged.
            FileNotFoundError: there is no such file.
        """
        with arrays_from(path, "saved recurrent language model", RecurrentFileError) as (model, parameters):
            return cls(Vocabulary(model["words"]), parameters, model["dropout"], model["unit"], model["layers"])


_SIDE_BY_SIDE = 64  # sentences that are read together when nothing is carried over
_SCORES_AT_ONCE = 1 << 21  # numbers, 16 MB of float64


def stacked(unit: str, n_x: int, n_a: int, layers: int) -> Any:
    """One layer, or several of one kind and size on top of each other: `recurrence.Layer` or `deep.Stack`."""
    if layers == 1:
        return Layer(unit, n_x, n_a)
    return deep.Stack((Layer(unit, n_x, n_a), *[Layer(unit, n_a, n_a)] * (layers - 1)))


def _sizes(parameters: Parameters, layers: int) -> tuple[int, int]:
    """n_x and n_a of the lowest layer."""
    lowest = "" if layers == 1 else "1."
    return parameters[f"{lowest}Wax"].shape[1], parameters[f"{lowest}Waa"].shape[1]


def _check_parameters(vocabulary: Vocabulary, parameters: Parameters, unit: str, layers: int) -> None:
    own = list(UNITS[unit].shapes)
    of_layers = own if layers == 1 else [f"{level}.{name}" for level in range(1, layers + 1) for name in own]
    names = {*of_layers, "Wya", "by"}
    if "E" in parameters and "Wya" not in parameters:
        names -= {"Wya"}
        names |= {"Wea"} & set(parameters)
    if "E" in parameters:
        names |= {"E"}
    for name in sorted(names - set(parameters)):
        raise ValueError(f"the parameter {name} is missing; there are {', '.join(parameters) or 'none'}")
    if set(parameters) - names:
        raise ValueError(f"this recurrent model has no parameter {', '.join(sorted(set(parameters) - names))}")
    first = of_layers[0]
    for name, value in parameters.items():
        if value.ndim != 2 or value.dtype.kind != "f" or value.dtype != parameters[first].dtype:
            raise ValueError(
                f"{name} has to be a matrix of floating-point numbers of the type of {first}, "
                f"{parameters[first].dtype}; got {value.dtype} of shape {value.shape}"
            )
    size, hidden = vocabulary.size, parameters[first].shape[1]
    embedding = parameters["E"].shape[0] if "E" in parameters else None
    if embedding is not None and "Wya" not in parameters and "Wea" not in parameters and embedding != hidden:
        raise ValueError(
            f"tied embeddings of length {embedding} need a projection Wea ({embedding}, {hidden}) from the state"
        )
    lowest = size + 1 if embedding is None else embedding
    axes = {"G n_a": len(UNITS[unit].gates) * hidden, "n_a": hidden, "1": 1}
    shapes = {
        name: tuple(axes.get(axis, hidden if name[0].isdigit() and name[:2] != "1." else lowest) for axis in of_unit)
        for name, of_unit in zip(of_layers, [*UNITS[unit].shapes.values()] * layers, strict=True)
    }
    shapes |= {
        "Wya": (size, hidden),
        "by": (size, 1),
        "E": (embedding, size + 1),
        "Wea": (embedding, hidden),
    }
    for name, value in parameters.items():
        if value.shape != shapes[name]:
            raise ValueError(
                f"{name} has to have shape {shapes[name]} for V = {size}, n_a = {hidden}"
                + (f" and n_e = {embedding}" if embedding is not None else "")
                + f"; got {value.shape}"
            )
