"""Formulas rendered while the book is built: pages carry finished markup, and no script.

KaTeX runs in a small V8 inside this process (mini-racer). Its script, its style sheet and its fonts, all of one
version, are taken out of an installed package that `make lab` needs anyway, jupyterlab-myst; nothing is copied into
the repository and nothing is fetched. The package ships them as webpack bundles, so a few lines of JavaScript play
webpack's part.

The formulas of the book are rendered in one go, once all pages are read. V8 runs on threads of its own, and a process
that has any must not fork: where Sphinx works with several processes, one more does nothing but render, while the
first goes on with what comes before the writing.

A formula that KaTeX cannot parse is a warning with its place and its text. The built page shows the formula's source
then, in red, so that nobody takes it for a formula.

Settings (in _config.yml, under sphinx: config:):
    formulas_macros: a dictionary, such as {'\\step': '^{\\langle #1\\rangle}'}, for every formula of the book.
"""

import json
import multiprocessing
import re
from collections.abc import Iterable
from contextlib import ExitStack
from html import escape
from importlib.metadata import PackageNotFoundError, distribution
from multiprocessing.connection import Connection
from pathlib import Path

import places
from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.parallel import parallel_available

logger = logging.getLogger(__name__)

CARRIER = "jupyterlab-myst"
"""The installed package that KaTeX is taken from."""

WEBPACK = """
var self = globalThis, modules = {}, loaded = {};
self.webpackChunkjupyterlab_myst = {push: chunk => void Object.assign(modules, chunk[1])};
self.URL = function (path) { this.toString = () => String(path) };
var console = {warn() {}, log() {}, error() {}};

// A bundle asks for helpers of css-loader that it does not hold: one makes a list, one makes text of an address.
const helper = given => typeof given === "function" ? [] : String(given);

function load(name) {
    if (!(name in modules)) return helper;
    if (!(name in loaded)) {
        loaded[name] = {id: name, exports: {}};
        modules[name](loaded[name], loaded[name].exports, load);
    }
    return loaded[name].exports;
}
load.r = () => {};
load.n = given => () => given;
load.d = (exports, getters) => {
    for (const name in getters) Object.defineProperty(exports, name, {enumerable: true, get: getters[name]});
};
load.p = "";
load.b = "";

const holding = text => Object.keys(modules).filter(name => modules[name].toString().includes(text));
const styleSheet = () => holding('font-family: "KaTeX_Main"').map(name => load(name).A[0][1])[0];
const scripts = () => holding("__renderToDomTree").map(name => load(name));
"""

FOLLOWING = re.compile(r"[,.;:!?)\]’”]+|-\w+|[’']s\b")
LAST_PART = '<span class="base">'

RENDER = """
let katex;
function choose(version) {
    katex = scripts().find(script => script.version === version);
    return katex !== undefined;
}
function render(formula, options) {
    try {
        return {html: katex.renderToString(formula, options)};
    } catch (error) {
        return {error: String(error.message)};
    }
}
const rendered = (formulas, options) => JSON.stringify(
    JSON.parse(formulas).map(([text, displayMode]) => render(text, {...JSON.parse(options), displayMode}))
);
"""

Formula = tuple[str, bool]
"""A formula in KaTeX's dialect, and whether it stands by itself."""

Rendered = tuple[str, str]
"""Its markup and an empty text, or an empty text and what KaTeX has against it."""


class Engine:
    """KaTeX, its style sheet and its fonts, out of the installed package; a context manager."""

    def __init__(self, macros: dict[str, str] | None = None):
        self.macros = macros or {}
        self.cache: dict[Formula, Rendered] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Engine":
        bundles = [path for path in _installed_files() if path.suffix == ".js"]
        texts = [text for text in (path.read_text(encoding="utf-8") for path in bundles) if "KaTeX" in text]
        self._js = self._stack.enter_context(MiniRacer())
        self._js.eval(WEBPACK)
        for text in texts:
            if 'font-family: "KaTeX_Main"' in text or "__renderToDomTree" in text:
                self._js.eval(text)
        self._sheet = self._js.eval("styleSheet()")
        version = re.search(r'katex-version::after \{\s*content: "([\d.]+)"', self._sheet or "")
        self._js.eval(RENDER)
        if version is None or not self._js.call("choose", version.group(1)):
            raise ExtensionError(
                f"formulas: the installed {CARRIER} does not hold a KaTeX script and style sheet of one version; "
                "install the version that requirements.txt names"
            )
        self.version = version.group(1)
        return self

    def __exit__(self, *failure) -> None:
        self._stack.close()

    def render(self, formula: str, display: bool) -> Rendered:
        """The markup of a formula and an empty text, or an empty text and what KaTeX has against it."""
        self.render_all([(formula, display)])
        return self.cache[formula, display]

    def render_all(self, wanted: Iterable[Formula]) -> None:
        """Put formulas into the cache, those that it lacks, in one call: each call costs as much as a formula."""
        new = [formula for formula in dict.fromkeys(wanted) if formula not in self.cache]
        if not new:
            return
        options = {
            "output": "htmlAndMathml",
            "throwOnError": True,
            "strict": "ignore",
            "trust": False,
            "macros": self.macros,
        }
        try:
            answers = json.loads(self._js.call("rendered", json.dumps(new), json.dumps(options)))
        except JSEvalException as error:  # the engine itself stumbled: at which one?
            if len(new) > 1:
                for formula in new:
                    self.render_all([formula])
                return
            answers = [{"error": str(error).split("\n")[0]}]
        for formula, answer in zip(new, answers, strict=True):
            # The source beside the MathML is read by no one but a search, which would show it.
            html = re.sub(r"<annotation .*?</annotation>", "", answer.get("html", ""), flags=re.DOTALL)
            self.cache[formula] = (html, answer.get("error", ""))

    def write_style(self, folder: Path) -> None:
        """Write katex.css and the woff2 fonts that it names into a folder."""
        fonts = {path.name: path for path in _installed_files() if path.suffix == ".woff2"}
        folder.mkdir(parents=True, exist_ok=True)

        def with_own_font(face: re.Match) -> str:
            text = face.group()
            source = re.search(r'url\(([^)]*\.woff2)\) format\("woff2"\)', text)
            name = re.search(r'font-family: "([^"]+)"', text).group(1)
            bold, italic = "weight: bold" in text, "style: italic" in text
            name += "-" + ("Bold" * bold + "Italic" * italic or "Regular") + ".woff2"
            _write(folder / name, fonts[Path(source.group(1)).name].read_bytes())
            return re.sub(r"src: [^;]+;", f'src: url({name}) format("woff2");', text)

        sheet = re.sub(r"@font-face \{[^}]*\}", with_own_font, self._sheet)
        _write(folder / "katex.css", sheet.encode())


def prepared(formula: str) -> str:
    """A formula in KaTeX's dialect: numbers are Sphinx's business, and lines outside an environment get one."""
    parts = [part.strip() for part in re.split(r"\n[ \t]*\n", formula) if part.strip()]
    text = r" \\ ".join(parts) if len(parts) > 1 and r"\begin" not in formula else formula.strip()
    text = re.sub(r"\\(begin|end)\{(align|alignat|gather|equation)\}", r"\\\1{\2*}", text)
    depth, aligned, broken = 0, False, False
    for token in re.findall(r"\\begin\b|\\end\b|\\\\|\\.|[{}&]", text):
        depth += (token in (r"\begin", "{")) - (token in (r"\end", "}"))
        aligned |= token == "&" and depth == 0
        broken |= token == r"\\" and depth == 0
    if aligned or broken:
        environment = "aligned" if aligned else "gathered"
        text = rf"\begin{{{environment}}} {text} \end{{{environment}}}"
    return text


def take_punctuation(app, doctree: nodes.document, docname: str) -> None:
    """Give a comma that follows a formula in the line to the formula, so that no line begins with it."""
    for node in doctree.findall(nodes.math):
        following = node.next_node(siblings=True, descend=False)
        found = isinstance(following, nodes.Text) and FOLLOWING.match(following)
        if found:
            node["following"] = found.group()
            following.parent.replace(following, nodes.Text(following[found.end() :]))


def visit_inline(self, node) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    html, following = _markup(self, node, display=False), escape(node.get("following", ""))
    if following and LAST_PART in html:  # KaTeX allows a line to break between the parts
        parts, last = html.rsplit(LAST_PART, 1)
        last = f'<span class="katex"><span class="katex-html" aria-hidden="true">{LAST_PART}{last}'
        html = f'{parts}</span></span><span class="unbroken">{last}{following}</span>'
    else:
        html += following
    self.body.append(html + "</span>")
    raise nodes.SkipNode


def visit_display(self, node) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    self.body.append(f'<div class="formula">{_markup(self, node, display=True)}</div>')
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _markup(translator, node, display: bool) -> str:
    app = translator.builder.app
    formula = node.astext()
    html, error = app.formulas.render(_dialect(formula, display))
    if error:
        logger.warning(
            "formula does not parse: %s\n    %s",
            error,
            formula.strip(),
            type="formulas",
            location=places.of_node(app, node),
        )
        return f'<code class="bad-formula">{escape(formula)}</code>'
    return html


def _dialect(formula: str, display: bool) -> Formula:
    return (prepared(formula) if display else formula.strip(), display)


class Kitchen:
    """Renders the formulas of a build and keeps them: in this process if it never forks, and else in one beside it."""

    def __init__(self, macros: dict[str, str], forks: bool):
        self.macros, self.forks = macros, forks
        self.done: dict[Formula, Rendered] = {}
        self._engine: Engine | None = None
        self._beside: tuple[multiprocessing.Process, Connection] | None = None

    def begin(self, wanted: Iterable[Formula], folder: Path | None = None) -> None:
        """Have formulas rendered, and the style written into a folder; `wait` for both."""
        wanted = [formula for formula in dict.fromkeys(wanted) if formula not in self.done]
        if self.forks:
            self.wait()
            context = multiprocessing.get_context("fork")
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_render_beside, args=(there, self.macros, wanted, folder), daemon=True)
            process.start()
            there.close()
            self._beside = process, here
            return
        if self._engine is None:
            self._engine = Engine(self.macros).__enter__()
            self.done = self._engine.cache
        if folder is not None:
            self._engine.write_style(folder)
        self._engine.render_all(wanted)

    def wait(self) -> None:
        """Return when all that was begun is done."""
        if self._beside is None:
            return
        (process, pipe), self._beside = self._beside, None
        try:
            answer = pipe.recv()
        except EOFError:
            answer = ExtensionError("formulas: the process that renders the formulas ended before it was done")
        pipe.close()
        process.join()
        if isinstance(answer, Exception):
            raise answer
        self.done |= answer

    def render(self, formula: Formula) -> Rendered:
        """A formula of those begun, or, later, another one."""
        self.wait()
        if formula not in self.done:
            self.begin([formula])
            self.wait()
        return self.done[formula]

    def close(self) -> None:
        """End the engine, here or beside."""
        if self._beside is not None:
            (process, pipe), self._beside = self._beside, None
            process.terminate()
            process.join()
            pipe.close()
        if self._engine is not None:
            self._engine.__exit__()
            self._engine = None


def _render_beside(pipe: Connection, macros: dict[str, str], wanted: list[Formula], folder: Path | None) -> None:
    try:
        with Engine(macros) as engine:
            if folder is not None:
                engine.write_style(folder)
            engine.render_all(wanted)
            pipe.send(engine.cache)
    except (ExtensionError, OSError) as error:
        pipe.send(error)


def open_kitchen(app) -> None:
    app.formulas = Kitchen(app.config.formulas_macros, forks=bool(parallel_available and app.parallel > 1))
    if app.builder.format == "html":
        app.add_css_file("katex/katex.css")


def pages(env) -> dict[str, set[Formula]]:
    """The formulas of each page."""
    if not hasattr(env, "formulas_pages"):
        env.formulas_pages = {}
    return env.formulas_pages


def note(app, doctree: nodes.document) -> None:
    """After a page is parsed: note its formulas."""
    pages(app.env)[app.env.docname] = {
        _dialect(node.astext(), isinstance(node, nodes.math_block))
        for kind in (nodes.math, nodes.math_block)
        for node in doctree.findall(kind)
    }


def purge(app, env, docname: str) -> None:
    pages(env).pop(docname, None)


def merge(app, env, docnames: list[str], other) -> None:
    pages(env).update({name: page for name, page in pages(other).items() if name in docnames})


def cook(app, env) -> list[str]:
    """When all pages are read: have their formulas rendered."""
    if app.builder.format == "html":
        wanted = sorted(set().union(*pages(env).values()))
        app.formulas.begin(wanted, Path(app.outdir) / "_static" / "katex")
    return []


def wait(app, *_) -> None:
    """Before the first page is written, and so before the processes that write the others begin."""
    app.formulas.wait()


def stop(app, _exception) -> None:
    if hasattr(app, "formulas"):
        app.formulas.close()
        del app.formulas


def _installed_files() -> list[Path]:
    try:
        files = distribution(CARRIER).files or []
    except PackageNotFoundError:
        raise ExtensionError(
            f"formulas: the package {CARRIER}, which carries KaTeX, is not installed; run make book, which installs it"
        ) from None
    return [Path(path) for path in (file.locate() for file in files) if Path(path).is_file()]


def _write(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def setup(app) -> dict:
    app.add_config_value("formulas_macros", {}, "env", types=(dict,))
    app.add_html_math_renderer("katex", inline_renderers=(visit_inline, None), block_renderers=(visit_display, None))
    app.connect("builder-inited", open_kitchen)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", note)
    app.connect("env-updated", cook)
    app.connect("doctree-resolved", take_punctuation)
    app.connect("html-page-context", wait)
    app.connect("build-finished", stop)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
