// Small services to readers who use a keyboard, a screen reader or a narrow page. The pages are complete without it.

const boxes = ".formula, .picture, .pst-scrollable-table-container, .highlight > pre, .cell_output .output";

function findWideOnes() {
  for (const formula of document.querySelectorAll(".bd-article span.math")) {
    formula.classList.remove("too-wide");
    if (!formula.closest(".formula") && formula.scrollWidth > formula.clientWidth + 4) { // two are an empty mark's
      formula.classList.add("too-wide");
    }
  }
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0; // what scrolls can be reached and scrolled by keyboard
    }
  }
}

function nameThings() {
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.removeAttribute("aria-label"); // its text names it
    button.removeAttribute("title");
  }
}

nameThings();
findWideOnes();
document.fonts?.ready.then(findWideOnes);
addEventListener("resize", findWideOnes);
