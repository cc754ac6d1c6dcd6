"""Scores as a person or a machine wants them: on a terminal, in Markdown, JSON and CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from unrolled.homework.grading import ExerciseResult, Score, plain
from unrolled.homework.notebooks import Homework

UNWRITTEN = "not written yet"  # what the worker says of a stub
SUMMARY = 1_000_000  # bytes; a job summary holds 1 MiB
ADVISORY = (
    "Advisory: this score was computed where the student owns the machine or the workflow. "
    "The official one is the instructor's."
)
OPEN = "NOT SANDBOXED, advisory: no bubblewrap here, so the notebook ran as an ordinary process with your rights."


def table(score: Score, homework: Homework, title: str) -> Group:
    """The score of one submission, for a terminal."""
    grid = Table(title=Text(plain(title)), title_justify="left", show_edge=False, pad_edge=False)
    for name, side in (("exercise", "left"), ("points", "right"), ("cases", "left"), ("", "left")):
        grid.add_column(name, justify=side, overflow="fold")
    lines = []
    for result in score.exercises:
        full = result.cases and result.earned >= result.points
        style = "green" if full else "yellow" if result.earned else "red"
        first = next((case for case in result.cases if case.credit < 1), None)
        unwritten = bool(result.cases) and all((case.problem or "").endswith(UNWRITTEN) for case in result.cases)
        note = "" if first is None else UNWRITTEN if unwritten else f"{first.label}: {first.problem}"
        grid.add_row(
            Text(result.name),
            Text(f"{result.earned:.1f}/{result.points:g}", style=style),
            Text(
                "".join("●" if case.credit >= 1 else "◐" if case.credit else "○" for case in result.cases) or "-",
                style=style,
            ),
            Text(note or ("" if result.cases else "only in official runs")),
        )
        if result.advice and not unwritten:
            lines.append(Text(f"{result.name}: {result.advice}"))
    parts: list = [grid, Text(f"\n{score.earned:g} of {score.points:g} points", style="bold")]
    if score.problem:
        parts.append(Text(score.problem, style="red"))
    for name, text in score.errors.items():
        parts.append(Text(f"The cell {name} raised {text}", style="yellow"))
    if lines:
        parts += [Text("\nWhat the public tests say", style="bold"), *lines]
    failing = next((result.name for result in score.exercises if result.advice), None)
    if failing:
        parts.append(Text(f"\nA hint: make hint HW={homework.name} EXERCISE={failing}", style="dim"))
    if not score.sandboxed:
        parts.append(Text("\n" + OPEN, style="bold red"))
    return Group(*parts)


def show(group: object, console: Console | None = None) -> None:
    """Print a table."""
    (console or Console(highlight=False)).print(group)


def _cell(text: object) -> str:
    """A text inside a Markdown table, with nothing in it that Markdown or HTML would read."""
    escaped = plain(text)
    for letter in "\\`*_{}[]()#+!|~$":
        escaped = escaped.replace(letter, "\\" + letter)
    return (
        escaped.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("@", "&#64;")
        .replace("://", ":&#47;/")
    )


def _rows(exercise: ExerciseResult) -> list[str]:
    lines = [f"\n**{_cell(exercise.name)}**: {exercise.earned:.1f} of {exercise.points:g}\n"]
    for case in exercise.cases:
        mark = "✓" if case.credit >= 1 else f"{case.credit:.0%}"
        lines.append(f"- {mark} {_cell(case.label)}" + (f": {_cell(case.problem)}" if case.problem else ""))
    if exercise.advice:
        lines.append(f"- The public tests say: {_cell(exercise.advice)}")
    return lines


def markdown(score: Score, homework: Homework, official: bool = False, student: str | None = None) -> str:
    """The score of one submission as Markdown, short enough for a job summary."""
    lines = [f"## {_cell(homework.title)}", ""]
    if student is not None:
        lines += [_cell(student), ""]
    lines += [f"**{score.earned:g} of {score.points:g} points**", ""]
    if not official:
        lines += [f"> {ADVISORY}", ""]
    if not score.sandboxed:
        lines += [f"> **{OPEN}**", ""]
    if score.problem:
        lines += [_cell(score.problem), ""]
    lines += ["| exercise | points | cases |", "| --- | ---: | --- |"]
    for result in score.exercises:
        passed = sum(case.credit for case in result.cases)
        lines.append(
            f"| {_cell(result.name)} | {result.earned:.1f} / {result.points:g} | {passed:g} of {len(result.cases)} |"
        )
    for result in score.exercises:
        if result.cases and result.earned < result.points:
            lines += _rows(result)
    if score.errors:
        lines += ["", "Cells that raised an error:", ""]
        lines += [f"- {_cell(name)}: {_cell(text)}" for name, text in score.errors.items()]
    text = "\n".join(lines) + "\n"
    while len(text.encode("utf-8")) > SUMMARY:
        text = text[: len(text) * 9 // 10] + "\n\n(cut)\n"
    return text


def to_json(score: Score) -> str:
    """The score of one submission as JSON."""
    return json.dumps(score.to_json(), indent=1, ensure_ascii=False) + "\n"


def harmless(name: str) -> str:
    """A text as a spreadsheet may open it: what would start a formula is quoted."""
    line = plain(name, 200)
    return "'" + line if line.startswith(tuple("=+-@＝＋－＠")) else line


def unmistakable(student: str) -> str:
    """A student's name as it is, or written out where it holds what cannot be seen: no name passes for another."""
    return student if plain(student, 200) == student else ascii(student)


def to_csv(scores: Mapping[str, Score], homework: Homework) -> str:
    """A class as CSV: one row per student, in the order of their names; no row depends on when it was made."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [exercise.name for exercise in homework.exercises]
    writer.writerow(["student", "homework", "points", "of", *names, "remark"])
    for student in sorted(scores):
        score = scores[student]
        by_name = {result.name: result for result in score.exercises}
        earned = [f"{by_name[name].earned:.2f}" if name in by_name else "" for name in names]
        remark = score.problem or ("" if score.sandboxed else "not sandboxed")
        writer.writerow(
            [
                harmless(unmistakable(student)),
                score.homework,
                f"{score.earned:.2f}",
                f"{score.points:g}",
                *earned,
                harmless(remark),
            ]
        )
    return out.getvalue()


def class_markdown(scores: Mapping[str, Score], homework: Homework) -> str:
    """A class as Markdown for a job summary: how it went, by exercise; no names."""
    done: Sequence[Score] = list(scores.values())
    lines = [f"## {_cell(homework.title)}: {len(done)} submissions", ""]
    lines += ["| exercise | points | mean | complete | nothing |", "| --- | ---: | ---: | ---: | ---: |"]
    for number, exercise in enumerate(homework.exercises):
        earned = [score.exercises[number].earned for score in done]
        mean = sum(earned) / len(earned) if earned else 0.0
        complete = sum(value >= exercise.points for value in earned)
        nothing = sum(not value for value in earned)
        lines.append(f"| {_cell(exercise.name)} | {exercise.points:g} | {mean:.1f} | {complete} | {nothing} |")
    return "\n".join(lines) + "\n"
