// Checks that a page fits into its window and that its targets are large enough for fingers.
"use strict";
const { check } = require("./chromium.cjs");
const { measure } = require("./measure.cjs");

async function fits(page, what) {
  const found = await page.evaluate(measure);
  check(found.wide <= 0 && found.cut.length === 0, `${what} is too wide: ${JSON.stringify(found)}`);
  check(found.small.length === 0, `${what} has small targets: ${found.small}`);
  check(found.headings === 1, `${what} has ${found.headings} headings`);
  return found;
}

module.exports = { fits };
