"""What the theme does that this book does otherwise.

* Options for the theme are added to what Jupyter Book fills in (`html_theme_options` in _config.yml would replace it).
* Pages do not load the theme's half megabyte of icons as a script: its style sheet draws the few icons in use.
* Docstrings are prose with code in backticks: a bar, a star or a final underscore in them is no markup, and what
  stands before the first colon in the docstring of an attribute is no type.
* The exercises of a page have different ids, and their links begin with a letter.

Settings (in _config.yml, under sphinx: config:):
    theme_options: options of the theme, such as {"navbar_persistent": []}.
"""

import re
from pathlib import Path

from docutils import nodes

ICON_SCRIPT = re.compile(r"\s*(<!--[^>]*custom icons[^>]*-->\s*)?<script[^>]*fontawesome[^>]*></script>")

MARKUP = re.compile(r"\||(?<=\w)_(?!\w)|(?<!\*)\*(?=\w)")


def merge_theme_options(app, config) -> None:
    config.html_theme_options = {**config.html_theme_options, **config.theme_options}
    config.templates_path = [str(Path(__file__).parent / "templates"), *config.templates_path]


def give_to_templates(app, pagename, templatename, context, doctree) -> None:
    context["without_icon_script"] = lambda html: ICON_SCRIPT.sub("", html)


def keep_prose(app, what, name, obj, options, lines: list[str]) -> None:
    example = False
    for number, line in enumerate(lines):
        example = (example or line.lstrip().startswith(">>>")) and bool(line.strip())
        if not example:
            parts = line.split("`")  # every second part is code
            parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
            lines[number] = "`".join(parts)
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]  # an empty comment, so that the first line is not the first


def tidy_exercises(app, doctree: nodes.document, docname: str) -> None:
    """sphinx-exercise gives the bodies of all exercises one id, and begins links with a blank, which is underlined."""
    for section in doctree.findall(nodes.section):
        section["ids"] = [name for name in section["ids"] if name not in ("exercise-content", "solution-content")]
    for link in list(doctree.findall(nodes.reference)):
        text = link.next_node(nodes.Text)
        if text is not None and text.startswith(" "):
            text.parent.replace(text, nodes.Text(text.lstrip()))
            link.parent.insert(link.parent.index(link), nodes.Text(" "))


def setup(app) -> dict:
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book always sets it
    app.add_config_value("theme_options", {}, "html", types=(dict,))
    app.connect("config-inited", merge_theme_options, priority=400)
    app.connect("html-page-context", give_to_templates)
    app.connect("doctree-resolved", tidy_exercises, priority=900)
    app.connect("autodoc-process-docstring", keep_prose, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
