"""What a submission is asked, and how its answers are compared.

An exercise's hidden code defines `cases(rng)`. It yields (function, arguments, tolerance, label); the expected answer
is what the reference, the source's own solution, returns for the same arguments, computed here, where no student code
runs. A function called "judge:NAME" stands for a judge (see `judges`).
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from unrolled.homework.notebooks import Homework, NotebookError
from unrolled.homework.values import Given


@dataclass(frozen=True)
class Case:
    """One question.

    Attributes:
        function: the name of the function to call, or "judge:NAME".
        arguments: its arguments; a judge's are a dictionary.
        label: what kind of input it is, for the student.
        compare: a function from an answer to None, or to what is wrong with it.
        thresholds: a judge's.
    """

    function: str
    arguments: object
    label: str
    compare: Callable[[object], str | None] | None = None
    thresholds: tuple[float, ...] = field(default=())

    @property
    def judged(self) -> bool:
        """Whether a judge decides, instead of a comparison."""
        return self.function.startswith("judge:")


def generator(secret: str, *names: str) -> np.random.Generator:
    """A generator that depends on a secret and on names, and on nothing else."""
    digest = hashlib.sha256("\0".join((secret, *names)).encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


class Reference:
    """The source's own solution, run in this process: what it returns is what is expected."""

    def __init__(self, homework: Homework) -> None:
        """Run the given and the solution cells of a source.

        Raises:
            NotebookError: a cell fails; the message names it.
        """
        self.homework = homework
        self._namespace: dict[str, object] = {"__name__": "reference", "np": np}
        for cell in homework.cells:
            if cell.role in ("given", "solution", "other"):
                self._run(f"{homework.name}/{cell.name}", cell.code, self._namespace)
        self._cases = {}
        for exercise in homework.exercises:
            if "def cases(" not in exercise.hidden:
                raise NotebookError(f"{homework.name}: {exercise.name} has no hidden tests that define cases(rng)")
            namespace = self._namespace | {"Given": Given, "np": np}
            self._run(f"{homework.name}/test-{exercise.name}", exercise.hidden, namespace)
            self._cases[exercise.name] = namespace["cases"]

    @staticmethod
    def _run(name: str, code: str, namespace: dict[str, object]) -> None:
        try:
            exec(compile(code, name, "exec"), namespace)
        except Exception as error:
            raise NotebookError(f"{name}: {type(error).__name__}: {error}") from error

    def answer(self, function: str, arguments: Sequence[object]) -> object:
        """What the reference returns."""
        return self._namespace[function](*(self._resolved(copy.deepcopy(argument)) for argument in arguments))

    def _resolved(self, value: object) -> object:
        if isinstance(value, Given):
            return self._namespace[value.name]
        if type(value) in (list, tuple):
            return type(value)(self._resolved(item) for item in value)
        if type(value) is dict:
            return {key: self._resolved(item) for key, item in value.items()}
        return value

    def draw(self, exercise: str, rng: np.random.Generator) -> list[tuple[Case, object, float]]:
        """The cases of an exercise with the reference's answers and the tolerances (None and 0 for a judge's).

        Raises:
            NotebookError: the hidden code yields something else than it should.
        """
        drawn = []
        for item in self._cases[exercise](rng):
            if not isinstance(item, tuple) or len(item) != 4 or not isinstance(item[0], str):
                raise NotebookError(f"{exercise}: a case is (function, arguments, tolerance, label); got {item!r:.80}")
            function, arguments, tolerance, label = item
            if function.startswith("judge:"):
                drawn.append((Case(function, arguments, label, thresholds=tuple(tolerance)), None, 0.0))
                continue
            if not 0 <= tolerance < 0.1:
                raise NotebookError(f"{exercise}, {label}: a tolerance of {tolerance} compares nothing")
            expected = self.answer(function, arguments)
            compare = _comparison(expected, tolerance)
            drawn.append((Case(function, tuple(arguments), label, compare), expected, tolerance))
        if not drawn:
            raise NotebookError(f"{exercise} has no cases")
        return drawn

    def questions(self, secret: str, submission: str) -> dict[str, list[Case]]:
        """All cases for one submission, drawn from a secret."""
        return {
            exercise.name: [
                case
                for case, _, _ in self.draw(
                    exercise.name, generator(secret, self.homework.name, exercise.name, submission)
                )
            ]
            for exercise in self.homework.exercises
        }


def _comparison(expected: object, tolerance: float) -> Callable[[object], str | None]:
    return lambda answer: difference(expected, answer, tolerance)


def kind_of(value: object) -> str:
    """What kind of value this is, for a message."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    names = {type(None): "None", dict: "a dictionary", list: "a list", tuple: "a tuple", str: "a string"}
    return names.get(type(value), type(value).__name__)


def difference(expected: object, answer: object, tolerance: float, where: str = "") -> str | None:
    """None if an answer is the expected one, or what is wrong with it, without telling the right value.

    Floats are compared within `tolerance` of the largest magnitude of the expected array (or absolutely, when that is
    zero); an infinity has to be that infinity, and a NaN is never right. Integers, strings and truth values are
    compared exactly. A list of numbers passes for an array, a tuple for a list.
    """
    place = f"{where}: " if where else ""
    if isinstance(expected, dict):
        if not isinstance(answer, dict):
            return f"{place}{kind_of(answer)} instead of a dictionary"
        missing, more = sorted(set(expected) - set(answer)), sorted(set(answer) - set(expected))
        if missing or more:
            return f"{place}" + (f"no entry {missing[0]!r}" if missing else f"an entry {more[0][:40]!r} too many")
        for key, value in expected.items():
            problem = difference(value, answer[key], tolerance, f"{where}[{key!r}]" if where else key)
            if problem:
                return problem
        return None
    if isinstance(expected, tuple | list) and not _numbers(expected):
        if not isinstance(answer, tuple | list):
            return f"{place}{kind_of(answer)} instead of {len(expected)} values"
        if len(answer) != len(expected):
            return f"{place}{len(answer)} values instead of {len(expected)}"
        for number, (value, other) in enumerate(zip(expected, answer, strict=True)):
            problem = difference(value, other, tolerance, f"{where}[{number}]" if where else f"value {number + 1}")
            if problem:
                return problem
        return None
    if expected is None or isinstance(expected, str):
        if type(answer) is not type(expected):
            return f"{place}{kind_of(answer)} instead of {kind_of(expected)}"
        return None if answer == expected else f"{place}wrong value"
    return _difference_of_arrays(np.asarray(expected), answer, tolerance, place)


def _numbers(value: object) -> bool:
    """Whether this is a (nested) list of numbers that makes an array."""
    if isinstance(value, tuple | list):
        return bool(value) and all(_numbers(item) for item in value)
    return isinstance(value, int | float | complex | np.generic)


def _difference_of_arrays(expected: np.ndarray, answer: object, tolerance: float, place: str) -> str | None:
    if not isinstance(answer, np.ndarray | np.generic) and not _numbers(answer):
        return f"{place}{kind_of(answer)} instead of {kind_of(expected) if expected.ndim else 'a number'}"
    try:
        got = np.asarray(answer)
    except ValueError:
        return f"{place}rows of different lengths"
    if got.shape != expected.shape:
        return f"{place}shape {got.shape} instead of {expected.shape}"
    if got.dtype.kind not in "fiubc":
        return f"{place}no numbers"
    if (got.dtype.kind == "b") != (expected.dtype.kind == "b"):
        return f"{place}truth values and numbers are not the same"
    if expected.dtype.kind in "iub":
        return None if np.array_equal(expected, got) else f"{place}wrong value"
    if got.dtype.kind == "c" and expected.dtype.kind != "c":
        return f"{place}complex numbers"
    if np.isnan(got).any():
        return f"{place}contains NaN"
    infinite = ~np.isfinite(expected)
    if infinite.any() and not np.array_equal(expected[infinite], got[infinite]):
        return f"{place}wrong value where the answer is infinite"
    expected, got = expected[~infinite], got[~infinite]
    scale = np.abs(expected).max(initial=0.0) or 1.0
    with np.errstate(all="ignore"):  # the difference to a number near the largest may overflow
        if got.size and not np.abs(got - expected).max() <= tolerance * scale:
            return f"{place}wrong value"
    return None
