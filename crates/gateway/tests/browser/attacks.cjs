// Tests what a script of the same origin can read of another tenant's pages, and markup in every name.
"use strict";
const { check, names, open, url, visit, withBrowser } = require("./chromium.cjs");

const VICTIM = `${url}/pages/plain/sign_in`;
const SECRET = "c2VhbGVkIHJlcXVlc3Q";
let failed = 0;

// Run in the attacker's page. Each attack returns the text that it could read.
const ATTACKS = {
  fetch: async (victim) => (await fetch(victim)).text(),
  "fetch without cookies": async (victim) => (await fetch(victim, { credentials: "omit", mode: "same-origin" })).text(),
  XMLHttpRequest: (victim) =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.onloadend = () => resolve(request.responseText);
      request.open("GET", victim);
      request.send();
    }),
  iframe: framed("iframe", "src"),
  object: framed("object", "data"),
  embed: framed("embed", "src"),
  "window.open": async (victim) => {
    const opened = window.open(victim);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    try {
      return opened === null || opened.closed ? "" : opened.document.documentElement.outerHTML;
    } catch (error) {
      return "";
    }
  },
  "service worker": async (victim) => {
    try {
      await navigator.serviceWorker.register(victim, { scope: "/" });
      return "registered c2VhbGVkIHJlcXVlc3Q";
    } catch (error) {
      return "";
    }
  },
};

function framed(tag, attribute) {
  return new Function(
    "victim",
    `return new Promise((resolve) => {
      const frame = document.createElement("${tag}");
      const read = () => {
        try { resolve(window[0]?.document.documentElement.outerHTML ?? ""); } catch (error) { resolve(""); }
      };
      frame.addEventListener("load", read);
      frame.addEventListener("error", read);
      frame.setAttribute("${attribute}", victim);
      document.body.append(frame);
      setTimeout(read, 1500);
    });`,
  );
}

withBrowser(async (browser) => {
  // Each attack must be able to read an unprotected page. Otherwise its failure would prove nothing.
  for (const [name, attack] of Object.entries(ATTACKS)) {
    const { context, page } = await open(browser);
    await visit(page, `/attacker`);
    if (name !== "service worker") {
      const own = await page.evaluate(attack, `${url}/attacker`);
      check(own.includes("attacker"), `${name} cannot read its own page: ${own}`);
    }
    const found = await page.evaluate(attack, VICTIM);
    check(!found.includes(SECRET), `${name} reads ${found}`);
    failed += 1;
    await context.close();
  }
  for (const name of names) {
    const { context, page, record } = await open(browser, {}, false);
    await visit(page, `/pages/markup/${name}`);
    await page.waitForTimeout(50);
    const found = await page.evaluate(() => ({ reports: globalThis.reports, attacked: "attacked" in globalThis }));
    check(!found.attacked && found.reports.length === 0, `${name}: ${JSON.stringify(found)}`);
    const images = await page.locator("img, svg:not(.icon, .chart svg)").count();
    check(images === 0, `${name}: markup of a value is in the page`);
    check(record.console.length === 0, `${name}: the console says ${record.console}`);
    failed += 1;
    await context.close();
  }
  console.log(`${failed} attacks failed`);
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
