"""The fixed-window neural language model of Bengio, Ducharme, Vincent and Jauvin (2003).

The last n - 1 words are looked up in an embedding matrix, their columns are stacked, and a network with one hidden
layer gives the probabilities of the next word:

    x     = [E[:, w1]; ...; E[:, wk]]                  (k n_e, m)    eq-window-input
    a     = tanh(Wh x + bh)                            (n_h, m)      eq-window-hidden
    y_hat = softmax(Wy a + Wd x + by)                  (V, m)        eq-window-scores, eq-softmax

with k = n - 1 words of context, m predictions at a time, one per column, and the direct connections Wd optional. The
functions of this module work on a dictionary of parameters and on ids; the class `WindowModel` adds what has state: a
vocabulary, training, and files.
"""

import os
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from tqdm import tqdm

from unrolled import metrics
from unrolled.activations import softmax
from unrolled.files import arrays_from, write_arrays
from unrolled.losses import softmax_cross_entropy
from unrolled.training import TrainingError
from unrolled.vocabulary import Vocabulary

Parameters = dict[str, np.ndarray]
Sentences = Iterable[Sequence[str]]


class WindowFileError(ValueError):
    """A file is no saved window model."""


def windows(vocabulary: Vocabulary, sentences: Sentences, context: int) -> tuple[np.ndarray, np.ndarray]:
    """What the model reads and what it has to predict, for every token of some sentences.

    Each sentence is preceded by as many `<s>` as the window needs and followed by `</s>`, which is predicted.

    Args:
        vocabulary: gives the ids; unknown words become `<unk>`.
        sentences: lists of words.
        context: k = n - 1, the number of words that the model reads, at least 1.

    Returns:
        The contexts (k, N), the oldest word in row 0, and the targets (N,), both int64, in the order of the text.

    Raises:
        ValueError: `context` is below 1, or there are no sentences.
    """
    if context < 1:
        raise ValueError(f"the window has to hold at least 1 word of context; got {context}")
    flat = vocabulary.encode_sentences(sentences)  # <s> w w </s> <s> w ... </s>
    if flat.size == 0:
        raise ValueError("there are no sentences")
    is_start = flat == vocabulary.start
    last_start = np.maximum.accumulate(np.where(is_start, np.arange(flat.size), 0))
    place = np.flatnonzero(~is_start)  # of each predicted token in the flat text
    depth = place - last_start[place]  # 1 for the first word of a sentence
    contexts = np.empty((context, place.size), dtype=np.int64)
    for back in range(1, context + 1):
        contexts[context - back] = np.where(back <= depth, flat[np.maximum(place - back, 0)], vocabulary.start)
    return contexts, flat[place]


def number_of_parameters(
    size: int, context: int, embedding: int, hidden: int, direct: bool = False, biases: bool = True
) -> int:
    """How many numbers the model learns. Implements eq-window-parameters.

    Args:
        size: V, the number of symbols it can predict; `<s>` has an embedding as well.
        context: k, the number of words it reads.
        embedding: n_e, the length of an embedding.
        hidden: n_h, the number of hidden units.
        direct: whether there are direct connections from the input to the output.
        biases: whether bh and by are counted.
    """
    count = embedding * (size + 1) + hidden * context * embedding + size * hidden  # E, Wh, Wy
    count += size * context * embedding if direct else 0  # Wd
    return count + (hidden + size if biases else 0)


def scores(parameters: Parameters, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The forward pass up to the scores of the softmax. Implements eq-window-input, eq-window-hidden and
    eq-window-scores.

    Args:
        parameters: E, Wh, bh, Wy, by and, for direct connections, Wd.
        contexts: ids (k, m).

    Returns:
        x (k n_e, m), a (n_h, m) and z_y (V, m).
    """
    x = look_up(parameters["E"], contexts)
    a = np.tanh(parameters["Wh"] @ x + parameters["bh"])
    z_y = parameters["Wy"] @ a
    if "Wd" in parameters:
        z_y = _add(z_y, parameters["Wd"] @ x)
    return x, a, _add(z_y, parameters["by"])


def _add(z: np.ndarray, other: np.ndarray) -> np.ndarray:
    """z + other, in the memory of z unless only `other` is complex."""
    return np.add(z, other, out=z if np.result_type(z, other) == z.dtype else None)


def look_up(E: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """The embeddings of the words of each context, one below the other: (k n_e, m). Implements eq-window-input.

    Raises:
        ValueError: an id is negative or has no column in E (NumPy would take -1 for the last column).
    """
    if contexts.ndim != 2 or contexts.dtype.kind not in "iu":
        raise ValueError(f"contexts are ids of shape (k, m); got {contexts.dtype} of shape {contexts.shape}")
    if contexts.size and (contexts.min() < 0 or contexts.max() >= E.shape[1]):
        wrong = contexts.min() if contexts.min() < 0 else contexts.max()
        raise ValueError(
            f"the id {wrong} is out of range: E has {E.shape[1]} columns, for the ids 0 .. {E.shape[1] - 1}"
        )
    context, m = contexts.shape
    return np.moveaxis(E[:, contexts], 0, 1).reshape(context * E.shape[0], m)


def add_columns(dx: np.ndarray, contexts: np.ndarray, number: int) -> np.ndarray:
    """The gradient of the embedding matrix: each column of dx is added to that of its word. Implements
    eq-window-embedding-gradient.

    The columns are sorted by word and summed run by run, so that words which stand there more than once lose nothing,
    at a fraction of the time of np.add.at.

    Args:
        dx: gradient of the stacked embeddings, (k n_e, m).
        contexts: the ids that were looked up, (k, m).
        number: the number of columns of E, V + 1.
    """
    context, m = contexts.shape
    ids = contexts.ravel()
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    dE = np.zeros((dx.shape[0] // context, number), dtype=dx.dtype)
    if ids.size:
        first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
        columns = np.moveaxis(dx.reshape(context, -1, m), 0, 1).reshape(dE.shape[0], -1)  # (n_e, k m), as ids
        dE[:, ids[first]] = np.add.reduceat(columns[:, order], first, axis=1)
    return dE


def cost(parameters: Parameters, contexts: np.ndarray, targets: np.ndarray) -> float | complex:
    """J, the mean loss of a batch in nats. Implements eq-window-cost; takes complex parameters for the complex step."""
    return softmax_cross_entropy(scores(parameters, contexts)[2], targets)[0].mean()


def cost_and_gradients(
    parameters: Parameters, contexts: np.ndarray, targets: np.ndarray
) -> tuple[np.floating, Parameters]:
    """J and its gradient with respect to every parameter, under the parameter's name.

    Implements eq-window-score-gradient, eq-window-output-weights, eq-window-output-bias, eq-window-direct-weights,
    eq-window-hidden-gradient, eq-window-hidden-weights, eq-window-hidden-bias, eq-window-input-gradient and
    eq-window-embedding-gradient, with equal weights of 1 / m.

    Args:
        parameters: E (n_e, V + 1), Wh (n_h, k n_e), bh (n_h, 1), Wy (V, n_h), by (V, 1), and perhaps Wd (V, k n_e).
        contexts: ids (k, m).
        targets: ids (m,).
    """
    x, a, z_y = scores(parameters, contexts)
    losses, dz_y = softmax_cross_entropy(z_y, targets, out=z_y)  # dz_y of the sum of the losses, (V, m)
    # J is the mean. Scaling the thin factors of each product by 1 / m spares a pass over the V rows of dz_y.
    share = a.dtype.type(1 / losses.size)
    dz_h = parameters["Wy"].T @ dz_y
    dz_h *= 1 - a * a
    dz_h *= share
    dx = parameters["Wh"].T @ dz_h
    gradients = {
        "Wh": dz_h @ x.T,
        "bh": dz_h.sum(axis=1, keepdims=True),
        "Wy": dz_y @ (a.T * share),
        "by": dz_y @ np.full((losses.size, 1), share),
    }
    if "Wd" in parameters:
        gradients["Wd"] = dz_y @ (x.T * share)
        dx += parameters["Wd"].T @ dz_y * share
    gradients["E"] = add_columns(dx, contexts, parameters["E"].shape[1])
    return losses.mean(), gradients


class WindowModel:
    """A window model with its vocabulary: to be made, trained, asked and kept.

    Attributes:
        vocabulary: the symbols.
        parameters: E (n_e, V + 1), Wh (n_h, k n_e), bh (n_h, 1), Wy (V, n_h), by (V, 1) and, with direct connections,
            Wd (V, k n_e); all of one floating-point type.

    Raises:
        ValueError: a parameter is missing or has a wrong shape or type; the message names it and what would be right.
    """

    def __init__(self, vocabulary: Vocabulary, parameters: Parameters):
        _check_parameters(vocabulary, parameters)
        self.vocabulary = vocabulary
        self.parameters = dict(parameters)

    @classmethod
    def create(
        cls,
        rng: np.random.Generator,
        vocabulary: Vocabulary,
        context: int = 4,
        embedding: int = 32,
        hidden: int = 64,
        direct: bool = False,
        frequencies: np.ndarray | None = None,
        embedding_scale: float = 0.1,
        dtype: type = np.float64,
    ) -> "WindowModel":
        """A model that has learned nothing yet.

        Matrices start uniform in +-sqrt(6 / (rows + columns)) (Glorot & Bengio 2010), embeddings normal, direct
        connections and biases at zero.

        Args:
            rng: draws the matrices.
            vocabulary: the symbols.
            context: k = n - 1, words read.
            embedding: n_e, the length of an embedding.
            hidden: n_h, the number of hidden units.
            direct: whether the scores also see the embeddings directly.
            frequencies: how often each of the V symbols is predicted in the training text; their logarithms become by,
                so that training starts from the unigram model and not from the uniform one.
            embedding_scale: standard deviation of the entries of E. Small for words, most of which are rare and should
                not disturb before they have learned something; larger for a handful of characters.
            dtype: float64 or float32.

        Raises:
            ValueError: a size is below 1, or `frequencies` are no V counts.
        """
        for name, size in {"context": context, "embedding": embedding, "hidden": hidden}.items():
            if size < 1:
                raise ValueError(f"{name} has to be at least 1; got {size}")
        size = vocabulary.size

        def uniform(rows: int, columns: int) -> np.ndarray:
            bound = np.sqrt(6 / (rows + columns))
            return rng.uniform(-bound, bound, (rows, columns))

        parameters = {
            "E": rng.normal(0, embedding_scale, (embedding, size + 1)),
            "Wh": uniform(hidden, context * embedding),
            "bh": np.zeros((hidden, 1)),
            "Wy": uniform(size, hidden),
            "by": np.zeros((size, 1)),
        }
        if direct:
            parameters["Wd"] = np.zeros((size, context * embedding))
        if frequencies is not None:
            frequencies = np.asarray(frequencies, dtype=np.float64)
            if frequencies.shape != (size,) or not (frequencies >= 0).all() or not 0 < frequencies.sum() < np.inf:
                raise ValueError(f"frequencies are V = {size} counts, not negative and not all zero")
            smoothed = frequencies + 0.5  # a symbol that was never predicted keeps a finite bias
            parameters["by"] = np.log(smoothed / smoothed.sum())[:, None]
        return cls(vocabulary, {name: value.astype(dtype) for name, value in parameters.items()})

    @property
    def context(self) -> int:
        """k = n - 1, the number of words that the model reads."""
        return self.parameters["Wh"].shape[1] // self.parameters["E"].shape[0]

    @property
    def number_of_parameters(self) -> int:
        """How many numbers the model has learned."""
        return sum(value.size for value in self.parameters.values())

    def log_probabilities(self, sentences: Sentences, batch: int = 512) -> np.ndarray:
        """The natural logarithm of the probability of each token given the window before it, `</s>` included.

        Args:
            sentences: lists of words; unknown words count as `<unk>`.
            batch: how many columns go through the network together; the memory needed is about V x batch.

        Returns:
            float64, one number per word and one per sentence end, in the order of the text; empty without sentences.
        """
        sentences = list(sentences)
        if not sentences:
            return np.empty(0)
        contexts, targets = windows(self.vocabulary, sentences, self.context)
        result = np.empty(targets.size)
        for start in range(0, targets.size, batch):
            part = slice(start, start + batch)
            z_y = scores(self.parameters, contexts[:, part])[2]
            result[part] = -softmax_cross_entropy(z_y, targets[part], out=z_y)[0]
        return result

    def sentence_log_probabilities(self, sentences: Sentences) -> np.ndarray:
        """The natural logarithm of the probability of each sentence, its `</s>` included."""
        sentences = list(sentences)
        tokens = np.array([len(sentence) + 1 for sentence in sentences], dtype=np.int64)
        if not tokens.size:
            return np.empty(0)
        return np.add.reduceat(self.log_probabilities(sentences), np.cumsum(tokens) - tokens)

    def perplexity(self, sentences: Sentences) -> float:
        """Per predicted token; `</s>` counts, `<s>` does not.

        Raises:
            ValueError: there are no sentences.
        """
        return metrics.perplexity(self.log_probabilities(sentences))

    def distribution(self, context: Sequence[str]) -> np.ndarray:
        """The probabilities (V,) of the next symbol after some words, in the order of the ids.

        Args:
            context: the words before, from the beginning of the sentence if there are fewer than the window holds;
                `<s>` may stand in front.
        """
        words = [self.vocabulary.start] * self.context + list(self.vocabulary.encode(context))
        ids = np.array(words[-self.context :], dtype=np.int64)[:, None]
        return softmax(scores(self.parameters, ids)[2])[:, 0]

    def train(
        self,
        sentences: Sentences,
        rng: np.random.Generator,
        *,
        epochs: float = 1.0,
        batch: int = 64,
        rate: float | Callable[[float], float] = 3.0,
    ) -> np.ndarray:
        """Minibatch gradient descent on the mean loss. Implements eq-window-update.

        The tokens of all sentences are shuffled anew for each pass. A step that meets a NaN or an infinity is not
        taken. Whenever training ends early, through such an error or through an interrupt, `parameters` holds the
        values of the last step whose loss and gradients were finite.

        Args:
            sentences: the training text.
            rng: shuffles it.
            epochs: passes over the text; fractions are welcome.
            batch: m, predictions per step.
            rate: the learning rate: a number, from which it falls to zero in a straight line, or a function of the
                fraction of training that is over.

        Returns:
            The loss of each step, in nats.

        Raises:
            ValueError: an argument is out of range.
            TrainingError: a loss, a gradient or a parameter is not finite; the message says where and when.
        """
        contexts, targets = windows(self.vocabulary, sentences, self.context)
        if not epochs > 0 or batch < 1:
            raise ValueError(f"epochs has to be positive and batch at least 1; got {epochs} and {batch}")
        if not callable(rate) and not rate > 0:
            raise ValueError(f"the learning rate has to be positive; got {rate}")
        rate_at = rate if callable(rate) else lambda over: rate * (1 - over)
        batch = min(batch, targets.size)
        steps = max(1, round(epochs * targets.size / batch))
        losses = np.empty(steps)
        # Two sets of arrays take turns: the new parameters are written into the older set, so that the set before,
        # whose loss is known to be finite, is still there when the new one turns out to be spoiled.
        known_good = self.parameters
        current = {name: value.copy() for name, value in known_good.items()}
        spare = {name: np.empty_like(value) for name, value in known_good.items()}
        order, position = rng.permutation(targets.size), 0
        for step in tqdm(range(steps), desc="window model", unit="step", disable=None):
            if position + batch > targets.size:
                order, position = rng.permutation(targets.size), 0
            chosen = order[position : position + batch]
            position += batch
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found and named here
                loss, gradients = cost_and_gradients(current, contexts[:, chosen], targets[chosen])
            _stop_unless_finite(step, {"loss": loss, **{f"d{name}": value for name, value in gradients.items()}})
            self.parameters = known_good = current
            losses[step] = loss
            current_rate = known_good["E"].dtype.type(rate_at(step / steps))
            with np.errstate(over="ignore", invalid="ignore"):  # and here by the next step
                for name, gradient in gradients.items():
                    gradient *= -current_rate
                    np.add(known_good[name], gradient, out=spare[name])  # eq-window-update
            current, spare = spare, known_good
        _stop_unless_finite(steps, current)
        self.parameters = current
        return losses

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one .npz file, whole or not at all; no pickle is involved."""
        write_arrays(path, {"words": self.vocabulary.words}, self.parameters)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "WindowModel":
        """Read a model that `save` has written.

        Raises:
            WindowFileError: the file is something else, or damaged.
            FileNotFoundError: there is no such file.
        """
        with arrays_from(path, "saved window model", WindowFileError) as (model, parameters):
            return cls(Vocabulary(model["words"]), parameters)


def _check_parameters(vocabulary: Vocabulary, parameters: Parameters) -> None:
    for name in ("E", "Wh", "bh", "Wy", "by"):
        if name not in parameters:
            raise ValueError(f"the parameter {name} is missing; there are {', '.join(parameters) or 'none'}")
    unknown = set(parameters) - {"E", "Wh", "bh", "Wy", "by", "Wd"}
    if unknown:
        raise ValueError(f"a window model has no parameter {', '.join(sorted(unknown))}")
    for name, value in parameters.items():
        if value.ndim != 2 or value.dtype.kind != "f" or value.dtype != parameters["E"].dtype:
            raise ValueError(
                f"{name} has to be a matrix of floating-point numbers of the type of E, {parameters['E'].dtype}; got "
                f"{value.dtype} of shape {value.shape}"
            )
    size, embedding, hidden = vocabulary.size, parameters["E"].shape[0], parameters["Wh"].shape[0]
    inputs = parameters["Wh"].shape[1]
    if embedding < 1 or inputs < 1 or inputs % embedding:
        raise ValueError(f"Wh has {inputs} columns, which is no multiple of the {embedding} rows of E")
    shapes = {
        "E": (embedding, size + 1),
        "Wh": (hidden, inputs),
        "bh": (hidden, 1),
        "Wy": (size, hidden),
        "by": (size, 1),
        "Wd": (size, inputs),
    }
    for name, value in parameters.items():
        if value.shape != shapes[name]:
            raise ValueError(
                f"{name} has to have shape {shapes[name]} for V = {size}, n_e = {embedding}, n_h = {hidden} and "
                f"k = {inputs // embedding}; got {value.shape}"
            )


def _stop_unless_finite(step: int, values: dict[str, np.ndarray]) -> None:
    # The sum of squares of an array is finite only if no element is NaN or infinite, and is the cheapest look at all of
    # them. It may overflow where no element has, so only those that fail it are looked at element by element.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = [name for name, value in values.items() if not np.isfinite(np.vdot(value, value))]
    spoiled = [name for name in suspects if not np.isfinite(values[name]).all()]
    if spoiled:
        raise TrainingError(
            f"step {step}: {', '.join(spoiled)} {'is' if len(spoiled) == 1 else 'are'} not finite; training stopped "
            "and the parameters are those of the last good step. A smaller learning rate may help"
        )
