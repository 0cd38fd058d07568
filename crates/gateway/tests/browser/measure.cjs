// Measures how a page fits its window.
"use strict";

// Runs in the page. Finds elements that are wider than the window, and targets of less than 44 pixels.
function measure() {
  const wide = document.documentElement.scrollWidth - globalThis.innerWidth;
  const cut = [...document.querySelectorAll("body *")]
    .filter((element) => !["INPUT", "SCRIPT"].includes(element.tagName))
    .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
    .filter((element) => getComputedStyle(element).display !== "inline" && getComputedStyle(element).clipPath === "none")
    // An identifier shows its start and its end, and all of it as tooltip.
    .filter((element) => !element.parentElement.matches(".id[title]"))
    .map((element) => element.outerHTML.slice(0, 80));
  const small = [...document.querySelectorAll("a, button, input:not([type=hidden])")]
    .map((element) => (["checkbox", "radio"].includes(element.type) ? element.closest("label") : element))
    .filter((element) => element.checkVisibility())
    .map((element) => ({ box: element.getBoundingClientRect(), what: element.outerHTML.slice(0, 80) }))
    .filter(({ box }) => box.width < 44 || box.height < 44)
    .map(({ box, what }) => `${box.width} by ${box.height}: ${what}`);
  return { wide, cut, small, reports: globalThis.reports, headings: document.querySelectorAll("h1").length };
}

module.exports = { measure };
