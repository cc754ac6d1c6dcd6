"""How the book's figures look: one style, and colours that a build can translate to a light and a dark page.

Figures are SVG without a ground of their own. The colours are those of Okabe and Ito (2008), told apart by readers
with any kind of colour vision; axes and lettering use one middle grey that is readable on white and on near-black.
The book's build replaces exactly these colour values by variables of the page's style, so figures should use no
others.
"""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib_inline.backend_inline import set_matplotlib_formats

INK = "#767676"
"""Axes, ticks, lettering."""

COLOURS: dict[str, str] = {
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#009e73",
    "purple": "#cc79a7",
    "orange": "#e69f00",
    "sky": "#56b4e9",
}
"""The line colours, in the order in which they are used."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""Markers in the same order, so that no line is told apart by its colour alone."""


def use_style() -> None:
    """Set up matplotlib for the book: SVG, the same bytes on every run, transparent ground, the book's colours.

    Called once at the top of a notebook.
    """
    mpl.rcParams.update(
        {
            "svg.hashsalt": "unrolled",
            "svg.fonttype": "path",
            "figure.figsize": (7.0, 3.6),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.facecolor": "none",
            "legend.facecolor": "none",
            "legend.frameon": False,
            "axes.prop_cycle": mpl.cycler(color=list(COLOURS.values())) + mpl.cycler(marker=list(MARKERS)),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlecolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "grid.color": INK,
            "grid.alpha": 0.25,
            "axes.grid": True,
            "axes.axisbelow": True,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "font.size": 11,
            "mathtext.fontset": "dejavusans",
        }
    )
    set_matplotlib_formats("svg", metadata={"Date": None}, bbox_inches="tight")


def box(
    ax: Axes, centre: tuple[float, float], size: tuple[float, float], text: str, colour: str = INK, fontsize: float = 10
) -> None:
    """Draw a rounded box with a text, a node of a network diagram, in data units."""
    (x, y), (width, height) = centre, size
    outline = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        edgecolor=colour,
        facecolor="none",
        linewidth=1.6,
    )
    ax.add_patch(outline)
    ax.text(x, y, text, ha="center", va="center", fontsize=fontsize, color=INK)


def arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK, curve: float = 0.0
) -> None:
    """Draw an arrow between two points in data units; `curve` bends it."""
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=11,
            color=colour,
            linewidth=1.3,
            shrinkA=0,
            shrinkB=0,
            connectionstyle=f"arc3,rad={curve}",
        )
    )
