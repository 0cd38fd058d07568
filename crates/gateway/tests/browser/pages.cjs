// Checks pages in the colours of a set of views. Axe checks them at the width of a phone. A wide window only
// adds space around a page, so the page is measured there and not checked by axe again. Pages of the console
// are the exception, because they show tables there.
"use strict";
const { axe, judge } = require("./axe.cjs");
const { check, names, open, shoot, visit, withBrowser } = require("./chromium.cjs");
const { fits } = require("./fits.cjs");

const PHONE = 360;
const WIDE = 1440;
// The console has its navigation above the page there, and cards instead of tables.
const MIDDLE = 800;
// All pages share the header, so one page is enough to check the width of a logo.
const ONE = ["sign_in"];
// The first page contains the components of all pages.
const PARTS = ["components", ...ONE];
// The test profile `change` checks the usual views. Together with the others they are all looks in both
// schemes.
const VIEWS = {
  usual: [["plain", "light", names], ["themed", "dark", PARTS], ["wide", "light", ONE]],
  others: [["plain", "dark", names], ["themed", "light", names], ["themed", "dark", names], ["wide", "dark", ONE]],
}[process.env.LATCHKEY_VIEWS];
const mostBytes = (name) => (/^(console|components)/.test(name) ? 60 : 40) * 1024;
// The logo of each look in each scheme.
const LOGOS = {
  plain: {},
  themed: { light: "/logo/light", dark: "/logo/dark" },
  wide: { light: "/logo/wide", dark: "/logo/wide" },
};

// The logo must match the scheme, be decoded, be 3rem high, and take at most 60 % of the column.
async function showsLogo(page, what, expected) {
  const found = await page.evaluate(() => {
    const shown = document.querySelector("header img");
    if (!shown) return {};
    const { width, height } = shown.getBoundingClientRect();
    const room = shown.closest("header").clientWidth;
    return { path: new URL(shown.currentSrc).pathname, loaded: shown.naturalWidth > 0, alt: shown.alt, width, height, room };
  });
  check(found.path === expected, `${what} shows the logo ${found.path}`);
  if (!expected) return;
  const fitting = found.width > 0 && found.width <= found.room * 0.6 + 1 && found.height === 48;
  check(found.loaded && found.alt === "Acme Ltd" && fitting, `${what} has a wrong logo: ${JSON.stringify(found)}`);
}

async function look(browser, at, name, scheme) {
  const what = `${name}-${at}-${scheme}`;
  const { context, page, record } = await open(browser, { viewport: { width: PHONE, height: 800 }, colorScheme: scheme }, false);
  const response = await visit(page, `/pages/${at}/${name}`);
  check(response.status() === 200, `${what}: ${response.status()}`);
  const found = await fits(page, what);
  await showsLogo(page, what, LOGOS[at][scheme]);
  check(found.reports.length === 0, `${what}: the policy reports ${found.reports}`);
  check(record.console.length === 0, `${what}: the console says ${record.console}`);
  check(record.bytes > 1024 && record.bytes <= mostBytes(name), `${what} has ${record.bytes} bytes`);
  await shoot(page, what, { fullPage: true });
  await page.evaluate(axe);
  await judge(page, what);
  if (name.startsWith("console_")) {
    await page.setViewportSize({ width: MIDDLE, height: 800 });
    await shoot(page, `${what}-middle`, { fullPage: true });
    await fits(page, `${what} at ${MIDDLE}`);
  }
  await page.setViewportSize({ width: WIDE, height: 800 });
  await shoot(page, `${what}-wide`, { fullPage: true });
  await fits(page, `${what} at ${WIDE}`);
  await showsLogo(page, `${what} at ${WIDE}`, LOGOS[at][scheme]);
  // In a narrow window the console shows its tables as cards.
  if (name.startsWith("console_")) await judge(page, `${what} at ${WIDE}`);
  // Colours do not change sizes, so one look is enough.
  if (at === "plain") await fitsWhereItIsTight(page, what);
  await context.close();
}

async function fitsWhereItIsTight(page, what) {
  // The narrowest window of WCAG 1.4.10, then text of twice the size (1.4.4).
  await page.setViewportSize({ width: 320, height: 800 });
  await fits(page, `${what} at 320`);
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  await page.setViewportSize({ width: 640, height: 800 });
  await fits(page, `${what} with large text`);
}

// Axe does not check the system's forced colours. Buttons must still have a visible border.
async function inForcedColours(browser) {
  const { context, page } = await open(browser, { forcedColors: "active" });
  await visit(page, `/pages/themed/consent`);
  const border = await page.locator("button.primary").evaluate((button) => getComputedStyle(button).borderTopWidth);
  check(border === "1px", `a button in forced colours has a border of ${border}`);
  await context.close();
}

// All messages share one template. These two have all its parts.
async function readsMail(browser, at, scheme) {
  for (const name of ["recovery", "address_changed"]) {
    const what = `mail-${name}-${at}-${scheme}`;
    const { context, page, record } = await open(browser, { colorScheme: scheme }, false);
    await visit(page, `/mail/${at}/${name}`);
    for (const width of [PHONE, MIDDLE, WIDE]) {
      await page.setViewportSize({ width, height: 800 });
      await shoot(page, `${what}-${width}`, { fullPage: true });
      await fits(page, `${what} at ${width}`);
    }
    await page.evaluate(axe);
    await judge(page, what);
    check(record.console.length === 0 && record.sent.length === 0, `${what}: ${record.console} ${record.sent}`);
    await context.close();
  }
}

withBrowser(async (browser) => {
  let seen = 0;
  for (const [at, scheme, pages] of VIEWS) {
    for (const name of pages) {
      await look(browser, at, name, scheme);
      seen += 1;
    }
    await readsMail(browser, at, scheme);
  }
  await inForcedColours(browser);
  console.log(`${seen} pages seen`);
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
