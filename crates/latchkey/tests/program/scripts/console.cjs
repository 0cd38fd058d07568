// An operator uses the console: a link, a tenant with its first application, another application, rotation,
// revocation, sign-out. Axe checks each page, and each page must fit a phone and a wide window. Prints the
// results.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");
const { measure } = require("../../../../gateway/tests/browser/measure.cjs");

const { LINK, TENANT, SCRIPT, REPORTS } = process.env;
const javaScriptEnabled = SCRIPT === "true";
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const problems = [];

// The tests of crate `pages` check each component in both schemes at both widths. Here each page is checked
// in two of the views, and in the other two by the other journey.
const views = SCRIPT === "true" ? [[1440, "dark"], [360, "light"]] : [[1440, "light"], [360, "dark"]];
let seen = 0;

// Returns the elements that the tab key does not reach. Of radio buttons with the same name it reaches one.
async function unreached(page) {
  await page.evaluate(() => document.activeElement?.blur());
  for (let pressed = 0; pressed < 400; pressed += 1) {
    await page.keyboard.press("Tab");
    const isNew = await page.evaluate(() => {
      const reached = document.activeElement;
      if (reached === document.body) return true;
      const isNew = !("reached" in reached.dataset);
      reached.dataset.reached = getComputedStyle(reached).outlineStyle;
      return isNew;
    });
    if (!isNew) break;
  }
  return page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), textarea, summary")];
    const isReached = (element) => "reached" in element.dataset;
    const isOfReached = ({ name, type }) => type === "radio" && all.some((other) => other.type === "radio" && other.name === name && isReached(other));
    return all.filter((element) => element.checkVisibility() && !isReached(element) && !isOfReached(element)).map(({ outerHTML }) => outerHTML.slice(0, 80));
  });
}

// Checks a page in each view.
async function judge(page) {
  const heading = await page.textContent("h1");
  seen += 1;
  // Axe waits for timers, which do not run if script is disabled.
  if (javaScriptEnabled) await page.evaluate(axe);
  for (const [width, colorScheme] of views) {
    await page.setViewportSize({ width, height: 740 });
    await page.emulateMedia({ colorScheme });
    const what = `${heading} at ${width} in ${colorScheme}`;
    const { wide, cut, small } = await page.evaluate(measure);
    if (wide > 0 || cut.length > 0 || small.length > 0) problems.push(`${what}: ${JSON.stringify({ wide, cut, small })}`);
    if (!javaScriptEnabled) continue;
    const file = `console-journey-${String(seen).padStart(2, "0")}-${width}-${colorScheme}.png`;
    await page.screenshot({ path: path.join(REPORTS, file), fullPage: true });
    const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    for (const { id, nodes } of violations) problems.push(`${what}: ${id} at ${nodes.map(({ html }) => html)}`);
  }
  if (!javaScriptEnabled) return;
  for (const html of await unreached(page)) problems.push(`${heading}: the tab key does not reach ${html}`);
}

(async () => {
  const chromium = await launch();
  const context = await chromium.newContext({ javaScriptEnabled, viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  const origin = new URL(LINK).origin;
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  page.on("request", (request) => { if (!request.url().startsWith(origin)) problems.push(request.url()); });
  const shows = async (heading) => {
    await page.locator("h1", { hasText: heading }).waitFor();
    await judge(page);
  };
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const follow = (name) => page.getByRole("link", { name, exact: true }).first().click();
  const code = (nth) => page.locator(".copied code").nth(nth).textContent();

  await page.goto(LINK);
  if (!javaScriptEnabled) {
    await page.getByLabel("Code").fill(new URL(LINK).hash.slice(1));
    await press("Open the console");
  }
  await shows("Overview");
  await follow("Advice");
  await page.getByText("No advice").or(page.getByText("endless secret").first()).first().waitFor();
  await shows("Advice");
  await follow("Overview");
  await follow("New tenant");
  await shows("New tenant");
  await page.getByLabel("ID", { exact: true }).fill(TENANT);
  await page.getByText(`/tenant/${javaScriptEnabled ? TENANT : "ID"}/oauth/token`).waitFor();
  await page.getByLabel("API").fill("orders");
  await page.getByLabel("Scopes").fill("orders:read orders:write");
  await page.getByLabel("First application").fill("web");
  await press("Create tenant");
  await shows("New secret for web");
  await follow("I have copied the value: open the application");
  await shows("web");
  await follow("Applications");
  await shows("Applications");
  await follow("New application");
  await shows("New application");
  await page.getByLabel("Machine to machine").check();
  await page.getByLabel("Name", { exact: true }).fill("jobs");
  await page.getByLabel("Name", { exact: true }).press("Enter");
  await shows("New application");
  await page.getByLabel("Client ID").fill("jobs");
  await page.getByLabel("orders:read").check();
  await press("Create application");
  await shows("New secret for jobs");
  const first = await code(1);
  const curl = await code(3);
  const copies = await page.getByRole("button", { name: "Copy" }).count();
  await follow("I have copied the value: open the application");
  await shows("jobs");
  await follow("Edit");
  await judge(page);
  await page.getByLabel("Name", { exact: true }).fill("Night jobs");
  await press("Review changes");
  await page.getByText("Nothing is saved yet.").waitFor();
  await judge(page);
  await press("Save changes");
  await page.getByText("Changes saved.").waitFor();
  await shows("Night jobs");
  await follow("Try it");
  await press("Explain");
  await page.getByText("The application would get a token (200).").waitFor();
  await judge(page);
  await follow("Credentials");
  await page.getByText("New credential", { exact: true }).click();
  await page.getByLabel("Expire in 24 hours").first().check();
  await press("Create secret");
  const second = await code(0);
  await judge(page);
  await follow("I have copied the value: open the application");
  await page.getByText("Secret s1", { exact: true }).click();
  await judge(page);
  await page.getByText("Revoke s1", { exact: true }).click();
  await judge(page);
  await press("Revoke now");
  await page.getByText("Credential revoked").waitFor();
  await follow("Overview");
  await shows(TENANT);
  await follow("Advice");
  await shows("Advice");
  await follow("People");
  await shows("People");
  await follow("New person");
  await shows("New person");
  await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
  await page.getByLabel("Email address").fill(`ada@${TENANT}.example`);
  await press("Create person");
  await shows("Ada Lovelace");
  await follow("Open the page of the person");
  await page.getByText("The person cannot sign in.").waitFor();
  await shows("Ada Lovelace");
  await follow("Signing keys");
  await shows("Signing keys");
  await follow("Audit log");
  await shows("Audit log");
  // A tenant that a file declares is read-only, and its page shows the line of the file.
  await follow("Tenants");
  await shows("Tenants");
  await follow("acme");
  await page.getByText(/config\.yaml:\d+, tenants\.acme \(read-only here/).waitFor();
  if ((await page.getByRole("button", { name: "Suspend tenant" }).count()) > 0) problems.push("a declared tenant can be suspended");
  await press("Sign out");
  await shows("Sign in to the console");
  const signedOut = (await page.textContent("#message")).trim();
  await page.goBack();
  await page.reload();
  await page.locator("h1", { hasText: "Sign in to the console" }).waitFor();
  await chromium.close();
  console.log(JSON.stringify({ problems, first, second, curl, copies, signedOut }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
