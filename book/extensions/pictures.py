"""SVG figures inside the page: in the page's colours, light and dark, and with words for those who cannot see them.

A figure that a cell computed becomes part of the page's markup. The colours of `unrolled.figures` turn into variables
of the page's style, so that one figure is right on a light and on a dark page; its identifiers are made unique; its
alternative text becomes its accessible name. Whatever else an SVG file may carry (scripts, metadata, a style sheet
for the whole page) is left out.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import places
from docutils import nodes
from sphinx.util import logging

from unrolled import figures

logger = logging.getLogger(__name__)

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

VARIABLES = {
    figures.INK: "--figure-ink",
    "#000000": "--figure-ink",
    "black": "--figure-ink",
    "#000": "--figure-ink",
    "#ffffff": "--figure-ground",
    "white": "--figure-ground",
    "#fff": "--figure-ground",
} | {value: f"--figure-{name}" for name, value in figures.COLOURS.items()}
"""The variables of the page's style sheet that stand for the colours of the figures."""

PAINTS = ("fill", "stroke", "color", "stop-color", "flood-color")
_COLOUR = re.compile(
    r"(?<![\w#-])(" + "|".join(sorted(map(re.escape, VARIABLES), key=len, reverse=True)) + r")(?![\w-])", re.IGNORECASE
)


def inlined(source: str, words: str, prefix: str) -> str:
    """The markup of an SVG file for a page: coloured by variables, its ids led by `prefix`, named by `words`.

    Raises:
        ValueError: the source is not SVG.
    """
    try:
        root = ElementTree.fromstring(source)
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed: {error}") from None
    if root.tag != f"{{{SVG}}}svg":
        raise ValueError(f"its outermost element is {root.tag}, not svg")
    width, height = _size(root)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.split("}")[-1] in ("metadata", "style", "script", "title", "foreignObject"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
        for name, value in list(element.attrib.items()):
            del element.attrib[name]
            name = name.split("}")[-1]
            if name.startswith("on") or name == "space":
                continue
            value = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", value)
            if name == "id":
                value = prefix + value
            elif name == "href" and value.startswith("#"):
                value = f"#{prefix}{value[1:]}"
            element.set(name, value)
        style = _coloured(element.attrib.pop("style", ""))
        for name in PAINTS:  # a variable works in a style, not in an attribute
            value = element.get(name)
            if value and _COLOUR.fullmatch(value.strip()):
                del element.attrib[name]
                style = f"{name}: {_coloured(value.strip())}; {style}"
        if style:
            element.set("style", style)
    keep = root.get("viewBox", f"0 0 {width:g} {height:g}")
    style = f"width: {width:.0f}px; {root.get('style', '')}".strip()
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": SVG,
            "viewBox": keep,
            "role": "img",
            "aria-label": words,
            "style": style,
            "fill": "currentColor",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    return ElementTree.tostring(root, encoding="unicode")


def _coloured(style: str) -> str:
    return _COLOUR.sub(lambda match: f"var({VARIABLES[match.group(1).lower()]})", style)


def _size(root: ElementTree.Element) -> tuple[float, float]:
    """Width and height in CSS pixels, from the attributes or else from the view box."""
    factor = {"pt": 4 / 3, "px": 1, "": 1, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}
    found = [re.fullmatch(r"([\d.]+)(pt|px|in|cm|mm|)", root.get(name, "")) for name in ("width", "height")]
    if all(found):
        return tuple(float(match[1]) * factor[match[2]] for match in found)
    box = root.get("viewBox", "0 0 672 346").replace(",", " ").split()
    return float(box[2]), float(box[3])


def put_in_page(app, doctree: nodes.document, docname: str) -> None:
    """Replace the SVG images of a page by their markup."""
    if app.builder.format != "html":
        return
    for number, image in enumerate(list(doctree.findall(nodes.image)), start=1):
        path = Path(app.srcdir) / image["uri"]
        if path.suffix != ".svg" or "://" in image["uri"] or not path.is_file():
            continue
        words = image.get("alt", "")
        try:
            markup = inlined(path.read_text(encoding="utf-8"), words, f"p{number}-")
        except ValueError as error:
            logger.warning("the figure is no SVG: %s", error, type="pictures", location=places.of_node(app, image))
            continue
        frame = nodes.raw("", f'<div class="picture">{markup}</div>', format="html")
        image.replace_self(frame)


def setup(app) -> dict:
    app.connect("doctree-resolved", put_in_page, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
