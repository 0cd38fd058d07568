// Checks pages against WCAG 2.2 AA. Evaluate `axe` once in a page before its first check.
"use strict";
const fs = require("node:fs");
const { check } = require("./chromium.cjs");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function judge(page, what) {
  const result = await page.evaluate(() =>
    globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }),
  );
  const violations = result.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 5).map(({ html }) => html)}`);
  check(violations.length === 0, `${what}: axe finds ${violations.join("; ")}`);
  check(result.passes.length > 5, `${what}: axe judged nothing`);
}

module.exports = { axe, judge };
