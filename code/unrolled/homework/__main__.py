"""The commands of the homework.

python -m unrolled.homework check hw02                what a student runs (also: make homework HW=hw02)
python -m unrolled.homework hint hw02 backward        a hint; --level 2 says more
python -m unrolled.homework list                      the homeworks

python -m unrolled.homework selfcheck hw02            reference all points, stub none, every mutant fewer than all
python -m unrolled.homework release hw02              make the students' notebook from the source
python -m unrolled.homework seal hw02                 make the cases that a student's machine checks
python -m unrolled.homework fetch hw02 --class class.csv --folder submitted
python -m unrolled.homework grade hw02 --folder submitted --out scores.csv
python -m unrolled.homework merge hw02 --out scores.csv part-1.csv.journal part-2.csv.journal
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from unrolled.files import write_whole
from unrolled.homework import classroom, grading, mutants, reports, sandbox, sealed
from unrolled.homework.cases import Reference
from unrolled.homework.notebooks import NotebookError, read_file, read_homework, release

ROOT = Path(__file__).resolve().parents[3] / "homework"
SECRET = "UNROLLED_SECRET"


class Folders:
    """Where the homeworks lie; `--homeworks` names another folder than the project's."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def source(self, name: str) -> Path:
        """The source of a homework."""
        return self.root / "source" / name / f"{name}.ipynb"

    def release(self, name: str) -> Path:
        """The students' notebook."""
        return self.root / "release" / name / f"{name}.ipynb"

    def sealed(self, name: str) -> Path:
        """The sealed cases."""
        return self.root / "release" / name / "sealed.json"

    def mutants(self, name: str) -> Path:
        """The typical wrong solutions."""
        return self.root / "mutants" / f"{name}.py"

    def mine(self, name: str) -> Path:
        """Where a student works."""
        return self.root / "mine" / f"{name}.ipynb"

    def names(self) -> list[str]:
        """All homeworks that have been released."""
        return sorted(path.parent.name for path in self.root.glob("release/*/*.ipynb"))


def _known(folders: Folders, name: str, place: Path) -> Path:
    if not place.is_file():
        names = ", ".join(folders.names()) or "none"
        raise NotebookError(f"there is no homework {name!r}; there are {names}")
    return place


def check(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """A student's own score: sealed cases, public tests, and what they say."""
    released = _known(folders, options.homework, folders.release(options.homework))
    homework = read_homework(released)
    path = Path(options.file) if options.file else folders.mine(options.homework)
    if not options.file and not os.path.lexists(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as part:
            part.write_bytes(released.read_bytes())
        console.print(Text(f"Your notebook is {_shown(path)}: open it (make lab), solve an exercise, and ask again."))
    questions = sealed.read_sealed(folders.sealed(options.homework))
    with sandbox.room(None) as room:
        if not room.sandboxed:
            console.print(Text(reports.OPEN, style="bold red"))
        body = read_file(path)
        with console.status("running your notebook …"):
            score = grading.grade(homework, body, questions, room, advise=True)
    reports.show(reports.table(score, homework, homework.title), console)
    console.print(Text(reports.ADVISORY, style="dim"))
    _write(options.json, reports.to_json(score))
    _append(options.markdown, reports.markdown(score, homework))
    return 0 if score.earned >= options.require * score.points / 100 else 1


def hint(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """One hint of one exercise."""
    homework = read_homework(_known(folders, options.homework, folders.release(options.homework)))
    exercise = homework.exercise(options.exercise)
    level = min(max(options.level, 1), len(exercise.hints))
    console.print(Text(exercise.hints[level - 1]))
    if level < len(exercise.hints):
        more = f"make hint HW={homework.name} EXERCISE={exercise.name} LEVEL={level + 1}"
        console.print(Text(f"(hint {level} of {len(exercise.hints)}; the next: {more})", style="dim"))
    return 0


def overview(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """The homeworks and their exercises."""
    for name in folders.names():
        homework = read_homework(folders.release(name))
        minutes = sum(exercise.minutes for exercise in homework.exercises)
        console.print(
            Text(f"{name}  {homework.title}: {homework.points:g} points, about {minutes / 60:.0f} hours", "bold")
        )
        for exercise in homework.exercises:
            console.print(Text(f"    {exercise.name:24} {exercise.points:4g} points  {exercise.minutes:4} minutes"))
    return 0


def make_release(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """Write the students' notebook."""
    source = _source(folders, options.homework)
    read_homework(source)
    body = release(read_file(source), source.name)
    target = folders.release(options.homework)
    target.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(target) as part:
        part.write_bytes(body)
    read_homework(target)
    console.print(Text(f"{_shown(target)} is written, without solutions and hidden tests."))
    return 0


def make_seal(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """Write the sealed cases."""
    reference = Reference(read_homework(_source(folders, options.homework)))
    target = folders.sealed(options.homework)
    target.parent.mkdir(parents=True, exist_ok=True)
    count, drawn = sealed.seal(reference, target)
    size = target.stat().st_size
    console.print(
        Text(f"{_shown(target)}: {count} of {drawn} cases sealed, {size:,} bytes; the others count officially only.")
    )
    return 0


def run_selfcheck(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """Hold the homework against its reference, its stub and its mutants."""
    reference = Reference(read_homework(_source(folders, options.homework)))
    wrong = mutants.read_mutants(folders.mutants(options.homework))
    with sandbox.room(None) as room:
        if not room.sandboxed:
            console.print(Text(reports.OPEN, style="bold red"))
        problems = mutants.selfcheck(reference, wrong, room, options.seed, lambda line: console.print(Text(line)))
    for problem in problems:
        console.print(Text(problem, style="red"))
    console.print(Text(f"{options.homework}: " + (f"{len(problems)} problems" if problems else "as it should be")))
    return 1 if problems else 0


def grade_folder(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """A folder of submissions to a table."""
    source = _source(folders, options.homework)
    secret = _secret(options)
    everyone = classroom.submissions(options.folder, options.homework)
    if options.shard:
        everyone = [one for one in everyone if classroom.in_shard(one.student, options.shard)]
    homework = read_homework(source)
    if options.unsandboxed:
        console.print(Text(reports.OPEN, style="bold red"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"grading {options.homework}", total=len(everyone))
        fresh: list[str] = []

        def told(one: classroom.Submission, score: grading.Score) -> None:
            fresh.append(one.student)
            progress.advance(task)

        scores = classroom.grade_class(
            source,
            everyone,
            options.out,
            secret,
            closed=not options.unsandboxed,
            processes=options.processes,
            scheduler=options.scheduler,
            begun=lambda left: progress.update(task, completed=len(everyone) - left),
            told=told,
        )
    _write(options.out, reports.to_csv(scores, homework))
    _write(options.json, _class_json(scores))
    _append(options.markdown, reports.class_markdown(scores, homework))
    if options.feedback:
        for student, score in scores.items():
            Path(options.feedback, student).mkdir(parents=True, exist_ok=True)
            text = reports.markdown(score, homework, official=not options.unsandboxed, student=student)
            _write(str(Path(options.feedback, student, f"{options.homework}.md")), text)
    kept = len(scores) - len(fresh)
    console.print(
        Text(f"{len(fresh)} submissions graded, {kept} had their score already; the table is {_shown(options.out)}.")
    )
    unfinished = sorted(grading.plain(student) for student, score in scores.items() if score.unfinished)
    if unfinished:
        console.print(Text(f"{len(unfinished)} could not be graded, run again: {', '.join(unfinished)}", style="red"))
    return 1 if unfinished else 0


def merge(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """The journals of several shards as one table."""
    homework = read_homework(_source(folders, options.homework))
    scores: dict[str, grading.Score] = {}
    for path in options.journals:
        part = classroom.read_journal(path)
        doubled = sorted(set(scores) & set(part))
        if doubled:
            raise NotebookError(f"{doubled[0]} stands in two journals")
        scores |= part
    other = sorted({score.homework for score in scores.values()} - {options.homework})
    if other:
        raise NotebookError(f"a journal is one of {other[0]}, not of {options.homework}")
    _write(options.out, reports.to_csv(scores, homework))
    _append(options.markdown, reports.class_markdown(scores, homework))
    console.print(Text(f"{len(scores)} submissions; the table is {_shown(options.out)}."))
    return 0


def fetch(options: argparse.Namespace, folders: Folders, console: Console) -> int:
    """The notebooks of a class, fetched as data."""
    problems = classroom.fetch(options.class_list, options.homework, options.folder, options.shard)
    for student, problem in problems.items():
        console.print(Text(f"{grading.plain(student)}: {problem}", style="yellow"))
    console.print(Text(f"Fetched into {_shown(options.folder)}; {len(problems)} could not be had."))
    return 0


# --- small things -------------------------------------------------------------------------------------------------


def _source(folders: Folders, name: str) -> Path:
    path = folders.source(name)
    if not path.is_file():
        raise NotebookError(f"there is no source of {name!r} ({_shown(path)})")
    return path


def _secret(options: argparse.Namespace) -> str:
    secret = options.seed or os.environ.get(SECRET, "")
    if not secret:
        raise NotebookError(f"an official run needs a secret seed: --seed, or {SECRET} in the environment")
    return secret


def _class_json(scores: dict[str, grading.Score]) -> str:
    return (
        json.dumps({student: scores[student].to_json() for student in sorted(scores)}, indent=1, ensure_ascii=False)
        + "\n"
    )


def _shown(path: str | os.PathLike[str]) -> str:
    path = Path(path).resolve()
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _write(path: str | None, text: str) -> None:
    if path:
        with write_whole(path) as part:
            part.write_text(text, encoding="utf-8", errors="backslashreplace")


def _append(path: str | None, text: str) -> None:
    if path:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError("a shard is i/n, such as 2/4")
    return int(number), int(count)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m unrolled.homework", description="Homework: check, hint, release, grade."
    )
    top.add_argument("--homeworks", default=str(ROOT), help=argparse.SUPPRESS)
    commands = top.add_subparsers(required=True, metavar="command")

    def command(name: str, run: object, what: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=what, description=what)
        one.set_defaults(run=run)
        if name != "list":
            one.add_argument("homework", help="such as hw02")
        return one

    one = command("check", check, "your own score, advisory")
    one.add_argument("file", nargs="?", help="a notebook (homework/mine/HOMEWORK.ipynb by default)")
    one.add_argument("--json", help="write the score as JSON")
    one.add_argument("--markdown", help="append the score as Markdown, such as to a job summary")
    one.add_argument("--require", type=float, default=0.0, help="fail below so many per cent")
    one = command("hint", hint, "a hint for an exercise")
    one.add_argument("exercise")
    one.add_argument("--level", type=int, default=1, help="1 is a nudge, the last is nearly the code")
    command("list", overview, "the homeworks and their exercises")
    command("release", make_release, "make the students' notebook from the source")
    command("seal", make_seal, "make the cases that a student's machine checks")
    one = command("selfcheck", run_selfcheck, "reference all points, stub none, every mutant fewer than all")
    one.add_argument("--seed", default="selfcheck")
    one = command("fetch", fetch, "fetch the notebooks of a class, as data")
    one.add_argument("--class", dest="class_list", required=True, help="CSV with the columns student and repository")
    one.add_argument("--folder", required=True)
    one.add_argument("--shard", type=_shard, help="only part i/n of the class")
    one = command("grade", grade_folder, "a folder of submissions to a table")
    one.add_argument("--folder", required=True)
    one.add_argument("--out", required=True, help="the table, CSV; its journal lies beside it")
    one.add_argument("--seed", help=f"the secret seed (or {SECRET} in the environment)")
    one.add_argument("--processes", type=int, help="submissions at the same time (the cores by default)")
    one.add_argument("--scheduler", help="the address of a Dask scheduler")
    one.add_argument("--shard", type=_shard, help="only part i/n of the class")
    one.add_argument("--feedback", help="a folder for one Markdown file per student")
    one.add_argument("--json", help="write all scores as JSON")
    one.add_argument("--markdown", help="append an overview as Markdown")
    one.add_argument("--unsandboxed", action="store_true", help="without bubblewrap: protects nothing, advisory")
    one = command("merge", merge, "the journals of several shards as one table")
    one.add_argument("journals", nargs="+")
    one.add_argument("--out", required=True)
    one.add_argument("--markdown")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 2 for what the caller did wrong, with one clear line."""
    options = parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    try:
        return options.run(options, Folders(Path(options.homeworks)), console)
    except (NotebookError, sandbox.SandboxError, FileNotFoundError, IsADirectoryError) as error:
        print(f"homework: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        sandbox.end_all()
        print("\nhomework: interrupted; what was finished is kept.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
