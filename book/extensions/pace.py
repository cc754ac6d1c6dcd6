"""The same pages, sooner. Nothing here changes what is written; it spares Sphinx work that it would do many times over.

* A reference to a numbered figure, table, section or exercise asks for the kind and the id of its target. Sphinx loads
  the target's page for that, for every reference anew; here both are noted while the pages are read.
* Sphinx loads every page to number the figures, and again to write it. Here it is loaded once.
* pybtex looks through all that is installed for its plain text back end, at every citation. Here it does once.
* Where Sphinx works with several processes, each gets one page after another, instead of a share of all pages, and long
  pages are written first: no process is left with the rest while the others have nothing to do.

It holds for one build from the start, and for a build that goes on from the last.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import pybtex.plugin
import sphinx.builders
from docutils import nodes
from sphinx.builders import Builder
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.build_phase import BuildPhase
from sphinx.util.parallel import ParallelTasks

# -------------------------------------------------------------------------------------- the targets of references


class Targets:
    """An environment whose pages answer what is noted of them; for the rest it is the one that it is made from."""

    def __init__(self, env):
        self._env = env

    def __getattr__(self, name: str):
        return getattr(self._env, name)

    def get_doctree(self, docname: str) -> "NotedPage":
        return NotedPage(self._env, docname)


class NotedPage:
    """As much of a page's doctree as a numbered reference asks for: the node of an id, without what is in it."""

    def __init__(self, env, docname: str):
        self._env, self._docname = env, docname

    @property
    def ids(self) -> "NotedPage":
        return self

    def get(self, identity: str) -> nodes.Element | None:
        noted = targets(self._env).get(self._docname, {})
        if identity in noted:
            return noted[identity]
        return self._env.get_doctree(self._docname).ids.get(identity)  # none that has a number, or none at all


def targets(env) -> dict[str, dict[str, nodes.Element]]:
    """The numbered nodes of each page by their ids: the node and the first layer of its children, without content."""
    if not hasattr(env, "pace_targets"):
        env.pace_targets = {}
    return env.pace_targets


def note_targets(app, doctree: nodes.document) -> None:
    domain = app.env.get_domain("std")
    noted = {}
    for identity, node in doctree.ids.items():
        if domain.get_enumerable_node_type(node):
            noted[identity] = node.copy()
            noted[identity] += [child.copy() for child in node.children]  # a listing is one by its child
    targets(app.env)[app.env.docname] = noted


def purge(app, env, docname: str) -> None:
    targets(env).pop(docname, None)


def merge(app, env, docnames: list[str], other) -> None:
    targets(env).update({name: noted for name, noted in targets(other).items() if name in docnames})


def with_targets(original: Callable) -> Callable:
    @functools.wraps(original)
    def resolve(self, env, *rest):
        return original(self, Targets(env), *rest)

    return resolve


# --------------------------------------------------------------------------------------------- loading pages once


def loading_once(original: Callable) -> Callable:
    """While numbers are given, which changes no page, keep the pages where Sphinx looks for those it has just read."""

    @functools.wraps(original)
    def get_doctree(self, docname: str) -> nodes.document:
        if self.app.phase is not BuildPhase.READING:
            return original(self, docname)
        kept = self._write_doc_doctree_cache
        if docname not in kept:
            kept[docname] = original(self, docname)
        return kept[docname]

    return get_doctree


# -------------------------------------------------------------------------------------------- several processes


class InOrder(ParallelTasks):
    """Takes in what was read in the order of the pages, when all of them are read.

    So it does not depend on which process was faster, and is what one process alone would have. And no process is begun
    with what others have read, which it would have to hand back with its own.
    """

    def __init__(self, nproc: int):
        super().__init__(nproc)
        self._read: list[Callable | None] = []

    def add_task(self, task_func: Callable, arg=None, result_func: Callable | None = None) -> None:
        place = len(self._read)
        self._read.append(None)

        def keep(arg, result) -> None:
            if result is None:  # a page was written
                result_func(arg, result)
            else:
                self._read[place] = functools.partial(result_func, arg, result)

        super().add_task(task_func, arg, keep)

    def join(self) -> None:
        super().join()
        for take_in in self._read:
            if take_in is not None:
                take_in()


def one_by_one(pages: list, number_of_processes: int, maxbatch: int = 1) -> list[list]:
    """Shares of one page each; a process that is done with one is given another."""
    return [[page] for page in pages]


def without_the_first(original: Callable) -> Callable:
    """Sphinx counts the first process as one of those that write, where it has work of its own; while others read, it
    waits."""

    @functools.wraps(original)
    def read(self, docnames: list[str], nproc: int) -> None:
        original(self, docnames, max(1, nproc - 1))

    return read


def long_pages_first(original: Callable) -> Callable:
    """The first page is written before there are processes, so that they find the templates compiled: the shortest."""

    @functools.wraps(original)
    def write(self, docnames: list[str], nproc: int) -> None:
        def size(docname: str) -> int:
            return Path(self.doctreedir, f"{docname}.doctree").stat().st_size

        *longest, shortest = sorted(docnames, key=lambda docname: (-size(docname), docname))
        original(self, [shortest, *longest], nproc)

    return write


def declare(app, env, docnames: list[str]) -> None:
    """Say for sphinx-multitoc-numbering that it does not mind several processes. All that it does is to replace the
    method that numbers the sections, and one process calls that, once all pages are read."""
    if "sphinx_multitoc_numbering" in app.extensions:
        app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True


def replace(owner, name: str, wrap: Callable) -> None:
    """Wrap a function of somebody else's, unless an earlier build in this process did."""
    original = getattr(owner, name)
    if not hasattr(original, "__wrapped__"):
        setattr(owner, name, wrap(original))


def setup(app) -> dict:
    replace(StandardDomain, "_resolve_numref_xref", with_targets)
    replace(BuildEnvironment, "get_doctree", loading_once)
    replace(pybtex.plugin, "find_plugin", functools.cache)
    replace(Builder, "_read_parallel", without_the_first)
    replace(Builder, "_write_parallel", long_pages_first)
    sphinx.builders.ParallelTasks, sphinx.builders.make_chunks = InOrder, one_by_one
    app.connect("env-before-read-docs", declare)
    app.connect("doctree-read", note_targets, priority=900)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
