// Looks at each page that shows what others choose, with each hostile value in every place of it.
"use strict";
const { check, open, visit, withBrowser } = require("./chromium.cjs");
const { fits } = require("./fits.cjs");

const payloads = require("./payloads.json");
const pages = process.env.LATCHKEY_HOSTILE_PAGES.split(" ");
// What only a value could have brought into a page of ours.
const FOREIGN = "img, svg:not(.icon), iframe, object, math, details, style, base, meta[http-equiv], body script, link[href^=http], form[action^=http]";

// Runs in the page: what it says, also in its title and its fields.
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
      // Else the value might be harmless because it is not there.
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
