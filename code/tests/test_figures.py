"""The figures: the same bytes on every run, the book's colours only, no ground of their own."""

import io
import re

import matplotlib as mpl
import pytest

from unrolled import figures


@pytest.fixture(autouse=True)
def restore_style():
    with mpl.rc_context():
        mpl.use("agg")
        yield


def draw() -> str:
    from matplotlib.figure import Figure

    figures.use_style()
    fig = Figure()
    ax = fig.subplots()
    for k in range(6):
        ax.plot([0, 1], [k, k + 1], label=f"line {k}")
    ax.legend()
    ax.set_xlabel("$x^{\\langle t\\rangle}$")
    figures.box(ax, (0.5, 2), (0.2, 1), "node")
    figures.arrow(ax, (0.1, 0), (0.5, 2), curve=0.2)
    out = io.StringIO()
    fig.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def test_the_same_bytes_twice():
    assert draw() == draw()


def test_only_the_colours_of_the_book():
    used = set(re.findall(r"#[0-9a-f]{6}", draw()))
    assert used == {figures.INK, *figures.COLOURS.values()}


def test_no_date_and_no_ground():
    svg = draw()
    assert "<dc:date>" not in svg
    assert not re.search(r"fill: *(#ffffff|white)", svg)
