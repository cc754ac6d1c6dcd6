"""Questions to a student's code, each within limits; what goes wrong is an answer too."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from unrolled.homework import values
from unrolled.homework.notebooks import Cell
from unrolled.homework.sandbox import Ended, Process, Room

MOST_DEATHS = 4
CELLS = 30.0  # seconds for running the cells


@dataclass(frozen=True)
class Answer:
    """What a call came back with.

    Attributes:
        value: the value, when there was one.
        problem: what went wrong, in one line for the student; None if nothing did.
        died: whether the process had to be ended, or ended by itself.
    """

    value: object = None
    problem: str | None = None
    died: bool = False


class Session:
    """A student's notebook, run once in the room, and asked.

    A process that hangs, crashes or ends itself is replaced by a new one, which runs the cells again: one bad function
    costs its own points and no others. After a few deaths, or when the time of the whole is over, every further
    question is answered with that.
    """

    def __init__(self, room: Room, cells: Sequence[Cell], seconds: float = 90.0) -> None:
        """Run the cells.

        Args:
            room: where.
            cells: the code, in order.
            seconds: for everything together.
        """
        self.errors: dict[str, str] = {}
        self._room, self._cells = room, [[cell.name, cell.code] for cell in cells]
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._deaths = 0
        self._process: Process | None = None
        self._gone: str | None = None
        self._start()

    def _start(self) -> None:
        self._process = Process(self._room)
        reply, problem = self._ask({"do": "run", "cells": self._cells}, CELLS)
        if problem:
            self._gone = f"the notebook does not run to its end: {problem}"
            return
        errors = reply.get("errors")
        if isinstance(errors, dict):
            self.errors = {str(name)[:80]: text for name, text in errors.items() if isinstance(text, str)}

    def _ask(self, request: dict, seconds: float) -> tuple[dict, str | None]:
        """Send a request and wait for its reply; end the process when either takes too long."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return {}, f"the {self._seconds:.0f} s for the whole notebook are over"
        identity = secrets.token_hex(8)
        try:
            line = self._process.exchange(values.dumps(request | {"id": identity}), min(seconds, left))
            reply = values.loads(line)
        except Ended as error:
            return {}, str(error)
        except values.ValueRefused:
            self._process.end("an answer that was not asked for")
            return {}, "an answer that is none"
        if reply.get("id") != identity:
            self._process.end("an answer that was not asked for")
            return {}, "an answer that was not asked for"
        return reply, None

    def call(
        self, function: str, arguments: Sequence[object], seconds: float = 10.0, keep: Sequence[str] = ()
    ) -> Answer:
        """Call a function of the notebook.

        Args:
            function: its name.
            arguments: plain values, `Given` and `Kept` names.
            seconds: how long it may take.
            keep: names under which the parts of what it returns stay in the student's process; a part with an empty
                name is sent back instead.
        """
        if self._gone:
            return Answer(problem=self._gone, died=True)
        request = {"do": "call", "function": function, "arguments": values.encode(list(arguments)), "keep": list(keep)}
        reply, problem = self._ask(request, seconds)
        if problem:
            self._revive(problem)
            return Answer(problem=problem, died=True)
        if isinstance(reply.get("error"), str):
            return Answer(problem=reply["error"])
        try:
            return Answer(values.decode(reply.get("value")))
        except values.ValueRefused as error:
            return Answer(problem=f"it returned {error}")

    def public(self, name: str, code: str, seconds: float = 10.0) -> str | None:
        """Run public tests in the student's namespace; return what they complain of: advice, never points."""
        if self._gone:
            return self._gone
        reply, problem = self._ask({"do": "public", "name": name, "code": code}, seconds)
        if problem:
            self._revive(problem)
            return problem
        said = reply.get("problem")
        return said if isinstance(said, str) else None

    def _revive(self, problem: str) -> None:
        self._process.close()
        self._deaths += 1
        if self._deaths >= MOST_DEATHS or time.monotonic() >= self._deadline:
            self._gone = problem if time.monotonic() >= self._deadline else f"the process died {self._deaths} times"
            return
        self._start()

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
