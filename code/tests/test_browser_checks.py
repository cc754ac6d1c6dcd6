"""The part of the browser checks that needs no browser: links, anchors, counting, what is done with measured widths."""

import json
import sys
from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import browser_checks
from browser_checks import Page, Result


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "part").mkdir()
    (tmp_path / "a.css").write_text("")
    (tmp_path / "index.html").write_text('<link href="a.css"><h1 id="top">A</h1><a href="part/b.html#there">b</a>')
    (tmp_path / "part" / "b.html").write_text('<i id="there"></i><a href="../index.html">a</a><a href="#there"></a>')
    return tmp_path


def links(site: Path) -> tuple[int, int]:
    pages = {p.relative_to(site).as_posix(): Page(p.read_text()) for p in sorted(site.rglob("*.html"))}
    result = Result()
    browser_checks.check_links(pages, site, result)
    browser_checks.check_ledger(pages, result)
    return result.passed, result.failed


def test_good_links_pass(site: Path) -> None:
    assert links(site) == (2, 0)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("c.html", "c.html leads nowhere"),
        ("part/b.html#gone", "part/b.html has no such place"),
        ("#gone", "index.html has no such place"),
        ("b.css", "b.css leads nowhere"),
    ],
)
def test_a_dead_link_is_named(site: Path, capsys: pytest.CaptureFixture, link: str, message: str) -> None:
    page = site / "index.html"
    page.write_text(page.read_text() + f'<a href="{link}">dead</a>')
    assert links(site) == (1, 1)
    assert message in capsys.readouterr().out


@pytest.mark.parametrize("link", ["https://example.org/", "mailto:a@example.org", "data:,x", "part/b.html?x=1#there"])
def test_other_links_are_left_alone(site: Path, link: str) -> None:
    page = site / "index.html"
    page.write_text(page.read_text() + f'<a href="{link}">elsewhere</a>')
    assert links(site) == (2, 0)


@pytest.mark.parametrize(("words", "failed"), [("5 of 5", 0), ("4 of 5", 1), ("0 of 0", 1)])
def test_the_index_has_to_say_n_of_n(site: Path, words: str, failed: int) -> None:
    (site / "list.html").write_text(f"<p>{words} equations checked.</p>")
    assert links(site) == (4 - failed, failed)


def test_requests_that_leave_the_machine() -> None:
    address = "http://127.0.0.1:1234/"
    assert browser_checks.foreign("https://cdn.example.org/x.js", address)
    assert browser_checks.foreign("http://127.0.0.1:99/x.js", address)
    assert not browser_checks.foreign(address + "x.js", address)
    assert not browser_checks.foreign("data:image/svg+xml,x", address)


def wide(*formulas: dict) -> list[str]:
    """What the check says of formulas whose widths stand in `own`, those of the box around in `box`: (inner, outer)."""
    page = """
    const sized = ([scrollWidth, clientWidth]) => ({scrollWidth, clientWidth});
    const formulas = FORMULAS.map(({own, box, id, text, label}) => ({
      ...sized(own), textContent: text, querySelector: selector => selector === "math" ? {textContent: label} : null,
      closest: selector => selector === ".formula" ? box && sized(box) : selector === "div.math" ? {id} : null,
    }));
    var document = {querySelectorAll: selector => selector === ".katex-display" ? formulas : []};
    """
    engine = MiniRacer()
    engine.eval(page.replace("FORMULAS", json.dumps(formulas)))
    return json.loads(engine.eval(f"JSON.stringify(({browser_checks.WIDE_FORMULAS})())"))


FORMULA = {"own": [270, 270], "box": [276, 276], "id": "equation-eq-a", "text": "a=ba=b", "label": " a =\n b "}


def test_a_formula_that_fits_is_left_alone() -> None:
    assert wide(FORMULA, FORMULA | {"box": None}) == []


def test_a_formula_that_scrolls_is_named() -> None:
    assert wide(FORMULA, FORMULA | {"box": [277, 276]}) == ["equation-eq-a is 1 px too wide for its place: a = b"]
    assert wide(FORMULA | {"box": None, "own": [331, 324], "id": ""}) == [
        "no label is 7 px too wide for its place: a = b"
    ]
    assert len(wide(FORMULA | {"own": [271, 270]}, FORMULA, FORMULA | {"box": [300, 276]})) == 2


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch) -> None:
    monkeypatch.setattr(browser_checks.shutil, "which", lambda name: None)
    assert browser_checks.main([str(tmp_path)]) == 2
    assert "no Chromium or Chrome" in capsys.readouterr().err
