// Starts Chromium and records the errors of a page: policy reports, console messages, and requests to other
// servers.
"use strict";
const path = require("node:path");
const { launch } = require("./launch.cjs");

const url = process.env.LATCHKEY_URL;
const names = process.env.LATCHKEY_PAGES.split(" ");

async function withBrowser(use) {
  const browser = await launch();
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

// Opens a window with a record. Answers requests to the client; without `client` the window stays on this
// server's page.
async function open(browser, options = {}, client = true) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const record = { reports: [], console: [], sent: [], bytes: 0, refused: 0 };
  await context.route(
    (target) => !target.href.startsWith(url),
    async (route) => {
      const request = route.request();
      record.sent.push({ method: request.method(), url: request.url(), body: request.postData() });
      // A browser stays on its page after a 204 (RFC 9110 §15.3.5).
      if (!client) return route.fulfill({ status: 204 });
      return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>client</title>" });
    },
  );
  await context.addInitScript(() => {
    globalThis.reports = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      globalThis.reports.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) record.console.push(message.text());
  });
  page.on("pageerror", (error) => record.console.push(String(error)));
  page.on("response", async (response) => {
    if (!response.url().startsWith(url)) return;
    record.bytes += Number(response.headers()["content-length"] ?? 0);
  });
  return { context, page, record };
}

// Opens a page of this server. Playwright's own wait would mistake a form that the page sends while it loads
// for the end of the navigation.
async function visit(page, at) {
  const response = await page.goto(url + at, { waitUntil: "commit" });
  await page.waitForFunction(() => document.readyState === "complete");
  return response;
}

// Takes a screenshot for people. The test profile `change` takes none.
async function shoot(page, name, options) {
  if (process.env.NEXTEST_PROFILE === "change") return;
  await page.screenshot({ path: path.join(process.env.LATCHKEY_SCREENSHOTS, `${name}.png`), ...options });
}

function check(condition, message) {
  if (!condition) throw new Error(message);
}

module.exports = { check, names, open, shoot, url, visit, withBrowser };
