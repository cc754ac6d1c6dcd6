"""The book's Sphinx extensions, on tiny books: each rule of the ledger is broken once, and a good book stays silent."""

import functools
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from unrolled import figures

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "extensions"
sys.path.insert(0, str(EXTENSIONS))

import formulas  # noqa: E402
import ledger  # noqa: E402
import pictures  # noqa: E402

# Sphinx and what it loads warn of their own future; the book's own code is still tested without a warning.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CONFIGURATION = {
    "extensions": ["myst_nb", "formulas", "ledger", "pictures"],
    "html_math_renderer": "katex",
    "html_theme": "basic",
    "html_copy_source": False,
    "nb_execution_mode": "off",
    "myst_enable_extensions": ["amsmath", "dollarmath"],
    "numfig": True,
    "math_numfig": True,
    "math_eqref_format": "({number})",
    "suppress_warnings": ["myst.domains"],
    "language": "en",
}

GOOD_MARKDOWN = "# Chapter\n\n$$ a = b $$ (eq-first-rule)\n\nSee {eq}`eq-first-rule`.\n\n$$ c := d $$ (def-thing)"
GOOD_CODE = "from unrolled.ledger import check\n\nc = 1  # def-thing"
GOOD_CHECK = 'check("eq-first-rule", 1.0, 1.0, route="by hand")'
HELD = "✓ eq-first-rule | by hand | rtol 1e-09\n"
FIGURE = f"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt"
 viewBox="0 0 72 36"><metadata>by hand</metadata><style>*{{stroke-linejoin: round}}</style><script>alert(1)</script>
<defs><path id="dot" d="M0 0h1"/><clipPath id="cut"><path d="M0 0h9"/></clipPath></defs>
<g clip-path="url(#cut)" style="stroke: {figures.COLOURS["blue"].upper()}; fill: #ffffff" onclick="alert(1)">
<use xlink:href="#dot" fill="{figures.COLOURS["orange"]}"/><text style="fill: {figures.INK}">n</text></g></svg>"""


def code(source: str, printed: str = "", tags: tuple[str, ...] = (), outputs: tuple = (), **metadata) -> dict:
    """A code cell with what it printed."""
    cell = new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags), **metadata})
    if printed:
        cell.outputs.insert(0, new_output("stream", name="stdout", text=printed))
    return cell


def good_cells() -> list[dict]:
    return [new_markdown_cell(GOOD_MARKDOWN), code(GOOD_CODE), code(GOOD_CHECK, HELD)]


class Book:
    """A small book in a folder."""

    def __init__(self, folder: Path):
        self.source, self.output = folder / "source", folder / "output"
        self.source.mkdir(parents=True)
        (self.source / "conf.py").write_text("")
        self.settings: dict = {}
        self.pages: dict[str, str] = {}
        self.write("index.md", "# Book\n\n```{toctree}\n:numbered:\n:glob:\n\nchapter*\n```\n\n```{toctree}\nlist\n```")
        self.write("list.md", "# List\n\n```{equation-index}\n```\n\n```{definition-index}\n```")

    def write(self, name: str, content: str | list[dict]) -> Path:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            notebook = new_notebook(cells=content)
            notebook.metadata = {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            }
            for number, cell in enumerate(notebook.cells):
                cell.id = f"cell-{number}"
            nbformat.write(notebook, path)
        return path

    def build(self, **settings) -> list[str]:
        """Build the book (again) and return its warnings, one a line."""
        warnings = io.StringIO()
        with patch_docutils(self.source), docutils_namespace():
            app = Sphinx(
                self.source,
                self.source,
                self.output,
                self.output / ".doctrees",
                "html",
                confoverrides={**CONFIGURATION, **self.settings, **settings},
                status=None,
                warning=warnings,
            )
            app.build()
            self.status, self.read = app.statuscode, list(app.env.found_docs)
        return [line for line in re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue()).splitlines() if "WARNING" in line]

    def html(self, name: str) -> str:
        return (self.output / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("conf"):
            del sys.modules[name]


# ------------------------------------------------------------------------------------------------- a good book


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder = tmp_path_factory.mktemp("good")
    book = Book(folder)
    (folder / "source" / "package").mkdir()
    (folder / "source" / "package" / "module.py").write_text(
        'def rule():\n    """A rule. Implements eq-first-rule."""\n'
    )
    book.settings = {"ledger_package": "package"}
    figure = code(
        "plot()",
        outputs=(new_output("display_data", data={"image/svg+xml": FIGURE, "text/plain": "figure"}),),
        mystnb={"image": {"alt": 'A "dot" & a cut.'}, "figure": {"caption": "The dot.", "name": "fig-dot"}},
    )
    second = code('check("eq-first-rule", 1.0, 1.0, route="another way")', "✓ eq-first-rule | another way | exact\n")
    fence = new_markdown_cell(
        "```python\ncheck('eq-in-a-fence', 1, 1)\n```\n\n```latex\n$$ x $$ (eq-in-a-fence)\n```\n\n"
        "$$ e = mc^2 $$\n\n\\begin{align*} a &= b \\\\ c &= d \\end{align*}"
    )
    book.write("chapter-1.ipynb", [*good_cells(), second, figure, fence])
    loop = code(
        'for label, left in [("eq-second-rule", 1.0), ("eq-third-rule", 2.0)]:\n'
        '    check(label, left, left + 0.0, route="a loop")',
        "✓ eq-second-rule | a loop | rtol 1e-09\n✓ eq-third-rule | a loop | rtol 1e-09\n",
        ("hide-cell",),
    )
    helper = code('def compare(label, left, right):\n    check(label, left, right, route="a helper")')
    call = code('compare("eq-fourth-rule", 1.0, 1.0)', "✓ eq-fourth-rule | a helper | rtol 1e-09\n")
    slip = code(
        'try:\n    check("eq-second-rule", 1.0, 2.0, route="the slip")\nexcept AssertionError as e:\n    print(e)',
        "eq-second-rule does not hold (the slip): the left side is 1.0\n",
    )
    labels = "# Two\n\n$$ a $$ (eq-second-rule)\n\n$$ b $$ (eq-third-rule)\n\n$$ c $$ (eq-fourth-rule)"
    magic = code("%matplotlib inline\n!ls\nfrom unrolled import ledger")
    attribute = code(
        'ledger.check("eq-fourth-rule", 1.0, 1.0, route="again")', "✓ eq-fourth-rule | again | rtol 1e-09\n"
    )
    shell = code("%%bash\necho it is no Python(")
    cells = [new_markdown_cell(labels), code("from unrolled.ledger import check"), loop, helper, call, slip, magic]
    book.write("chapter-2.ipynb", [*cells, attribute, shell])
    book.warnings = book.build()
    return book


def test_a_good_book_gives_no_warning(good: Book) -> None:
    assert good.warnings == []


def test_every_checked_equation_is_marked_with_its_routes(good: Book) -> None:
    html = good.html("chapter-1")
    mark = re.search(r'<div class="ledger-mark.*?</div>', html, re.DOTALL).group()
    assert re.findall(r'href="(#[^"]*)"[^>]*>([^<]*)<', mark) == [
        ("#check-eq-first-rule", "by hand"),
        ("#check-eq-first-rule-2", "another way"),
    ]
    for anchor in ("check-eq-first-rule", "check-eq-first-rule-2", "code-def-thing", "equation-eq-first-rule"):
        assert html.count(f'id="{anchor}"') == 1
    assert html.count('class="ledger-mark') == 1  # the definition and the unlabelled formulas have none


def test_the_checking_cell_links_back_to_the_equation(good: Book) -> None:
    back = re.search(r'<div class="ledger-back.*?</div>', good.html("chapter-1"), re.DOTALL).group()
    assert 'href="#equation-eq-first-rule"' in back
    assert ">(1.1)<" in back
    assert good.html("chapter-2").count('class="ledger-back') == 3


def test_the_index_lists_number_formula_code_routes_and_tolerance(good: Book) -> None:
    html = good.html("list")
    assert "4 of 4 equations checked." in html
    row = next(row for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if "eq-first-rule" in row)
    assert re.search(r'href="chapter-1.html#equation-eq-first-rule">\(1.1\)<', row)
    assert 'class="katex"' in row
    assert "module.rule" in row
    assert re.search(r'href="chapter-1.html#check-eq-first-rule-2">another way</a>.*\(exact\)', row)
    assert "(rtol 1e-09)" in row
    definition = next(row for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if "def-thing" in row)
    assert 'href="chapter-1.html#code-def-thing"' in definition
    assert "def-thing" not in html.split("4 of 4")[1].split("<table")[1]  # definitions have a table of their own


def test_formulas_are_markup_and_no_script(good: Book) -> None:
    html = good.html("chapter-1")
    assert html.count('class="katex-mathml"') == html.count('class="katex-html"') == 4  # one of them in align*
    assert "<math" in html
    assert not re.search(r"<script[^>]*(mathjax|katex)", html)
    assert "$" not in re.sub(r"<pre>.*?</pre>", "", html, flags=re.DOTALL)  # the fence shows its own
    fonts = sorted(path.suffix for path in (good.output / "_static" / "katex").iterdir())
    assert set(fonts) == {".css", ".woff2"}
    sheet = (good.output / "_static" / "katex" / "katex.css").read_text()
    named = set(re.findall(r"url\(([^)]+)\)", sheet))
    assert named
    assert all((good.output / "_static" / "katex" / name).is_file() for name in named)


UNBROKEN = r'<span class="unbroken">.*?[,h.]</span></span>'


def test_no_line_begins_with_the_comma_after_a_formula(book: Book) -> None:
    text = "# One\n\nNow $a + b$, then $c$-th, then $d$ alone, $e$ (or $f$)."
    book.write("chapter-1.ipynb", [new_markdown_cell(text)])
    assert book.build() == []
    html = book.html("chapter-1")
    kept = [re.search(r"[^>]*(?=</span></span>$)", part).group() for part in re.findall(UNBROKEN, html)]
    assert kept == [",", "-th", ")."]
    plain = re.sub(r'<span class="katex-mathml">.*?</math></span>|<[^>]*>|\u200b', "", html.split("<h1>")[1])
    assert re.search(r"Now a\+b, then c-th, then d alone, e \(or f\)\.", plain)


def test_figures_are_part_of_the_page(good: Book) -> None:
    html = good.html("chapter-1")
    svg = re.search(r"<svg.*?</svg>", html, re.DOTALL).group()
    assert 'role="img"' in svg
    assert 'aria-label="A &quot;dot&quot; &amp; a cut."' in svg
    assert "The dot." in html
    assert not list(good.output.rglob("*.svg"))


# ---------------------------------------------------------------------------------------------- each rule, broken


def with_check(source: str, printed: str = "", **rest) -> list[dict]:
    return [new_markdown_cell(GOOD_MARKDOWN), code(GOOD_CODE), code(source, printed, **rest)]


def with_markdown(markdown: str) -> list[dict]:
    return [new_markdown_cell(markdown), *good_cells()[1:]]


def failed() -> list[dict]:
    error = new_output("error", ename="LedgerError", evalue="eq-first-rule does not hold", traceback=["it does not"])
    return with_check(GOOD_CHECK, HELD, outputs=(error,))


def picture(**mystnb) -> list[dict]:
    output = new_output("display_data", data={"image/svg+xml": FIGURE})
    return [*good_cells(), code("plot()", outputs=(output,), mystnb=mystnb)]


BROKEN: dict[str, tuple[Callable[[], list[dict]], str]] = {
    "no check at all": (lambda: good_cells()[:2], "eq-first-rule has no check"),
    "the check is a comment": (lambda: with_check("# " + GOOD_CHECK), "eq-first-rule has no check"),
    "the check is a text": (lambda: with_check(f"'''{GOOD_CHECK}'''"), "eq-first-rule has no check"),
    "the check is in a fence": (
        lambda: [*with_markdown(GOOD_MARKDOWN)[:2], new_markdown_cell(f"```python\n{GOOD_CHECK}\n```")],
        "eq-first-rule has no check",
    ),
    "no output": (lambda: with_check(GOOD_CHECK), "eq-first-rule: the stored output does not say that it held"),
    "other output": (lambda: with_check(GOOD_CHECK, "fine\n"), "does not say that it held"),
    "the line of another label": (
        lambda: with_check(GOOD_CHECK, HELD.replace("first", "other")),
        "does not say that it held",
    ),
    "a line with a cross": (lambda: with_check(GOOD_CHECK, HELD.replace("✓", "✗")), "does not say that it held"),
    "an error": (failed, "eq-first-rule: the stored output of its cell ends in an error"),
    "one of two held": (lambda: with_check(f"{GOOD_CHECK}\n{GOOD_CHECK}", HELD), "does not say that it held"),
    "a route that did not run": (
        lambda: with_check(GOOD_CHECK.replace("by hand", "by foot"), HELD),
        "says nothing of the route 'by foot'",
    ),
    "a check that does not run": (
        lambda: with_check(f"if False:\n    {GOOD_CHECK}"),
        "does not say that it held",
    ),
    "a failure that is swallowed": (
        lambda: with_check(f"try:\n    {GOOD_CHECK}\nexcept Exception:\n    pass"),
        "eq-first-rule has no check",
    ),
    "a function that nobody calls": (
        lambda: with_check(f"def never():\n    {GOOD_CHECK}"),
        "stands in a function that no cell calls",
    ),
    "a printed line without a check": (
        lambda: with_check(f"print({HELD.strip()!r})", HELD),
        "prints that eq-first-rule held, but calls no check",
    ),
    "a check of one's own": (
        lambda: with_check(f"def check(label, left, right, route):\n    print('ok')\n\n\n{GOOD_CHECK}", HELD),
        "`check` is a function of the notebook",
    ),
    "a check from elsewhere": (
        lambda: with_check(f"from somewhere import check\n\n{GOOD_CHECK}", HELD),
        "`check` is imported from somewhere",
    ),
    "an unknown label": (
        lambda: [*good_cells(), code('check("eq-unknown", 1.0, 1.0, route="x")', "✓ eq-unknown | x | rtol 1e-09\n")],
        "a check of eq-unknown, which labels nothing",
    ),
    "a checked definition": (
        lambda: [*good_cells(), code('check("def-thing", 1.0, 1.0, route="x")')],
        "a checked label is eq- and kebab-case",
    ),
    "a label that cannot be read": (
        lambda: [*good_cells(), code("check(secret(), 1.0, 1.0, route=r)")],
        "names no label that could be read",
    ),
    "a label in capitals": (lambda: with_markdown(GOOD_MARKDOWN + "\n\n$$ q $$ (eq-Big)"), "label 'eq-Big'"),
    "a label with an underscore": (lambda: with_markdown(GOOD_MARKDOWN + "\n\n$$ q $$ (eq-a_b)"), "label 'eq-a_b'"),
    "a label of another kind": (lambda: with_markdown(GOOD_MARKDOWN + "\n\n$$ q $$ (thm-a)"), "label 'thm-a'"),
    "a label twice": (
        lambda: with_markdown(GOOD_MARKDOWN + "\n\n$$ q $$ (eq-first-rule)"),
        "the label eq-first-rule stands in the book already",
    ),
    "a definition without code": (
        lambda: with_markdown(GOOD_MARKDOWN + "\n\n$$ q $$ (def-idle)"),
        "the definition def-idle is named by no code",
    ),
    "a comment that names nothing": (
        lambda: [*good_cells(), code("x = 1  # eq-vanished")],
        "a comment names eq-vanished, which labels nothing",
    ),
    "a check that is not shown": (
        lambda: with_check(GOOD_CHECK, HELD, tags=("remove-cell",)),
        "its cell is removed from the page",
    ),
    "a cell that does not parse": (lambda: [*good_cells(), code("x = = 1")], "the code cell does not parse"),
    "a figure without words": (lambda: picture(figure={"caption": "Seen."}), "no alternative text"),
    "a figure without a caption": (lambda: picture(image={"alt": "A dot."}), "the figure has no caption"),
    "a bad formula": (
        lambda: with_markdown(GOOD_MARKDOWN + "\n\n$$ \\frac{1 $$"),
        "formula does not parse",
    ),
    "a bad inline formula": (
        lambda: with_markdown(GOOD_MARKDOWN + "\n\nNow $\\nosuchthing{x}$."),
        "formula does not parse",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_a_warning_with_its_place(book: Book, name: str) -> None:
    cells, message = BROKEN[name]
    path = book.write("chapter-1.ipynb", cells())
    warnings = [line for line in book.build() if "duplicate label" not in line]
    matching = [line for line in warnings if message in line]
    assert matching, warnings
    place = re.match(r"chapter-1\.ipynb:(\d+) \(cell (cell-\d+)\): WARNING", matching[0])
    assert place, matching[0]
    above = path.read_text().splitlines()[: int(place[1])]
    cell = [line for line in above if re.match(r' *"id": ', line)][-1]  # of the cell in which the line stands
    assert f'"{place[2]}"' in cell


def test_a_warning_names_the_line_of_the_file(book: Book) -> None:
    path = book.write("chapter-1.ipynb", with_markdown(GOOD_MARKDOWN + "\n\n$$ \\frac{1 $$"))
    (warning,) = book.build()
    line = int(re.search(r"ipynb:(\d+)", warning)[1])
    assert r"\\frac{1" in path.read_text().splitlines()[line - 1]


def test_with_warnings_as_errors_the_build_fails(book: Book) -> None:
    book.write("chapter-1.ipynb", good_cells())
    assert book.build() == []
    assert book.status == 0
    book.write("chapter-1.ipynb", good_cells()[:2])
    with patch_docutils(book.source), docutils_namespace():
        app = Sphinx(
            book.source,
            book.source,
            book.output,
            book.output / ".doctrees",
            "html",
            confoverrides=CONFIGURATION,
            status=None,
            warning=io.StringIO(),
            warningiserror=True,
            keep_going=True,
        )
        app.build()
    assert app.statuscode == 1


def test_a_check_in_another_chapter_does_not_count(book: Book) -> None:
    book.write("chapter-1.ipynb", good_cells()[:2])
    book.write("chapter-2.ipynb", [new_markdown_cell("# Two"), *good_cells()[1:]])
    warnings = " ".join(book.build())
    assert "the equation eq-first-rule has no check in chapter-1" in warnings
    assert "a check of eq-first-rule, whose equation stands at chapter-1.ipynb" in warnings


def test_the_same_label_in_two_chapters(book: Book) -> None:
    book.write("chapter-1.ipynb", good_cells())
    book.write("chapter-2.ipynb", good_cells())
    warnings = " ".join(book.build())
    assert "the label eq-first-rule stands in the book already, at chapter-1.ipynb" in warnings


def test_a_docstring_that_names_nothing(book: Book) -> None:
    book.write("chapter-1.ipynb", good_cells())
    source = (
        '"""Says eq-gone.\n\n>>> check("eq-example", 1, 1)\n✓ eq-example | by hand\n"""\n\n\n'
        'class A:\n    def f(self):\n        """\n        Implements eq-first-rule and def-gone.\n        """\n'
    )
    book.write("package/module.py", source)
    warnings = book.build(ledger_package="package")
    assert len(warnings) == 2
    assert re.match(r"package/module.py:1: .*package.module names eq-gone", warnings[0])
    assert re.match(r"package/module.py:11: .*package.module.A.f names def-gone", warnings[1])


def test_an_image_of_a_page_needs_words(book: Book) -> None:
    book.write("chapter-1.ipynb", with_markdown(GOOD_MARKDOWN + "\n\n![](dot.svg)"))
    book.write("dot.svg", FIGURE)
    assert any("the image dot.svg has no alternative text" in line for line in book.build())


# --------------------------------------------------------------------------------------------- one build after another


def test_a_changed_notebook_changes_the_index_and_the_warnings(book: Book) -> None:
    book.write("chapter-1.ipynb", good_cells())
    second = "# Two\n\n$$ a $$ (eq-second-rule)"
    check = 'check("eq-second-rule", 1.0, 1.0, route="counting")'
    line = "✓ eq-second-rule | counting | rtol 1e-09\n"
    book.write("chapter-2.ipynb", [new_markdown_cell(second), code(check, line)])
    assert book.build() == []
    assert "2 of 2 equations checked." in book.html("list")

    book.write("chapter-2.ipynb", [new_markdown_cell(second), code(check)])  # the output is gone
    assert any("does not say that it held" in warning for warning in book.build())
    assert "1 of 2 equations checked." in book.html("list")
    assert "not checked" in book.html("list")
    assert book.build() != []  # nothing was read, and the fault is still reported

    book.write("chapter-2.ipynb", [new_markdown_cell("# Two")])
    assert book.build() == []
    assert "1 of 1 equations checked." in book.html("list")
    assert "eq-second-rule" not in book.html("list")

    (book.source / "chapter-2.ipynb").unlink()
    book.write("chapter-1.ipynb", good_cells()[:2])
    assert any("eq-first-rule has no check" in warning for warning in book.build())


def test_a_changed_package_changes_the_index(book: Book) -> None:
    book.write("chapter-1.ipynb", good_cells())
    book.write("package/module.py", '"""Nothing."""\n')
    assert book.build(ledger_package="package") == []
    assert "module.rule" not in book.html("list")
    book.write("package/module.py", 'def rule():\n    """Implements eq-first-rule."""\n')
    assert book.build(ledger_package="package") == []
    assert "module.rule" in book.html("list")


def test_labels_in_docstrings_become_links(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book.write("chapter-1.ipynb", good_cells())
    (tmp_path / "tiny_module.py").write_text('def rule():\n    """A rule. Implements eq-first-rule, twice."""\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    book.write("list.md", "# List\n\n```{eval-rst}\n.. automodule:: tiny_module\n   :members:\n```")
    assert book.build(extensions=[*CONFIGURATION["extensions"], "sphinx.ext.autodoc"]) == []
    assert re.search(r'<a[^>]*href="chapter-1.html#equation-eq-first-rule"[^>]*>.*?eq-first-rule', book.html("list"))


def test_what_several_processes_read_is_put_together() -> None:
    class Environment:
        pass

    first, second = Environment(), Environment()
    first.ledger_pages, second.ledger_pages = {"a": ledger.Page()}, {"a": ledger.Page(), "b": ledger.Page()}
    second.ledger_indexes = {"b", "c"}
    ledger.merge(None, first, ["b"], second)
    assert set(first.ledger_pages) == {"a", "b"}
    assert first.ledger_indexes == {"b"}
    ledger.purge(None, first, "b")
    assert set(first.ledger_pages) == {"a"}
    assert first.ledger_indexes == set()


# ------------------------------------------------------------------------------------------------- several processes

SETUP = """
import os, sys
sys.path.insert(0, {extensions!r})
globals().update({settings!r})

def setup(app):
    def note(kind):
        def write(*_):
            with open(os.path.join(app.outdir, ".who"), "a") as file:
                file.write(f"{{kind}} {{os.getpid()}}\\n")
        return write
    app.connect("source-read", note("reads"))
    app.connect("html-page-context", note("writes"))
    return {{"parallel_read_safe": True, "parallel_write_safe": True}}
"""


def build_beside(book: Book, processes: int, *extensions: str) -> tuple[int, str, dict[str, set[str]]]:
    """Build in a Python of its own, with warnings as errors: the status, the warnings, who read and who wrote."""
    settings = {**CONFIGURATION, "extensions": [*CONFIGURATION["extensions"], *extensions]}
    (book.source / "conf.py").write_text(SETUP.format(extensions=str(EXTENSIONS), settings=settings))
    shutil.rmtree(book.output, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "--no-color", "-j", str(processes)]
    command += [str(book.source), str(book.output)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    who: dict[str, set[str]] = {}
    for kind, process in re.findall(r"(reads|writes) (\d+)", (book.output / ".who").read_text()):
        who.setdefault(kind, set()).add(process)
    return run.returncode, run.stderr, who


def pages_of(book: Book) -> dict[str, bytes]:
    files = {path.relative_to(book.output).as_posix(): path for path in book.output.rglob("*") if path.is_file()}
    return {
        name: re.sub(rb'"pace": 1, ', b"", path.read_bytes())  # the search knows which extensions have a version
        for name, path in files.items()
        if not name.startswith(".")
    }


def write_chapters(book: Book) -> None:
    book.write("dot.svg", FIGURE)
    book.write("chapter-1.ipynb", good_cells())
    for number in range(2, 5):
        label, last = f"eq-rule-{number}", "eq-first-rule" if number == 2 else f"eq-rule-{number - 1}"
        text = (
            f"# Chapter {number} of $n$ and $n_{number}$\n\n$$ a = b_{number} $$ ({label})\n\nAs {{eq}}`{last}` says, "
            f"and {{numref}}`fig-{number % 3 + 2}` shows, $\\frac{{a}}{{b}} = {number}$.\n\n"
            f"```{{figure}} dot.svg\n:name: fig-{number}\n:alt: A dot.\n\nDot {number}.\n```\n"
        )
        check = code(f'check("{label}", 1.0, 1.0, route="by hand")', f"✓ {label} | by hand | rtol 1e-09\n")
        book.write(f"chapter-{number}.ipynb", [new_markdown_cell(text), code(f"{GOOD_CODE} of {label}"), check])


def test_several_processes_make_the_same_book(book: Book) -> None:
    write_chapters(book)
    status, warnings, who = build_beside(book, 1)
    assert (status, warnings) == (0, "")
    assert [len(processes) for processes in who.values()] == [1, 1]
    alone = pages_of(book)

    status, warnings, who = build_beside(book, 3, "pace")
    assert (status, warnings) == (0, "")
    assert len(who["reads"]) == len(who["writes"]) == 6  # a process for each page; the first one writes the shortest
    together = pages_of(book)
    assert set(together) == set(alone)
    assert [name for name in alone if together[name] != alone[name]] == []
    assert "Fig. 4.1" in book.html("chapter-2")
    assert "4 of 4 equations checked." in book.html("list")


FAULTS = {
    "while reading": ("![A dot.](gone.svg)", "image file not readable: gone.svg"),
    "when all is read": ("$$ a $$ (eq-unchecked)", "the equation eq-unchecked has no check in chapter-3"),
    "a reference": ("See {eq}`eq-nowhere`.", "eq-nowhere"),
    "a numbered reference": ("See {numref}`fig-nowhere`.", "undefined label: 'fig-nowhere'"),
    "while writing": ("$$ \\frac{1 $$", "formula does not parse"),
}


@pytest.mark.parametrize("names", [list(FAULTS), ["while writing"]], ids=["all", "one"])
def test_no_process_keeps_a_warning_to_itself(book: Book, names: list[str]) -> None:
    write_chapters(book)
    figure = "```{figure} dot.svg\n:name: fig-3\n:alt: A dot.\n\nDot.\n```"
    text = "\n\n".join(["# Three", "$$ a $$ (eq-rule-3)", figure, *(FAULTS[name][0] for name in names)])
    check = code('check("eq-rule-3", 1.0, 1.0, route="by hand")', "✓ eq-rule-3 | by hand | rtol 1e-09\n")
    book.write("chapter-3.ipynb", [new_markdown_cell(text), code("from unrolled.ledger import check"), check])
    status, warnings, who = build_beside(book, 3, "pace")
    assert status == 1
    assert len(who["reads"]) == 6
    lines = [line for line in warnings.splitlines() if "WARNING" in line]
    assert len(lines) == len(names), warnings
    for name in names:
        assert any(FAULTS[name][1] in line and "chapter-3" in line for line in lines), warnings


# ------------------------------------------------------------------------------------------------------------ formulas


def test_a_renderer_beside_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    kitchen = formulas.Kitchen({}, forks=True)
    monkeypatch.setattr(formulas, "CARRIER", "no-such-package")
    kitchen.begin([("x", False)])
    with pytest.raises(ExtensionError, match="no-such-package"):
        kitchen.wait()
    monkeypatch.setattr(formulas, "_render_beside", lambda *_: None)
    kitchen.begin([("x", False)])
    with pytest.raises(ExtensionError, match="ended before it was done"):
        kitchen.render(("x", False))
    kitchen.begin([("x", False)])
    kitchen.close()  # nobody waits


def test_a_formula_that_was_not_begun_is_rendered_all_the_same() -> None:
    kitchen = formulas.Kitchen({}, forks=False)
    kitchen.begin([("x", False)])
    html, error = kitchen.render(("y", False))
    assert "katex" in html
    assert error == ""
    assert kitchen.render(("x_", False))[1] != ""
    kitchen.close()


@pytest.fixture(scope="module")
def engine():
    with formulas.Engine({r"\step": r"^{\langle #1\rangle}"}) as engine:
        yield engine


@pytest.mark.parametrize(
    "formula",
    [
        r"\delta_a^{\langle t\rangle} \;=\; W_{ya}^\top\big(\hat y - y\big) \odot \boldsymbol{1}",
        r"a\step{t} = \tanh(W_{aa} a\step{t-1})",
        r"\begin{align} a &= b \\ c &= d \end{align}",
        r"\begin{equation} a = b \end{equation}",
        r"\begin{gather} a \\ b \end{gather}",
        r"a &= b \\ c &= d",
        "a = b \\\\ c = d",
        "a = b\n\nc = d",
        r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise, 100 \%} \end{cases}",
        r"\sum_{w \in \mathcal V} \operatorname*{arg\,max}_x \underbrace{x}_{\text{why}}",
    ],
)
def test_formulas_that_parse(engine: formulas.Engine, formula: str) -> None:
    html, error = engine.render(formulas.prepared(formula), True)
    assert error == ""
    assert "katex-mathml" in html
    assert "tag" not in html  # numbers are not KaTeX's
    assert "annotation" not in html
    assert "\\" not in html


@pytest.mark.parametrize(
    "formula", [r"\frac{1", r"\nosuchcommand", r"a_b_c", r"\begin{align} a", r"\left( x", "a & b $"]
)
def test_formulas_that_do_not_parse(engine: formulas.Engine, formula: str) -> None:
    html, error = engine.render(formula, True)
    assert html == ""
    assert error


def test_a_formula_is_rendered_once(engine: formulas.Engine) -> None:
    first = engine.render("x + y + z", False)
    assert engine.render("x + y + z", False) is first
    assert engine.render("x + y + z", True) is not first


def test_a_single_line_stays_as_it_is() -> None:
    assert formulas.prepared(" a = b ") == "a = b"
    matrix = r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
    assert formulas.prepared(matrix) == matrix
    assert formulas.prepared(r"\text{a \& b}") == r"\text{a \& b}"


# ------------------------------------------------------------------------------------------------------------ pictures


def test_a_picture_is_coloured_by_the_page_and_harmless() -> None:
    markup = pictures.inlined(FIGURE, "A dot.", "p3-")
    assert "stroke: var(--figure-blue)" in markup
    assert "fill: var(--figure-ground)" in markup
    assert "fill: var(--figure-orange)" in markup
    assert "fill: var(--figure-ink)" in markup
    assert 'id="p3-dot"' in markup
    assert 'href="#p3-dot"' in markup
    assert 'clip-path="url(#p3-cut)"' in markup
    assert not re.search(r"script|onclick|metadata|<style|#[0-9a-f]{6}\b", markup)
    assert 'viewBox="0 0 72 36"' in markup


@pytest.mark.parametrize("source", ["", "<svg", "<html/>", "<svg/>"])
def test_what_is_no_picture(source: str) -> None:
    with pytest.raises(ValueError, match=r"not well-formed|outermost element"):
        pictures.inlined(source, "words", "p-")


def test_the_style_sheet_has_every_colour_for_light_and_dark_with_enough_contrast() -> None:
    sheet = (EXTENSIONS.parent / "static" / "book.css").read_text()
    for theme in ("light", "dark"):
        block = re.search(rf'html\[data-theme="{theme}"\][^{{]*\{{(.*?)\}}', sheet, re.DOTALL)[1]
        values = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", block))
        ground = values["--ground"]
        for variable in set(pictures.VARIABLES.values()) - {"--figure-ground"}:
            assert contrast(values[variable], ground) >= 4.5, (theme, variable)
        for variable in ("--text", "--quiet", "--link", "--mark"):
            assert contrast(values[variable], ground) >= 4.5
            assert contrast(values[variable], values["--raised"]) >= 4.5


@functools.cache
def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_nothing_of_the_carrier_is_in_the_repository() -> None:
    assert not list(EXTENSIONS.parent.rglob("*.woff*"))
    assert not list(EXTENSIONS.parent.rglob("katex*"))


# ---------------------------------------------------------------------------------------------------- reading the code


@pytest.mark.parametrize(
    "source",
    [
        'check("eq-a-b", 1, 2, route="x")',
        'check(label="eq-a-b", left=1, right=2, route="x")',
        'from unrolled.ledger import check as verify\nverify("eq-a-b", 1, 2, route="x")',
        'import unrolled.ledger\nunrolled.ledger.check("eq-a-b", 1, 2, route="x")',
        'import unrolled.ledger as book\nbook.check("eq-a-b", 1, 2, route="x")',
        'from unrolled import ledger as l\nl.check("eq-a-b", 1, 2, route="x")',
        '%time check("eq-a-b", 1, 2, route="x")\ncheck("eq-a-b", 1, 2, route="x")',
        '%%time\ncheck("eq-a-b", 1, 2, route="x")',
        'with context():\n    check("eq-a-b", 1, 2, route="x")',
        'if True:\n    check("eq-a-b", 1, 2, route="x")',
        '[check("eq-a-b", i, 2, route="x") for i in range(3)]',
        'def inner():\n    check("eq-a-b", 1, 2, route="x")\n\ndef outer():\n    inner()\n\nouter()',
        'later = lambda: check("eq-a-b", 1, 2, route="x")\nlater()',
        'label = "eq-a-b"\ncheck(label, 1, 2, route="x")',
        'label, route = "eq-a-b", "x"\nfor i in range(3):\n    check(label, i, 2, route=route)',
        'label = "eq-c"\nlabel = "eq-a-b"\ncheck(label, 1, 2, route="x")',
    ],
)
def test_ways_to_write_a_check(source: str) -> None:
    calls, _ = ledger.Reader().read(ledger.syntax_tree(source))
    assert [call.label for call in calls] == ["eq-a-b"]
    assert calls[0].route == "x"
    assert not calls[0].caught


@pytest.mark.parametrize(
    "source",
    [
        'label = "eq-a-b"\nlabel = other()\ncheck(label, 1, 2, route="x")',
        'label = "eq-a-b"\nfor label in names:\n    check(label, 1, 2, route="x")',
        'if late:\n    label = "eq-a-b"\ncheck(label, 1, 2, route="x")',
        'label = "eq-a-b"\nwith thing() as label:\n    check(label, 1, 2, route="x")',
        'label = "eq-a-b"\ndef inner(label):\n    check(label, 1, 2, route="x")\ninner("eq-c")',
    ],
)
def test_a_name_whose_text_is_not_certain_is_not_taken_for_one(source: str) -> None:
    ((call,), _) = ledger.Reader().read(ledger.syntax_tree(source))
    assert call.label is None


@pytest.mark.parametrize(
    "source",
    [
        '# check("eq-a-b", 1, 2, route="x")',
        "text = 'check(\"eq-a-b\", 1, 2)'",
        'grader.check("eq-a-b")',
        'recheck("eq-a-b", 1, 2)',
        'from other import check\ncheck("eq-a-b", 1, 2)',
        'def check(*a):\n    pass\n\ncheck("eq-a-b", 1, 2)',
        'check = print\ncheck("eq-a-b", 1, 2)',
        'def idle():\n    check("eq-a-b", 1, 2)',
    ],
)
def test_what_is_no_check(source: str) -> None:
    assert ledger.Reader().read(ledger.syntax_tree(source))[0] == []


@pytest.mark.parametrize(
    ("head", "caught"),
    [
        ("try:\n    {}\nexcept LedgerError:\n    pass", True),
        ("try:\n    {}\nexcept (KeyError, AssertionError) as error:\n    print(error)", True),
        ("try:\n    {}\nexcept:\n    pass", True),
        ("with pytest.raises(LedgerError):\n    {}", True),
        ("try:\n    {}\nexcept KeyError:\n    pass", False),
        ("try:\n    {}\nfinally:\n    pass", False),
    ],
)
def test_a_check_that_may_fail(head: str, caught: bool) -> None:
    ((call,), _) = ledger.Reader().read(ledger.syntax_tree(head.format('check("eq-a-b", 1, 2, route="x")')))
    assert call.caught is caught
    assert not call.sure
