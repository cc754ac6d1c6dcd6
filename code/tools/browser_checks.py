"""Look at every page of the built book with a browser: light and dark, on a desk and on a telephone.

    python code/tools/browser_checks.py                                # the book in _build/html
    python code/tools/browser_checks.py --screenshots _build/pictures  # and keep a picture of every page
    python code/tools/browser_checks.py --pages chapters/01            # only pages whose path holds this

Needs the package playwright and a Chromium or Chrome on this machine (`--browser` names it when it is not found). The
pages are served on localhost by this script; nothing else is asked for anything. One line for each thing that is wrong,
and at the end "N passed, M failed".
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MODES = ("light", "dark")
SIZES = {1280: 900, 390: 844}

# What is asked of a page, in the page. Answers {name of the check: [what is wrong]}.
IN_PAGE = r"""
() => {
  const wrong = {};
  const article = document.querySelector("article") || document.body;
  const say = (check, text) => (wrong[check] ||= []).push(text);
  const short = text => text.trim().replace(/\s+/g, " ").slice(0, 60);
  const seen = element => element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
    && element.getClientRects().length > 0;
  for (const check of ["page width", "figures", "formulas", "equation numbers", "contrast", "names", "ids", "fonts"])
    wrong[check] = [];

  // The page does not scroll sideways.
  const root = document.documentElement;
  if (Math.max(root.scrollWidth, document.body.scrollWidth) > innerWidth) {
    const wide = [...document.body.querySelectorAll("*")].filter(element =>
      element.getBoundingClientRect().right > innerWidth + 1 && seen(element)
      && !element.closest(".formula, pre, .picture, .pst-scrollable-table-container, dialog, .katex-mathml"));
    say("page width", `${root.scrollWidth} px wide in a window of ${innerWidth}: ` +
      wide.slice(0, 3).map(e => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") || ""}">`).join(", "));
  }

  // Pictures have words and a caption.
  for (const picture of article.querySelectorAll("img, svg, canvas, iframe, video")) {
    if (picture.closest(".katex, button, a.headerlink, .toggle-button, summary") || !seen(picture)) continue;
    const words = picture.getAttribute(picture.tagName === "IMG" ? "alt" : "aria-label");
    if (!words?.trim()) say("figures", `a picture without words: ${picture.outerHTML.slice(0, 80)}`);
    if (picture.tagName === "svg" && picture.getAttribute("role") !== "img") say("figures", "an svg without role=img");
    const caption = picture.closest("figure")?.querySelector("figcaption");
    if (!caption?.textContent.trim()) say("figures", `a picture without a caption: ${words || ""}`);
  }

  // Formulas are rendered.
  for (const formula of document.querySelectorAll(".math, .bad-formula, .katex-error"))
    if (!formula.querySelector(".katex-html, table")) say("formulas", `not rendered: ${short(formula.textContent)}`);

  // A formula in a line that breaks goes on below.
  for (const formula of document.querySelectorAll("span.math")) {
    const parts = [...formula.querySelectorAll(".katex-html > .base")].map((part) => part.getBoundingClientRect());
    if (parts.some((part, k) => k && part.height && part.bottom <= parts[k - 1].top + 2))
      say("formulas", `goes on above its own line: ${short(formula.textContent)}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const commands = /\\(frac|sum|prod|langle|mathbf|hat|mid|log|dots)(?![a-z])|\\begin\{/;
  const tex = new RegExp(/\$\$|\\\(|\\\[|\$[^$\n]*[\\_^][^$\n]*\$|/.source + commands.source);
  const spots = new Set();
  while (texts.nextNode()) {
    const node = texts.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !parent || parent.closest("script, style, noscript, template")) continue;
    if (!parent.closest("pre, code, annotation, .katex") && tex.test(node.data))
      say("formulas", `raw TeX: ${short(node.data)}`);
    spots.add(parent.closest(".katex") || parent);
  }

  // The number stands beside its formula and on the page.
  for (const block of document.querySelectorAll("div.math")) {
    const number = block.querySelector(".eqno"), formula = block.querySelector(".formula");
    if (!number || !formula || !seen(block)) continue;
    const a = formula.getBoundingClientRect(), b = number.getBoundingClientRect();
    if (a.right > b.left + 0.5 && a.left < b.right - 0.5 && a.bottom > b.top && a.top < b.bottom)
      say("equation numbers", `${number.textContent} overlaps its formula`);
    if (b.right > innerWidth || b.left < a.left) say("equation numbers", `${number.textContent} is out of place`);
    if (a.width < 120) say("equation numbers", `${number.textContent} leaves its formula ${a.width.toFixed(0)} px`);
  }

  // Text can be read: WCAG AA.
  const channels = colour => {
    const mixed = colour.match(/^color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?/);
    if (mixed) return [...mixed.slice(1, 4).map(v => 255 * v), mixed[4] === undefined ? 1 : Number(mixed[4])];
    const [r, g, b, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return [r, g, b, alpha];
  };
  const over = ([r, g, b, alpha], ground) => [r, g, b].map((value, i) => alpha * value + (1 - alpha) * ground[i]);
  const ground = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = colour => colour
    .map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const opacity = element => {
    let value = 1;
    for (let e = element; e; e = e.parentElement) value *= Number(getComputedStyle(e).opacity);
    return value;
  };
  const reported = new Set();
  for (const element of spots) {
    if (!seen(element) || element.closest("[disabled], .visually-hidden, .sr-only, #pst-skip-link, svg")) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element), below = ground(element), colour = channels(style.color);
    colour[3] *= opacity(element);
    const ratio = contrast(over(colour, below), below);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const key = `${style.color} on ${below.map(Math.round)}`;
    if (ratio < (large ? 3 : 4.5) && !reported.has(key)) {
      reported.add(key);
      say("contrast", `${ratio.toFixed(2)}, ${key}: ${short(element.textContent)}`);
    }
  }
  for (const shape of document.querySelectorAll(".picture svg path, .picture svg use, .picture svg text")) {
    if (!seen(shape)) continue;
    const style = getComputedStyle(shape), below = ground(shape.closest(".picture"));
    const lettering = shape.tagName === "text" || shape.closest('g[id*="text_"]');
    for (const paint of lettering ? ["fill"] : ["stroke", "fill"]) {
      if (style[paint] === "none" || !/^(rgb|color)/.test(style[paint])) continue;
      const colour = channels(style[paint]);
      const solid = Number(style[`${paint}-opacity`]) * opacity(shape) * colour[3];
      if (solid < 0.6) continue; // grids and bands are faint on purpose
      const ratio = contrast(over([...colour.slice(0, 3), solid], below), below);
      const key = `${style[paint]} in a figure`;
      if (ratio < (lettering ? 4.5 : 3) && ratio > 1.02 && !reported.has(key)) {
        reported.add(key);
        say("contrast", `${ratio.toFixed(2)}, ${key} on ${below.map(Math.round)}`);
      }
    }
  }

  // Names, landmarks, headings.
  if (!root.lang) say("names", "the page does not say its language");
  if (!document.title.trim()) say("names", "the page has no title");
  if (!document.querySelector("main")) say("names", "no main landmark");
  if (!document.querySelector('#pst-skip-link a[href="#main-content"]')) say("names", "no skip link");
  const first = article.querySelectorAll("h1").length;
  if (first !== 1) say("names", `${first} headings of level 1`);
  for (const control of document.querySelectorAll("button, a[href], input, summary, [role=button]")) {
    if (!seen(control) || control.type === "hidden") continue;
    const label = control.id && document.querySelector(`label[for="${CSS.escape(control.id)}"]`);
    const name = control.getAttribute("aria-label") || control.textContent.trim() || control.title || label
      || control.placeholder || control.querySelector("img[alt]:not([alt=''])");
    if (!name) say("names", `no name: ${control.outerHTML.slice(0, 90)}`);
  }

  const ids = new Set();
  for (const element of document.querySelectorAll("[id]")) {
    if (ids.has(element.id)) say("ids", `twice: ${element.id}`);
    ids.add(element.id);
  }

  if (document.querySelector(".katex") && !document.fonts.check("16px KaTeX_Main"))
    say("fonts", "the font of the formulas is not there");
  return wrong;
}
"""

# Asked as well: which displayed formulas are wider than their place, and so scroll sideways. It asks the page for as
# little as it can, because its test runs it without a browser.
WIDE_FORMULAS = r"""
() => {
  const wide = [];
  for (const formula of document.querySelectorAll(".katex-display")) {
    const block = formula.closest("div.math"), boxes = [formula.closest(".formula"), formula].filter(Boolean);
    const over = Math.max(...boxes.map(box => box.scrollWidth - box.clientWidth));
    if (over <= 0) continue;
    const text = (formula.querySelector("math") || formula).textContent.trim().replace(/\s+/g, " ").slice(0, 60);
    wide.push(`${(block && block.id) || "no label"} is ${over} px too wide for its place: ${text}`);
  }
  return wide;
}
"""

OPEN_ALL = r"""
() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const button of document.querySelectorAll(".toggle-button")) {
    const box = button.closest(".toggle, .admonition, .solution");
    if (box?.matches(".toggle-hidden") || button.matches(".toggle-button-hidden")) button.click();
  }
  const finite = document.getAnimations().filter(a => Number.isFinite(a.effect.getComputedTiming().endTime));
  return Promise.all(finite.map(animation => animation.finished.catch(() => 0))).then(() => true);
}
"""


class Result:
    """Counts what passed and failed, and prints what failed."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def add(self, where: str, check: str, problems: list[str]) -> None:
        """One check of one page."""
        if not problems:
            self.passed += 1
            return
        self.failed += 1
        for problem in dict.fromkeys(problems):
            print(f"FAILED {where}: {check}: {problem}", flush=True)


class Page(HTMLParser):
    """What a page links to and what can be linked to on it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.redirects = bool(re.search(r'<meta[^>]*http-equiv="refresh"', text, re.IGNORECASE))
        self.counts = re.search(r"(\d+) of (\d+) equations checked", text)
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("href", "src"):
                self.links.append(value)
            elif tag == "meta" and name == "content" and "url=" in value:
                self.links.append(value.split("url=", 1)[1])


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on localhost while the block runs; yields the address."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder.resolve()))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def check_links(pages: dict[str, Page], folder: Path, result: Result) -> None:
    """Every link inside the book leads to a file that is there, and to a place that is on it."""
    base = "http://book/"
    for name, page in pages.items():
        problems = []
        for link in dict.fromkeys(page.links):
            address = urlsplit(urljoin(base + name, link))
            if address.scheme not in ("http", "https") or address.netloc != "book":
                continue
            path = unquote(address.path).lstrip("/")
            path = f"{path}index.html" if path == "" or path.endswith("/") else path
            fragment = unquote(address.fragment)
            if not (folder / path).is_file():
                problems.append(f"{link} leads nowhere")
            elif fragment and path in pages and fragment not in pages[path].anchors:
                problems.append(f"{link}: {path} has no such place")
        result.add(name, "links", problems)


def check_ledger(pages: dict[str, Page], result: Result) -> None:
    """The index of the equations says that all of them are checked."""
    for name, page in pages.items():
        if page.counts:
            good, total = page.counts.groups()
            result.add(name, "ledger", [] if good == total != "0" else [f"{good} of {total} equations checked"])


def look(browser, address: str, names: list[str], pictures: Path | None, result: Result) -> None:
    """Visit pages in both modes and sizes."""
    for mode in MODES:
        for width, height in SIZES.items():
            context = browser.new_context(color_scheme=mode, viewport={"width": width, "height": height})
            for name in names:
                where = f"{name} ({mode}, {width} px)"
                console, network = [], []
                tab = context.new_page()
                tab.on("console", lambda m, c=console: c.append(m.text) if m.type == "error" else None)
                tab.on("pageerror", lambda error, c=console: c.append(str(error)))
                tab.on("request", lambda r, n=network: n.append(f"asks {r.url}") if foreign(r.url, address) else None)
                tab.on("requestfailed", lambda r, n=network: n.append(f"{r.url} failed: {r.failure}"))
                tab.on("response", lambda r, n=network: n.append(f"{r.url}: {r.status}") if r.status >= 400 else None)
                tab.goto(address + name, wait_until="load")
                tab.evaluate("document.fonts.ready.then(() => true)")
                tab.wait_for_timeout(150)
                tab.evaluate(OPEN_ALL)
                tab.wait_for_timeout(100)
                theme = tab.evaluate("document.documentElement.dataset.theme")
                result.add(where, "mode", [] if theme == mode else [f"the page shows itself {theme}"])
                for check, problems in tab.evaluate(IN_PAGE).items():
                    result.add(where, check, problems)
                result.add(where, "wide formulas", tab.evaluate(WIDE_FORMULAS))
                result.add(where, "console", console)
                result.add(where, "network", network)
                if pictures:
                    pictures.mkdir(parents=True, exist_ok=True)
                    file = f"{name.removesuffix('.html').replace('/', '_')}-{mode}-{width}.png"
                    tab.screenshot(path=pictures / file, full_page=True)
                tab.close()
            context.close()


def check_switch(browser, address: str, name: str, result: Result) -> None:
    """The button for the mode goes through auto, light and dark, and the page follows and remembers."""
    for width, height in SIZES.items():
        context = browser.new_context(color_scheme="light", viewport={"width": width, "height": height})
        tab = context.new_page()
        tab.goto(address + name, wait_until="load")
        tab.wait_for_timeout(200)
        grounds = {}
        for _ in range(3):
            tab.locator("button.theme-switch-button:visible").first.click()
            tab.wait_for_timeout(250)
            state = "({mode, theme}) => [mode, theme, getComputedStyle(document.body).backgroundColor]"
            mode, theme, ground = tab.evaluate(f"({state})(document.documentElement.dataset)")
            grounds[mode] = (theme, ground)
        problems = []
        if set(grounds) != {"auto", "light", "dark"}:
            problems.append(f"the button goes through {sorted(grounds)}")
        elif grounds["dark"][0] != "dark" or grounds["light"][0] != "light":
            problems.append(f"modes and themes: {grounds}")
        elif grounds["dark"][1] == grounds["light"][1]:
            problems.append("light and dark have the same ground")
        while tab.evaluate("document.documentElement.dataset.mode") != "dark" and not problems:
            tab.locator("button.theme-switch-button:visible").first.click()
        tab.reload(wait_until="load")
        if not problems and tab.evaluate("document.documentElement.dataset.theme") != "dark":
            problems.append("the choice is forgotten on the next page")
        result.add(f"{name} ({width} px)", "switch of the mode", problems)
        context.close()


def foreign(url: str, address: str) -> bool:
    """Whether a request leaves this machine."""
    return not url.startswith((address, "data:", "blob:", "about:"))


def main(arguments: list[str] | None = None) -> int:
    """Check the book; return 0 when nothing failed."""
    parser = argparse.ArgumentParser(description="Look at every page of the built book with a browser.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "_build" / "html", help="the built book")
    parser.add_argument("--screenshots", type=Path, help="keep a picture of every page here")
    parser.add_argument("--pages", default="", help="only pages whose path holds this text")
    parser.add_argument("--browser", help="the browser's program, when it is not on the path")
    options = parser.parse_args(arguments)

    browser_path = options.browser or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        print(
            "browser_checks: no Chromium or Chrome was found; install one, or name it with --browser.", file=sys.stderr
        )
        return 2
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("browser_checks: the package playwright is missing; run pip install playwright.", file=sys.stderr)
        return 2
    if not options.folder.is_dir():
        print(f"browser_checks: {options.folder} is no folder; run make book first.", file=sys.stderr)
        return 2

    pages = {
        path.relative_to(options.folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(options.folder.rglob("*.html"))
        if path.relative_to(options.folder).parts[0] not in ("_static", "_sources")
    }
    names = [name for name, page in pages.items() if options.pages in name and not page.redirects]
    if not names:
        print(f"browser_checks: no page of {options.folder} holds {options.pages!r}.", file=sys.stderr)
        return 2
    result = Result()
    check_links(pages, options.folder, result)
    check_ledger(pages, result)
    with served(options.folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=SWITCHES)
        look(browser, address, names, options.screenshots, result)
        check_switch(browser, address, names[0], result)
        browser.close()
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
