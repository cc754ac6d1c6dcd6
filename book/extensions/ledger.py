"""The equation ledger, on the page: which equation was checked, where, and by which route.

The sources are the notebooks themselves. Labels come out of the parsed page (so that a label inside a code fence is
none), checks out of the code cells' syntax trees, and whether a check held out of the stored outputs, read by
`unrolled.ledger.read_lines`.

On the page, every checked equation carries a mark that links to its checking cells, and every checking cell links
back. The directives `equation-index` and `definition-index` list all of them.

What is out of order becomes a warning of type "ledger", with the line of the notebook's file, in every build, whether
or not the page was read again; with -W the build fails. The rules:

* a labelled display equation is `eq-` or `def-` and kebab-case, and its label is unique in the book;
* an `eq-` label has a check in its own chapter, and a checked label stands in the chapter that checks it;
* the stored output of the checking cell says that the check held, by the route that the code names;
* `check` is the one of `unrolled.ledger`, and no cell prints the line of a check without calling it;
* a `def-` label is named by some code; code and docstrings name no label that does not exist;
* a figure has a text for those who cannot see it, and a caption.

A check inside `try` whose failure is caught shows a mistake failing; it may hold or not, and counts only if it held.

Settings (in _config.yml, under sphinx: config:):
    ledger_package: the folder of the package whose docstrings name labels, relative to the book's root
        ("code/unrolled").
"""

import ast
import hashlib
import io
import json
import re
import tokenize
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import places
from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from unrolled.ledger import Held, read_lines

logger = logging.getLogger(__name__)

LABEL = re.compile(r"(eq|def)(-[a-z0-9]+)+")
MENTION = re.compile(r"(?<!✓ )(?<![\w\"'/-])(?:eq|def)(?:-[a-z0-9]+)+(?![\w\"'-])")
CHECKED = re.compile(r"eq(-[a-z0-9]+)+")


# ---------------------------------------------------------------------------------------------- what the sources say


@dataclass
class Cell:
    """A code cell: its place in the notebook, what stands in it and what it printed."""

    index: int
    identity: str
    source: str
    printed: str
    failed: bool
    images: int
    tags: list[str]
    metadata: dict

    @property
    def removed(self) -> bool:
        """Whether nothing of the cell is on the page."""
        tags = {tag.replace("_", "-") for tag in self.tags}
        return "remove-cell" in tags or {"remove-input", "remove-output"} <= tags


@dataclass
class Call:
    """A call of `check` in a cell. A label of None is not written out where it is called."""

    label: str | None
    route: str | None
    caught: bool
    sure: bool
    line: str


@dataclass
class Function:
    """A function of the notebook that calls `check`, itself or through another."""

    calls: list[Call] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)


@dataclass
class Label:
    """A labelled equation of a page."""

    name: str
    formula: str
    node: str
    place: str


@dataclass
class Check:
    """A label that a cell checks, and how it held."""

    label: str
    anchor: str
    held: list[Held]
    place: str


@dataclass
class Mention:
    """A place in the code that names a label: a function of the package, or a line of a chapter's cell."""

    label: str
    name: str
    anchor: str
    place: str


@dataclass
class Page:
    """What the ledger knows of a page."""

    labels: list[Label] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    anchors: dict[int, list[str]] = field(default_factory=dict)


def code_cells(path: Path) -> list[Cell]:
    """The code cells of a notebook's file."""
    cells = []
    for index, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] != "code":
            continue
        outputs = cell.get("outputs", [])
        printed = "".join(_text(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
        cells.append(
            Cell(
                index=index,
                identity=cell.get("id", str(index + 1)),
                source=_text(cell["source"]),
                printed=printed,
                failed=any(output["output_type"] == "error" for output in outputs),
                images=sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in outputs),
                tags=cell.get("metadata", {}).get("tags", []),
                metadata=cell.get("metadata", {}),
            )
        )
    return cells


def _text(given: str | list[str]) -> str:
    return given if isinstance(given, str) else "".join(given)


def syntax_tree(source: str) -> ast.Module | None:
    """The syntax tree of a cell, its IPython magics left out; None for a cell in another language."""
    lines = source.split("\n")
    if lines[0].startswith("%%") and lines[0].split()[0] not in ("%%time", "%%timeit", "%%capture", "%%prun"):
        return None
    plain = [
        line[: len(line) - len(line.lstrip())] + "pass" if line.lstrip().startswith(("%", "!")) else line
        for line in lines
    ]
    try:
        return ast.parse("\n".join(plain))
    except SyntaxError:  # a line that only looks like a magic, a continued `% b`
        return ast.parse(source)


class Reader(ast.NodeVisitor):
    """Reads a notebook's cells one after the other: which functions call `check`, and which calls each cell makes."""

    def __init__(self):
        self.checks = {"check"}
        self.modules = {"ledger"}
        self.functions: dict[str, Function] = {}
        self.foreign: str | None = None
        self.called: set[str] = set()
        self.constants: dict[str, str] = {}  # names that stand for a text just now, such as `label = "eq-chain-rule"`

    def read(self, tree: ast.Module) -> tuple[list[Call], set[str]]:
        """The calls of `check` that the cell makes, those inside functions that it calls included, and its label
        texts."""
        self._function: list[str] = []
        self._caught = self._sure = 0
        self._own: list[Call] = []
        self._used: set[str] = set()
        self.foreign = None
        self.visit(tree)
        calls, seen, open_names = list(self._own), set(), sorted(self._used)
        while open_names:
            name = open_names.pop()
            if name in seen or name not in self.functions:
                continue
            seen.add(name)
            calls += self.functions[name].calls
            open_names += sorted(self.functions[name].uses)
        self.called |= seen
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        return calls, {text for text in texts if CHECKED.fullmatch(text)}

    def uncalled(self) -> list[Call]:
        """Calls of `check` inside functions that no cell calls."""
        return [call for name, f in self.functions.items() if name not in self.called for call in f.calls]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name
            if node.module == "unrolled.ledger" and alias.name == "check":
                self.checks.add(bound)
            elif node.module == "unrolled" and alias.name == "ledger":
                self.modules.add(bound)
            else:
                self._bind(bound, f"imported from {node.module}")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name == "unrolled.ledger" and alias.asname:
                self.modules.add(alias.asname)
            elif alias.asname:
                self._bind(alias.asname, f"the module {alias.name}")

    def _bind(self, name: str, what: str) -> None:
        if name in self.checks and not self._function:
            self.checks.discard(name)
            self.foreign = what

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._bind(node.name, "a function of the notebook")
        self.functions[node.name] = Function()
        self._function.append(node.name)
        caught, sure = self._caught, self._sure
        self._caught, self._sure = 0, 1
        self.generic_visit(node)
        self._caught, self._sure = caught, sure
        self._function.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._bind(target.id, "a name that the notebook assigns")
                if isinstance(node.value, ast.Lambda):
                    self._named_lambda(target.id, node.value)
                    return
        self.generic_visit(node)
        if not self._function and not self._sure:
            for target in node.targets:
                self._remember(target, node.value)

    def _remember(self, target: ast.expr, value: ast.expr) -> None:
        """Note which names stand for a text from here on."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._remember(one, its)
        elif isinstance(target, ast.Name) and (text := _literal(value)) is not None:
            self.constants[target.id] = text

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store) and not self._function:
            self.constants.pop(node.id, None)

    def _text_of(self, expression: ast.expr | None) -> str | None:
        """A text that is written out, or stands in a name that was given it before."""
        if isinstance(expression, ast.Name) and not self._function:
            return self.constants.get(expression.id)
        return _literal(expression)

    def _named_lambda(self, name: str, node: ast.Lambda) -> None:
        self.functions[name] = Function()
        self._function.append(name)
        self.generic_visit(node)
        self._function.pop()

    def visit_Try(self, node: ast.Try) -> None:
        catching = any(_catches(handler.type) for handler in node.handlers)
        self._within(node.body, caught=catching)
        for rest in (*node.handlers, *node.orelse, *node.finalbody):
            self._within([rest])

    visit_TryStar = visit_Try

    def visit_With(self, node: ast.With) -> None:
        catching = any(
            isinstance(item.context_expr, ast.Call) and _name(item.context_expr.func) in ("suppress", "raises")
            for item in node.items
        )
        for item in node.items:
            self.visit(item)
        if catching:
            self._within(node.body, caught=True)
        else:
            for statement in node.body:
                self.visit(statement)

    def _conditional(self, node: ast.AST) -> None:
        self._sure += 1
        self.generic_visit(node)
        self._sure -= 1

    visit_If = visit_For = visit_While = visit_IfExp = visit_Match = visit_Lambda = _conditional
    visit_ListComp = visit_GeneratorExp = visit_SetComp = visit_DictComp = _conditional

    def _within(self, statements: list[ast.AST], caught: bool = False) -> None:
        self._caught += caught
        self._sure += 1
        for statement in statements:
            self.visit(statement)
        self._sure -= 1
        self._caught -= caught

    def visit_Call(self, node: ast.Call) -> None:
        if self._is_check(node.func):
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            label = node.args[0] if node.args else named.get("label")
            call = Call(
                label=self._text_of(label),
                route=self._text_of(named.get("route")),
                caught=bool(self._caught),
                sure=not self._sure,
                line=ast.unparse(node)[:60],
            )
            if self._function:
                self.functions[self._function[-1]].calls.append(call)
            else:
                self._own.append(call)
        else:
            name = _name(node.func)
            if self._function:
                self.functions[self._function[-1]].uses.add(name)
            else:
                self._used.add(name)
        self.generic_visit(node)

    def _is_check(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self.checks
        if not isinstance(function, ast.Attribute) or function.attr != "check":
            return False
        return ast.unparse(function.value) in self.modules | {"unrolled.ledger"}


def _catches(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(k is None or _name(k) in ("LedgerError", "AssertionError", "Exception", "BaseException") for k in kinds)


def _name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Name):
        return expression.id
    return expression.attr if isinstance(expression, ast.Attribute) else ""


def _literal(expression: ast.expr | None) -> str | None:
    return expression.value if isinstance(expression, ast.Constant) and isinstance(expression.value, str) else None


def read_checks(app, path: Path, page: Page) -> None:
    """Fill in a page's checks, its code's mentions of labels, and what is wrong with them."""
    reader, known_texts, anchors = Reader(), set(), Counter()

    def fault(cell: Cell, message: str, needle: str = "") -> None:
        page.faults.append((message, places.of_cell(app, path, cell.index, needle)))

    cells = code_cells(path)
    for cell in cells:
        _figure_faults(app, cell, fault)
        try:
            tree = syntax_tree(cell.source)
        except SyntaxError as error:
            fault(cell, f"the code cell does not parse: {error.msg}", (error.text or "").strip())
            continue
        if tree is None:
            continue
        _mentions(app, path, cell, page)
        calls, texts = reader.read(tree)
        known_texts |= texts
        if reader.foreign:
            fault(cell, f"`check` is {reader.foreign}; checks are those of unrolled.ledger")
        lines = read_lines(cell.printed)
        expected = _expected(calls, texts, known_texts, lines)
        if lines and not calls:
            fault(cell, f"the cell prints that {lines[0].label} held, but calls no check", lines[0].label)
        for call in calls:
            if call.label is None and not call.caught and not (texts | {line.label for line in lines} & known_texts):
                fault(cell, f"the check {call.line!r} names no label that could be read", "check(")
            if call.label is not None and not CHECKED.fullmatch(call.label):
                fault(cell, f"the check of {call.label!r}: a checked label is eq- and kebab-case", call.label)
        for label, demanded in expected.items():
            held = [line for line in lines if line.label == label]
            missing = demanded["routes"] - {line.route for line in held}
            if cell.failed and not demanded["caught"]:
                fault(cell, f"the check of {label}: the stored output of its cell ends in an error", label)
            elif len(held) < demanded["least"]:
                fault(cell, f"the check of {label}: the stored output does not say that it held", label)
            elif missing:
                fault(
                    cell,
                    f"the check of {label}: the stored output says nothing of the route {sorted(missing)[0]!r}; "
                    "run the notebook again",
                    label,
                )
            if cell.removed and held:
                fault(cell, f"the check of {label}: its cell is removed from the page and no reader sees it", label)
            if held or not demanded["caught"]:
                anchors[label] += 1
                anchor = f"check-{label}" + (f"-{anchors[label]}" if anchors[label] > 1 else "")
                if not cell.removed:
                    page.anchors.setdefault(cell.index, []).append(anchor)
                good = held if not cell.failed else []
                page.checks.append(Check(label, anchor, good, places.of_cell(app, path, cell.index, label)))
    for call in reader.uncalled():
        if call.label is not None:
            fault(cells[-1], f"the check of {call.label} stands in a function that no cell calls", call.label)


def _expected(calls: list[Call], texts: set[str], known: set[str], lines: list[Held]) -> dict[str, dict]:
    """The labels that a cell's checks are about, with what its output has to say of each."""
    expected: dict[str, dict] = {}
    for call in calls:
        if call.label is not None:
            labels = [call.label] if CHECKED.fullmatch(call.label) else []
        else:  # a loop, a helper: the labels written in the cell, or those that it printed and that are written above
            named = {other.label for other in calls}
            labels = sorted((texts - named) or {line.label for line in lines} & (known - named))
        for label in labels:
            demanded = expected.setdefault(label, {"least": 0, "sure": 0, "routes": set(), "caught": True})
            demanded["caught"] &= call.caught
            if not call.caught:
                demanded["sure"] += call.sure
                demanded["least"] = max(1, demanded["sure"])
                demanded["routes"] |= {call.route.strip()} if call.route and call.label else set()
    return expected


def _figure_faults(app, cell: Cell, fault) -> None:
    tags = {tag.replace("_", "-") for tag in cell.tags}
    if not cell.images or tags & {"remove-cell", "remove-output"}:
        return
    settings = cell.metadata.get(app.config.nb_cell_metadata_key, {})
    if not str(settings.get("image", {}).get("alt", "")).strip():
        fault(cell, "the figure has no alternative text: give the cell's metadata mystnb.image.alt")
    if not str(settings.get("figure", {}).get("caption", "")).strip():
        fault(cell, "the figure has no caption: give the cell's metadata mystnb.figure.caption")


def _mentions(app, path: Path, cell: Cell, page: Page) -> None:
    """The labels that comments of a cell name, each with the function around it."""
    tree = syntax_tree(cell.source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(cell.source).readline))
    except (tokenize.TokenError, IndentationError):
        return
    for token in tokens:
        if token.type != tokenize.COMMENT:
            continue
        for label in dict.fromkeys(MENTION.findall(token.string)):
            around = [f for f in functions if f.lineno <= token.start[0] <= (f.end_lineno or f.lineno)]
            name = max(around, key=lambda f: f.lineno).name if around else ""
            anchor = f"code-{label}"
            taken = {mention.anchor for mention in page.mentions}
            if anchor in taken:
                anchor = f"code-{label}-{sum(a.startswith(anchor) for a in taken) + 1}"
            if cell.removed:
                anchor = ""
            else:
                page.anchors.setdefault(cell.index, []).append(anchor)
            page.mentions.append(Mention(label, name, anchor, places.of_cell(app, path, cell.index, token.string)))


def package_mentions(app, folder: Path) -> list[Mention]:
    """The labels that the docstrings of a package name, with the functions that they belong to."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        module = ".".join(part for part in parts if part != "__init__")
        _docstring_mentions(app, path, ast.parse(path.read_text(encoding="utf-8")), module, found)
    return found


def _docstring_mentions(app, path: Path, node: ast.AST, name: str, found: list[Mention]) -> None:
    docstring = ast.get_docstring(node, clean=False) or ""
    example = False  # from a >>> to the next blank line stands an example, with its output
    for number, line in enumerate(docstring.split("\n")):
        example = (example or line.lstrip().startswith(">>>")) and bool(line.strip())
        for label in [] if example else dict.fromkeys(MENTION.findall(line)):
            found.append(Mention(label, name, "", places.of_path(app, path, node.body[0].lineno + number)))
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            _docstring_mentions(app, path, child, f"{name}.{child.name}", found)


# ------------------------------------------------------------------------------------------------ what the page shows


def read_page(app, doctree: nodes.document) -> None:
    """After a page is parsed: note its labels and checks, and put the marks on it."""
    env, page = app.env, Page()
    path = Path(env.doc2path(env.docname))
    blocks = [node for node in doctree.findall(nodes.math_block) if node.get("label")]
    for node in blocks:
        place = places.of_node(app, node)
        name = node["label"]
        page.labels.append(Label(name, node.astext(), nodes.make_id(f"equation-{name}"), place))
        if not LABEL.fullmatch(name):
            page.faults.append((f"the equation label {name!r}: a label is eq- or def- and kebab-case", place))
    _images_without_words(app, doctree, page)
    if path.suffix == ".ipynb":
        read_checks(app, path, page)
    pages(env)[env.docname] = page
    own = {label.name for label in page.labels}
    _mark_equations(blocks, page)
    _mark_cells(app, doctree, page, own)


def _images_without_words(app, doctree: nodes.document, page: Page) -> None:
    for image in doctree.findall(nodes.image):
        ancestor, computed = image.parent, False
        while ancestor is not None:
            computed |= isinstance(ancestor, nodes.Element) and "nb_element" in ancestor.attributes
            ancestor = ancestor.parent
        if not computed and not image.get("alt", "").strip():
            page.faults.append((f"the image {image['uri']} has no alternative text", places.of_node(app, image)))


def _mark_equations(blocks: list[nodes.math_block], page: Page) -> None:
    """Under each checked equation: by which routes it was checked, each a link to the cell that did."""
    for node in blocks:
        links: dict[tuple[str, str], Held] = {}
        for check in page.checks:
            if check.label == node["label"]:
                links |= {(held.route, check.anchor): held for held in check.held}
        if not links:
            continue
        mark = nodes.container(classes=["ledger-mark"])
        line = nodes.paragraph("", "", nodes.inline("", "✓ checked: ", classes=["ledger-said"]))
        for number, ((route, anchor), held) in enumerate(links.items()):
            line += nodes.Text(", " if number else "")
            line += nodes.reference("", route, refid=anchor, reftitle=f"{held.tolerance}; go to the checking cell")
        mark += line
        node.parent.insert(node.parent.index(node) + 1, mark)


def _mark_cells(app, doctree: nodes.document, page: Page, own: set[str]) -> None:
    """The anchors of the checking cells, and under each a link back to what it checked."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code" or cell["cell_index"] not in page.anchors:
            continue
        anchors = page.anchors[cell["cell_index"]]
        cell["ids"] += anchors
        held = [check.label for check in page.checks if check.anchor in anchors and check.held and check.label in own]
        if not held:
            continue
        cell["classes"].append("ledger-cell")
        back = nodes.container(classes=["ledger-back"])
        line = nodes.paragraph("", "", nodes.inline("", "✓ holds: ", classes=["ledger-said"]))
        for number, label in enumerate(dict.fromkeys(held)):
            line += nodes.Text(", " if number else "")
            line += addnodes.pending_xref(
                "",
                nodes.inline("", label),
                refdomain="math",
                reftype="eq",
                reftarget=label,
                refdoc=app.env.docname,
                refexplicit=False,
                refwarn=True,
            )
        back += line
        cell.parent.insert(cell.parent.index(cell) + 1, back)


# --------------------------------------------------------------------------------------------------- what is out of
# order


def pages(env) -> dict[str, Page]:
    if not hasattr(env, "ledger_pages"):
        env.ledger_pages = {}
    return env.ledger_pages


def book_faults(app, pages_of_book: dict[str, Page], package: list[Mention]) -> list[tuple[str, str]]:
    """Everything that is out of order in the book, each with its place."""
    faults = [fault for page in pages_of_book.values() for fault in page.faults]
    where: dict[str, list[Label]] = {}
    for page in pages_of_book.values():
        for label in page.labels:
            where.setdefault(label.name, []).append(label)
    for name, labels in where.items():
        for label in labels[1:]:
            faults.append((f"the label {name} stands in the book already, at {labels[0].place}", label.place))
    named = {mention.label for page in pages_of_book.values() for mention in page.mentions}
    named |= {mention.label for mention in package}
    for docname, page in pages_of_book.items():
        own = {label.name for label in page.labels}
        checked = {check.label for check in page.checks}
        for label in page.labels:
            if label.name.startswith("eq-") and label.name not in checked:
                faults.append((f"the equation {label.name} has no check in {docname}", label.place))
            if label.name.startswith("def-") and label.name not in named:
                faults.append((f"the definition {label.name} is named by no code", label.place))
        for check in page.checks:
            if check.label not in own:
                elsewhere = where.get(check.label)
                what = f"whose equation stands at {elsewhere[0].place}" if elsewhere else "which labels nothing"
                faults.append((f"a check of {check.label}, {what}", check.place))
        for mention in page.mentions:
            if mention.label not in where:
                faults.append((f"a comment names {mention.label}, which labels nothing", mention.place))
    for mention in package:
        if mention.label not in where:
            message = f"the docstring of {mention.name} names {mention.label}, which labels nothing"
            faults.append((message, mention.place))
    return faults


def report(app, env) -> list[str]:
    """In every build: warn of all that is out of order, and have the indexes written again if anything changed."""
    env.ledger_pages = dict(sorted(pages(env).items()))  # in one order, whichever process has read which page
    folder = Path(app.srcdir) / app.config.ledger_package
    env.ledger_package_mentions = package_mentions(app, folder) if app.config.ledger_package else []
    for message, place in dict.fromkeys(book_faults(app, pages(env), env.ledger_package_mentions)):
        logger.warning(message, type="ledger", location=place)
    state = hashlib.sha256(repr((sorted(pages(env).items()), env.ledger_package_mentions)).encode()).hexdigest()
    if getattr(env, "ledger_state", state) == state:
        env.ledger_state = state
        return []
    env.ledger_state = state
    return sorted(getattr(env, "ledger_indexes", set()))


def purge(app, env, docname: str) -> None:
    pages(env).pop(docname, None)
    getattr(env, "ledger_indexes", set()).discard(docname)


def merge(app, env, docnames: list[str], other) -> None:
    pages(env).update({name: page for name, page in pages(other).items() if name in docnames})
    env.ledger_indexes = getattr(env, "ledger_indexes", set()) | getattr(other, "ledger_indexes", set()) & set(docnames)


# ------------------------------------------------------------------------------------------------------------ the index


class index_place(nodes.General, nodes.Element):
    """Where an index goes, once all pages are read."""


class Index(SphinxDirective):
    """`equation-index` and `definition-index`: all equations of the book with their checks, all definitions with
    their code."""

    def run(self) -> list[nodes.Node]:
        self.env.ledger_indexes = getattr(self.env, "ledger_indexes", set()) | {self.env.docname}
        return [index_place(kind="eq" if self.name == "equation-index" else "def")]


def write_indexes(app, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(index_place)):
        place.replace_self(_index(app, docname, place["kind"]))
    descriptions = list(doctree.findall(addnodes.desc_content))
    if descriptions:
        where = {label.name: (name, label.node) for name, page in pages(app.env).items() for label in page.labels}
        for description in descriptions:
            _link_labels(app, description, docname, where)


def _link_labels(app, description: nodes.Element, docname: str, where: dict[str, tuple[str, str]]) -> None:
    """Make links of the labels that the text of a docstring names."""
    for text in list(description.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.paragraph | nodes.emphasis):
            continue
        parts, rest = [], 0
        for found in MENTION.finditer(text):
            if found.group() in where:
                parts += [nodes.Text(text[rest : found.start()])]
                parts += [_link(app, docname, *where[found.group()], nodes.literal("", found.group()))]
                rest = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[rest:])])


def _index(app, docname: str, kind: str) -> list[nodes.Node]:
    env = app.env
    chapters = []
    total = good = 0
    for name, page in pages(env).items():
        labels = [label for label in page.labels if label.name.startswith(kind + "-")]
        if labels:
            chapters.append((_number(env, name, labels[0]), name, page, labels))
    result: list[nodes.Node] = []
    for _, name, page, labels in sorted(chapters, key=lambda chapter: (chapter[0], chapter[1])):
        rows = []
        for label in labels:
            checks = [check for check in page.checks if check.label == label.name and check.held]
            total, good = total + 1, good + bool(checks)
            row = [_equation(app, docname, name, label), _code(app, docname, label.name)]
            if kind == "eq":
                row.append(_routes(app, docname, name, checks))
            rows.append(row)
        heads = ["equation", "in code", "checked by"] if kind == "eq" else ["definition", "in code"]
        result.append(nodes.rubric("", "", *_chapter_title(app, docname, name), classes=["ledger-chapter"]))
        result.append(_table(heads, rows))
    if kind == "eq":
        words = f"{good} of {total} equations checked."
        result.insert(0, nodes.paragraph("", "", nodes.strong("", words), classes=["ledger-total"]))
    return result


def _number(env, docname: str, label: Label) -> tuple[int, ...]:
    return tuple(env.toc_fignumbers.get(docname, {}).get("displaymath", {}).get(label.node, ()))


def _link(app, docname: str, target: str, anchor: str, *content: nodes.Node) -> nodes.reference:
    uri = app.builder.get_relative_uri(docname, target)
    return nodes.reference("", "", *content, internal=True, refuri=f"{uri}#{anchor}" if anchor else uri)


def _chapter_title(app, docname: str, name: str) -> list[nodes.Node]:
    numbers = app.env.toc_secnumbers.get(name, {}).get("", ())
    text = f"{'.'.join(map(str, numbers))}. " if numbers else ""
    return [_link(app, docname, name, "", nodes.Text(text + app.env.titles[name].astext()))]


def _equation(app, docname: str, name: str, label: Label) -> list[nodes.Node]:
    number = ".".join(map(str, _number(app.env, name, label)))
    link = _link(app, docname, name, label.node, nodes.Text(f"({number})"))
    head = nodes.paragraph("", "", link, nodes.Text(" "), nodes.literal("", label.name), classes=["ledger-label"])
    return [head, nodes.math_block(label.formula, label.formula, nowrap=False, number=None)]


def _code(app, docname: str, label: str) -> list[nodes.Node]:
    env = app.env
    documented = env.domaindata.get("py", {}).get("objects", {})
    found: list[nodes.Node] = []
    for mention in env.ledger_package_mentions:
        if mention.label == label:
            entry = documented.get(mention.name)
            text = nodes.literal("", mention.name.partition(".")[2] or mention.name)
            found.append(_link(app, docname, entry.docname, entry.node_id, text) if entry else text)
    seen = set()
    for name, page in pages(env).items():
        for mention in page.mentions:
            if mention.label == label and (name, mention.name) not in seen:
                seen.add((name, mention.name))
                text = nodes.literal("", mention.name) if mention.name else nodes.Text("in the chapter")
                found.append(_link(app, docname, name, mention.anchor, text) if mention.anchor else text)
    return [nodes.paragraph("", "", item) for item in found]


def _routes(app, docname: str, name: str, checks: list[Check]) -> list[nodes.Node]:
    lines = []
    for check in checks:
        for held in dict.fromkeys(check.held):
            link = _link(app, docname, name, check.anchor, nodes.Text(held.route))
            tolerance = nodes.inline("", f" ({held.tolerance})", classes=["ledger-tolerance"])
            lines.append(nodes.paragraph("", "", link, tolerance))
    return lines or [nodes.paragraph("", "", nodes.strong("", "not checked"))]


def _table(heads: list[str], rows: list[list[list[nodes.Node]]]) -> nodes.table:
    widths = [55, 22, 23] if len(heads) == 3 else [55, 45]
    group = nodes.tgroup("", *[nodes.colspec(colwidth=width) for width in widths], cols=len(heads))
    group += nodes.thead("", nodes.row("", *[nodes.entry("", nodes.paragraph("", head)) for head in heads]))
    group += nodes.tbody("", *[nodes.row("", *[nodes.entry("", *cell) for cell in row]) for row in rows])
    return nodes.table("", group, classes=["ledger-index", "colwidths-given"])


def setup(app) -> dict:
    app.add_config_value("ledger_package", "", "env", types=(str,))
    app.add_node(index_place)
    app.add_directive("equation-index", Index)
    app.add_directive("definition-index", Index)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", read_page)
    app.connect("env-updated", report)
    app.connect("doctree-resolved", write_indexes)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
