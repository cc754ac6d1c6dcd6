"""The points of one submission."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from unrolled.homework import judges
from unrolled.homework.cases import Case
from unrolled.homework.notebooks import Cell, Exercise, Homework, NotebookError, submission_cells
from unrolled.homework.sandbox import Room
from unrolled.homework.session import Session

UNFINISHED = "the grader itself failed on this submission; grade again"
WHOLE = 90.0  # seconds for a submission, besides what its judges grant


@dataclass(frozen=True)
class CaseResult:
    """What became of one question: its label, a credit between 0 and 1, and what was wrong or a judge's remark."""

    label: str
    credit: float
    problem: str | None = None


@dataclass(frozen=True)
class ExerciseResult:
    """What became of one exercise; `advice` is what its public tests say, for a student."""

    name: str
    points: float
    cases: tuple[CaseResult, ...]
    advice: str | None = None

    @property
    def earned(self) -> float:
        """points x credit / cases."""
        return self.points * sum(case.credit for case in self.cases) / len(self.cases) if self.cases else 0.0


@dataclass(frozen=True)
class Score:
    """What became of one submission.

    Attributes:
        homework: its name.
        exercises: the results, in order.
        problem: why nothing could be asked at all; None if something could.
        errors: what the student's own cells complained of while they ran, by cell.
        sandboxed: whether the room was closed.
    """

    homework: str
    exercises: tuple[ExerciseResult, ...]
    problem: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    sandboxed: bool = True

    @property
    def points(self) -> float:
        """What can be earned."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def earned(self) -> float:
        """What was earned, to two decimals."""
        return round(sum(exercise.earned for exercise in self.exercises), 2)

    @property
    def unfinished(self) -> bool:
        """Whether this is no score yet, for the grader failed and not the student."""
        return (self.problem or "").startswith(UNFINISHED)

    def to_json(self) -> dict[str, object]:
        """The score as JSON can hold it."""
        return asdict(self) | {"earned": self.earned, "points": self.points}

    @classmethod
    def from_json(cls, form: Mapping[str, object]) -> "Score":
        """The score of a form that `to_json` made."""
        exercises = tuple(
            ExerciseResult(
                one["name"], one["points"], tuple(CaseResult(**case) for case in one["cases"]), one["advice"]
            )
            for one in form["exercises"]
        )
        return cls(form["homework"], exercises, form["problem"], form["errors"], form["sandboxed"])


def plain(text: object, most: int = 300) -> str:
    """A text from a stranger as one line of printable characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)[: 20 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def grade(
    homework: Homework,
    body: bytes,
    questions: Mapping[str, Sequence[Case]],
    room: Room,
    advise: bool = False,
) -> Score:
    """Run a submission in the room and ask it all questions.

    Args:
        homework: the source or the release: its exercises, and the given cells that are restored.
        body: the bytes of the student's notebook.
        questions: the cases by exercise.
        room: where the student's code runs.
        advise: whether to run the public tests of the exercises that are not complete, for what they say.
    """
    try:
        cells = submission_cells(body, homework, f"{homework.name}.ipynb")
    except NotebookError as error:
        nothing = tuple(_unasked(exercise, questions, str(error)) for exercise in homework.exercises)
        return Score(homework.name, nothing, plain(error), sandboxed=room.sandboxed)
    return grade_cells(homework, cells, questions, room, advise)


def grade_cells(
    homework: Homework, cells: Sequence[Cell], questions: Mapping[str, Sequence[Case]], room: Room, advise: bool = False
) -> Score:
    """`grade`, for cells that have been read."""
    seconds = WHOLE + sum(
        float(case.arguments.get("seconds", 60)) for cases in questions.values() for case in cases if case.judged
    )
    with Session(room, cells, seconds) as session:
        results = tuple(
            _asked(session, exercise, questions.get(exercise.name, ()), advise) for exercise in homework.exercises
        )
        errors = {plain(name, 60): plain(text) for name, text in list(session.errors.items())[:20]}
    return Score(homework.name, results, None, errors, room.sandboxed)


def _unasked(exercise: Exercise, questions: Mapping[str, Sequence[Case]], why: str) -> ExerciseResult:
    cases = tuple(CaseResult(case.label, 0.0, plain(why)) for case in questions.get(exercise.name, ()))
    return ExerciseResult(exercise.name, exercise.points, cases)


def _asked(session: Session, exercise: Exercise, cases: Sequence[Case], advise: bool) -> ExerciseResult:
    results = []
    dead: dict[str, str] = {}
    for case in cases:
        if case.function in dead:  # what hung or crashed once is not tried again
            results.append(CaseResult(case.label, 0.0, dead[case.function]))
            continue
        if case.judged:
            credit, remark = judges.verdict(
                session, case.function.removeprefix("judge:"), case.arguments, case.thresholds
            )
            results.append(CaseResult(case.label, credit, plain(remark)))
            continue
        answer = session.call(case.function, case.arguments, exercise.seconds)
        problem = answer.problem
        if problem is None:
            try:
                problem = case.compare(answer.value)
            except Exception as error:  # an answer that cannot be compared
                problem = f"an answer that cannot be compared ({type(error).__name__})"
        if answer.died:
            dead[case.function] = plain(problem)
        results.append(CaseResult(case.label, 0.0 if problem else 1.0, plain(problem) if problem else None))
    advice = None
    if advise and any(case.credit < 1 for case in results):
        said = session.public(f"test-{exercise.name}", exercise.public, exercise.seconds)
        advice = plain(said.removeprefix("AssertionError: "), 600) if said else None
    return ExerciseResult(exercise.name, exercise.points, tuple(results), advice)
