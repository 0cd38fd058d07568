// Checks the API reference in both colour schemes, closed and with some parts open. All parts use one
// template, so a few are enough. Its form fetches a token. A listener that issues no tokens shows no form.
"use strict";
const { axe, judge } = require("./axe.cjs");
const { check, open, shoot, url, visit, withBrowser } = require("./chromium.cjs");

const SIZES = [320, 1440];

async function fits(page, what) {
  const [wide, headings] = await page.evaluate(() => [
    document.documentElement.scrollWidth - globalThis.innerWidth,
    document.querySelectorAll("h1").length,
  ]);
  check(wide <= 0, `${what} is ${wide} too wide`);
  check(headings === 1, `${what} has ${headings} headings`);
}

async function reads(browser, at, colorScheme, parts) {
  const what = `${at} ${colorScheme}`;
  const { context, page, record } = await open(browser, { viewport: { width: SIZES[0], height: 800 }, colorScheme }, false);
  const response = await visit(page, at);
  check(response.status() === 200, `${what}: ${response.status()}`);
  await page.evaluate(axe);
  await judge(page, what);
  for (const width of SIZES) {
    await page.setViewportSize({ width, height: 800 });
    await fits(page, `${what} at ${width}`);
    await shoot(page, `${at.slice(1).replaceAll("/", "-")}-${colorScheme}-${width}`);
  }
  // One part at a time, because axe takes minutes for all parts together.
  for (let part = 0; part < parts; part += 1) {
    await page.locator("details").evaluateAll((all) => { for (const one of all) one.open = false; });
    const opened = await page.locator("section").nth(part).locator("details").evaluateAll((all) => {
      const some = all.slice(0, 4);
      for (const one of some) one.open = true;
      return some.length;
    });
    if (opened === 0) continue;
    await judge(page, `${what}, part ${part}`);
  }
  await page.setViewportSize({ width: SIZES[0], height: 800 });
  await page.locator("details").evaluateAll((all) => { for (const one of all) one.open = true; });
  await fits(page, `${what} open`);
  check((await page.evaluate(() => globalThis.reports)).length === 0, `${what}: the policy reports ${await page.evaluate(() => globalThis.reports)}`);
  check(record.console.length === 0, `${what}: the console says ${record.console}`);
  check(record.sent.length === 0, `${what}: asks ${record.sent.map(({ url }) => url)}`);
  await context.close();
}

// The test's listener is on this machine, so the form is prefilled with the sample client.
async function fetchesToken(browser) {
  const { context, page, record } = await open(browser, {}, false);
  await visit(page, "/both/docs");
  const line = page.locator("form pre code");
  await line.waitFor();
  check((await line.textContent()) === "TOKEN='a.token.of-your-client-id-at-test-tenant'", `the page has ${await line.textContent()}`);
  const shown = await page.locator("#token_request, .here").first().textContent();
  check(shown.includes(new URL(page.url()).origin) && !shown.includes("localhost:3000"), `the example calls ${shown}`);
  await page.fill("[name=client_id]", "other");
  await page.press("[name=client_id]", "Enter");
  await page.waitForFunction(() => document.querySelector("form pre code").textContent.includes("other"));
  await page.fill("[name=client_secret]", "wrong");
  await page.click("form button");
  await page.waitForFunction(() => document.querySelector("[role=status]").textContent.startsWith("401 invalid_client: "));
  check(await page.locator("form pre").isHidden(), "a refused form keeps the token of before");
  check(record.sent.length === 0, "the form asks another server");
  check((await page.evaluate(() => globalThis.reports)).length === 0, "the policy refuses the form");
  await context.close();
}

async function works(browser) {
  const { context, page } = await open(browser, { javaScriptEnabled: false }, false);
  await page.goto(`${url}/both/docs`);
  check(await page.locator("form").isHidden(), "without script there is a form that does nothing");
  await page.locator("summary").first().click();
  check(await page.locator("details[open] dl").first().isVisible(), "without script nothing opens");
  await context.close();
  const other = await open(browser, {}, false);
  await visit(other.page, "/admin/docs");
  check((await other.page.locator("form").count()) === 0, "a listener without tokens has a form");
  await other.context.close();
}

withBrowser(async (browser) => {
  await reads(browser, "/both/docs", "light", 3);
  await reads(browser, "/both/docs", "dark", 1);
  await fetchesToken(browser);
  await works(browser);
  console.log("the page of the API is read");
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
