"""Optimisers: how a step is made of a gradient, and how its length changes while training goes on.

Each optimiser changes a dictionary of parameters in place, remembers what it needs to remember (its moments), and hands
that memory out and takes it back as a dictionary of arrays, so that an interrupted training can go on where it stopped:

    optimiser = Adam(rate=3e-3)
    optimiser.update(parameters, gradients)

The formulas are those of PyTorch, to the last digits.

A schedule is a function from the fraction of training that is over, in 0 .. 1, to a factor of the optimiser's rate:
`constant`, `linear`, `cosine`, and `warmup(...)`, which puts a rise in front of one of them.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

Parameters = dict[str, np.ndarray]
Schedule = Callable[[float], float]

# Elements that are updated together. The passes over a large matrix and its moments then find them in the cache.
_BLOCK = 1 << 13


class Optimiser:
    """What all optimisers share: checks, the walk over the parameters, and the memory.

    Attributes:
        rate: the learning rate that holds unless an update names another.
        slots: the names of the arrays that are remembered for each parameter.
        settings: the numbers that were chosen, by name; they do not change while training goes on.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, rate: float, **settings: float):
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(f"the learning rate has to be a positive number; got {rate}")
        self.rate = float(rate)
        self.settings = {"rate": self.rate, **settings}
        self.steps = 0
        self._shapes: dict[str, tuple[tuple[int, ...], str]] = {}
        self._memory: dict[str, Parameters] = {}  # slot -> parameter -> array

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value:g}' for name, value in self.settings.items())})"

    def update(self, parameters: Parameters, gradients: Mapping[str, np.ndarray], rate: float | None = None) -> None:
        """Change the parameters in place by one step downhill. Nothing is changed if an argument is wrong.

        Args:
            parameters: arrays of floating-point numbers by name.
            gradients: one array of the same shape for each of them, under the same name.
            rate: the learning rate of this step, at least 0; None takes `self.rate`.

        Raises:
            ValueError: names or shapes of gradients and parameters differ, or parameters have other names, shapes or
                types than in the update before; or the rate is negative or no number.
        """
        rate = self.rate if rate is None else float(rate)
        if not (np.isfinite(rate) and rate >= 0):
            raise ValueError(f"the learning rate has to be a number that is not negative; got {rate}")
        self._check(parameters, gradients)
        if not self._shapes:
            self._remember(parameters)
        self.steps += 1
        for name, value in parameters.items():
            memory = [self._memory[slot][name] for slot in self.slots]
            for p, g, *m in _blocks(value, np.asarray(gradients[name], dtype=value.dtype), *memory):
                self._step(rate, p, g, *m)

    def _step(self, rate: float, p: np.ndarray, g: np.ndarray, *memory: np.ndarray) -> None:
        raise NotImplementedError

    def state(self) -> Parameters:
        """What is remembered, as a dictionary of arrays: the number of steps, and each slot of each parameter.

        The arrays are copies. `restore` takes them back.
        """
        if not self._shapes:  # no update was made
            return {}
        memory = {f"{slot}/{name}": value.copy() for slot in self.slots for name, value in self._memory[slot].items()}
        return {"steps": np.array(self.steps, dtype=np.int64), **memory}

    def restore(self, arrays: Mapping[str, np.ndarray], parameters: Parameters) -> None:
        """Remember what another optimiser of this kind knew. Nothing is changed if the arrays do not fit.

        Args:
            arrays: what `state` has returned.
            parameters: the parameters that the next update is going to change.

        Raises:
            ValueError: an array is missing, is too much, or has another shape than its parameter.
        """
        if not arrays:  # the state of one that has made no update
            self.steps, self._shapes, self._memory = 0, {}, {}
            return
        expected = {f"{slot}/{name}": value for slot in self.slots for name, value in parameters.items()}
        if set(arrays) != {"steps", *expected}:
            odd = sorted(set(arrays) ^ {"steps", *expected})
            raise ValueError(f"this is no memory of {type(self).__name__} for these parameters: {', '.join(odd)}")
        for name, value in expected.items():
            if arrays[name].shape != value.shape or arrays[name].dtype != value.dtype:
                raise ValueError(
                    f"{name} of the optimiser has to be {value.dtype} of shape {value.shape}, like its parameter; got "
                    f"{arrays[name].dtype} of shape {arrays[name].shape}"
                )
        self._remember(parameters)
        self.steps = int(arrays["steps"])
        for slot in self.slots:
            for name, value in self._memory[slot].items():
                value[...] = arrays[f"{slot}/{name}"]

    def _remember(self, parameters: Parameters) -> None:
        self._shapes = {name: (value.shape, value.dtype.name) for name, value in parameters.items()}
        self._memory = {
            slot: {name: np.zeros(value.shape, value.dtype) for name, value in parameters.items()}
            for slot in self.slots
        }

    def _check(self, parameters: Parameters, gradients: Mapping[str, np.ndarray]) -> None:
        if not parameters:
            raise ValueError("there are no parameters to update")
        if set(parameters) != set(gradients):
            without = [name for name in parameters if name not in gradients]
            unknown = [name for name in gradients if name not in parameters]
            what = (
                f"{without[0]} has no gradient" if without else f"there is no parameter for the gradient {unknown[0]}"
            )
            raise ValueError(f"each parameter needs one gradient under its name, and {what}")
        for name, value in parameters.items():
            if value.dtype.kind != "f":
                raise ValueError(f"{name} has to be an array of floating-point numbers; got {value.dtype}")
            if np.shape(gradients[name]) != value.shape:
                raise ValueError(
                    f"the gradient of {name} has to have its shape, {value.shape}; got {np.shape(gradients[name])}"
                )
        if self._shapes and set(self._shapes) != set(parameters):
            odd = sorted(set(self._shapes) ^ set(parameters))[0]
            raise ValueError(
                f"the optimiser has been updating {', '.join(self._shapes)}, and {odd} "
                f"{'is not among the parameters any more' if odd in self._shapes else 'is new'}; "
                "other parameters need an optimiser of their own"
            )
        for name, value in parameters.items():
            known = self._shapes.get(name, (value.shape, value.dtype.name))
            if known != (value.shape, value.dtype.name):
                raise ValueError(
                    f"{name} was {known[1]} of shape {known[0]} in the update before and is {value.dtype} of shape "
                    f"{value.shape} now; other parameters need an optimiser of their own"
                )


class GradientDescent(Optimiser):
    """w -= rate * dw. Implements eq-gradient-descent."""

    def __init__(self, rate: float):
        super().__init__(rate)

    def _step(self, rate: float, p: np.ndarray, g: np.ndarray) -> None:
        p -= rate * g


class Momentum(Optimiser):
    """v = momentum * v + dw; w -= rate * v (Polyak 1964). Implements eq-momentum.

    Args:
        rate: the learning rate.
        momentum: how much of the last step's velocity is kept, in 0 .. 1.
    """

    slots = ("v",)

    def __init__(self, rate: float, momentum: float = 0.9):
        self.momentum = _share("momentum", momentum)
        super().__init__(rate, momentum=self.momentum)

    def _step(self, rate: float, p: np.ndarray, g: np.ndarray, v: np.ndarray) -> None:
        v *= self.momentum
        v += g
        p -= rate * v


class Adagrad(Optimiser):
    """s += dw ** 2; w -= rate * dw / (sqrt(s) + epsilon) (Duchi, Hazan & Singer 2011). Implements eq-adagrad.

    Args:
        rate: the learning rate.
        epsilon: keeps the quotient finite where no gradient has arrived yet.
    """

    slots = ("s",)

    def __init__(self, rate: float, epsilon: float = 1e-10):
        self.epsilon = _positive("epsilon", epsilon)
        super().__init__(rate, epsilon=self.epsilon)

    def _step(self, rate: float, p: np.ndarray, g: np.ndarray, s: np.ndarray) -> None:
        s += g * g
        quotient = np.sqrt(s)
        quotient += self.epsilon
        np.divide(g, quotient, out=quotient)
        quotient *= rate
        p -= quotient


class Adam(Optimiser):
    """Steps of about equal size in every parameter (Kingma & Ba 2015).

    Implements eq-adam-moments, eq-adam-correction and eq-adam-update:

        m = beta1 * m + (1 - beta1) * dw                 v = beta2 * v + (1 - beta2) * dw ** 2
        m_hat = m / (1 - beta1 ** t)                     v_hat = v / (1 - beta2 ** t)
        w -= rate * m_hat / (sqrt(v_hat) + epsilon)

    Args:
        rate: the learning rate, about the size of one step.
        beta1: how much of the mean of the gradients is kept, in 0 .. 1.
        beta2: the same for the mean of their squares.
        epsilon: keeps the quotient finite.
    """

    slots = ("m", "v")

    def __init__(self, rate: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8):
        self.beta1, self.beta2 = _share("beta1", beta1), _share("beta2", beta2)
        self.epsilon = _positive("epsilon", epsilon)
        super().__init__(rate, beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon)

    def _step(self, rate: float, p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> None:
        share = (1 - self.beta1) * g
        m *= self.beta1
        m += share  # eq-adam-moments
        np.multiply(g, g, out=share)
        share *= 1 - self.beta2
        v *= self.beta2
        v += share
        # Both corrections are numbers: they are applied to numbers, not to the arrays. eq-adam-correction
        np.sqrt(v, out=share)
        share /= np.sqrt(1 - self.beta2**self.steps).item()
        share += self.epsilon
        np.divide(m, share, out=share)
        share *= rate / (1 - self.beta1**self.steps)
        p -= share  # eq-adam-update


def _share(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name} has to be at least 0 and below 1; got {value}")
    return float(value)


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} has to be a positive number; got {value}")
    return float(value)


def _blocks(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """The same pieces of arrays of one shape, as views; the first array is changed through them."""
    if not arrays[0].flags.c_contiguous:
        yield arrays
        return
    flat = [array.reshape(-1) for array in arrays]  # the gradient is copied if it is not contiguous: it is only read
    for start in range(0, flat[0].size, _BLOCK):
        yield tuple(array[start : start + _BLOCK] for array in flat)


def constant(over: float) -> float:
    """The same rate from the first step to the last: 1."""
    _fraction(over)
    return 1.0


def linear(over: float) -> float:
    """From 1 to 0 in a straight line."""
    return 1.0 - _fraction(over)


def cosine(over: float) -> float:
    """From 1 to 0 along half a cosine: slowly at first, fast in the middle, slowly at last (Loshchilov & Hutter
    2017)."""
    return float((1 + np.cos(np.pi * _fraction(over))) / 2)


def warmup(then: Schedule = constant, share: float = 0.1) -> Schedule:
    """A schedule that rises in a straight line from 0 to 1 and then goes on with another one.

    Args:
        then: the schedule for what is left; it runs from 0 to 1 in that time.
        share: the share of training that the rise takes, above 0 and below 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"the share of training that warms up has to be above 0 and below 1; got {share}")

    def schedule(over: float) -> float:
        return over / share if _fraction(over) < share else then((over - share) / (1 - share))

    return schedule


def _fraction(over: float) -> float:
    if not 0 <= over <= 1:
        raise ValueError(f"the fraction of training that is over lies in 0 .. 1; got {over}")
    return float(over)
