// Checks each page that shows text of callers or administrators, with each hostile value in every such place.
"use strict";
const { check, open, visit, withBrowser } = require("./chromium.cjs");
const { fits } = require("./fits.cjs");

const payloads = require("./payloads.json");
const pages = process.env.LATCHKEY_HOSTILE_PAGES.split(" ");
// Elements that no page of this server has, so only a value can have added them.
const FOREIGN = "img, svg:not(.icon), iframe, object, math, details, style, base, meta[http-equiv], body script, link[href^=http], form[action^=http]";

// Runs in the page. Returns its text, its title and the values of its fields.
function said() {
  const fields = [...document.querySelectorAll("input:not([type=hidden])")].map(({ value }) => value);
  return { body: document.body.textContent, title: document.title, fields };
}

withBrowser(async (browser) => {
  let seen = 0;
  const { page, record } = await open(browser, { viewport: { width: 360, height: 800 } }, false);
  const dialogs = [];
  page.on("dialog", (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
  for (const [at, payload] of payloads.entries()) {
    for (const name of pages) {
      const what = `${name} with ${JSON.stringify(payload)}`;
      await visit(page, `/hostile/${at}/${name}`);
      const found = await fits(page, what);
      const { body, title, fields } = await page.evaluate(said);
      // Otherwise the value might be harmless only because the page does not show it.
      check(body.includes(payload) && (name !== "sign_in" || fields[0] === payload), `${what}: the value is not shown`);
      check(title.includes(payload.replace(/[\t\n\f\r ]+/g, " ")), `${what}: the title is ${title}`);
      check(!(await page.evaluate(() => "attacked" in globalThis)), `${what}: script has run`);
      check((await page.locator(FOREIGN).count()) === 0, `${what}: the value is markup`);
      check(found.reports.length === 0, `${what}: the policy reports ${found.reports}`);
      seen += 1;
    }
    check(record.console.length === 0, `${JSON.stringify(payload)}: the console says ${record.console}`);
    check(record.sent.length === 0 && dialogs.length === 0, `${JSON.stringify(payload)}: ${JSON.stringify(record.sent)}, ${dialogs}`);
  }
  console.log(`${seen} pages seen`);
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
