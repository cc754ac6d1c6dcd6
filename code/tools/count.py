"""Count tests over several runs, from the reports that pytest writes, and say it in one plain line."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Count:
    """How many tests passed, failed (errors among them) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_report(path: Path) -> Count:
    """Read a JUnit report.

    Raises:
        ValueError: there is none, or it was cut short.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(f"{path} is no report of a finished run: {error}") from error
    suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
    total = Count()
    for suite in suites:
        tests, failures, errors, skipped = (int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped"))
        bad = failures + errors
        total += Count(max(tests - bad - skipped, 0), bad, skipped)
    return total


def count_run(path: Path, status: int) -> Count:
    """The count of one run, given its report and pytest's exit status; a run that broke counts as one failure at least.

    Args:
        path: where pytest was told to write its report.
        status: what pytest returned; 0 is success, 1 is tests that failed, anything else is a run that broke.
    """
    try:
        count = read_report(path)
    except ValueError:
        return Count(failed=1)
    if status != 0 and count.failed == 0:
        return count + Count(failed=1)
    return count
