// Whether all of a page fits into its window, and whether fingers find what they press.
"use strict";
const { check } = require("./chromium.cjs");

// Runs in the page: what is wider than the window, or smaller than a finger.
function measure() {
  const wide = document.documentElement.scrollWidth - globalThis.innerWidth;
  const cut = [...document.querySelectorAll("body *")]
    .filter((element) => !["INPUT", "SCRIPT"].includes(element.tagName))
    .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
    .filter((element) => getComputedStyle(element).display !== "inline")
    .map((element) => element.outerHTML.slice(0, 80));
  const small = [...document.querySelectorAll("a, button, input:not([type=hidden])")]
    .map((element) => (["checkbox", "radio"].includes(element.type) ? element.closest("label") : element))
    .filter((element) => element.checkVisibility())
    .map((element) => ({ box: element.getBoundingClientRect(), what: element.outerHTML.slice(0, 80) }))
    .filter(({ box }) => box.width < 44 || box.height < 44)
    .map(({ box, what }) => `${box.width} by ${box.height}: ${what}`);
  return { wide, cut, small, reports: globalThis.reports, headings: document.querySelectorAll("h1").length };
}

async function fits(page, what) {
  const found = await page.evaluate(measure);
  check(found.wide <= 0 && found.cut.length === 0, `${what} is too wide: ${JSON.stringify(found)}`);
  check(found.small.length === 0, `${what} has small targets: ${found.small}`);
  check(found.headings === 1, `${what} has ${found.headings} headings`);
  return found;
}

module.exports = { fits };
