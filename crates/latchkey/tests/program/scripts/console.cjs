// An operator at the console: a link, a tenant with its first application, another application, rotation, revocation, sign-out. Each page is
// judged by axe and must fit a phone. Prints what came of it.
"use strict";
const fs = require("node:fs");
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");

const { LINK, TENANT, SCRIPT } = process.env;
const javaScriptEnabled = SCRIPT === "true";
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const problems = [];

async function judge(page) {
  const heading = await page.textContent("h1");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) problems.push(`${heading} is ${wide} px too wide`);
  // Axe waits for timers, which do not run without script.
  if (!javaScriptEnabled) return;
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  for (const { id, nodes } of violations) problems.push(`${heading}: ${id} at ${nodes.map(({ html }) => html)}`);
}

(async () => {
  const chromium = await launch();
  const context = await chromium.newContext({ javaScriptEnabled, viewport: { width: 360, height: 740 }, colorScheme: javaScriptEnabled ? "dark" : "light" });
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
  await follow("New tenant");
  await shows("New tenant");
  await page.getByLabel("Id", { exact: true }).fill(TENANT);
  await page.getByLabel("API").fill("orders");
  await page.getByLabel("Scopes").fill("orders:read orders:write");
  await page.getByLabel("First application").fill("web");
  await press("Create the tenant");
  await shows("web: the secret");
  await follow("I have it: open the application");
  await shows("web");
  await follow("Applications");
  await shows("Applications");
  await follow("New application");
  await shows("New application");
  await page.getByLabel("Service account").check();
  await page.getByLabel("Client id").fill("jobs");
  await page.getByLabel("orders:read").check();
  await press("Create the application");
  await shows("jobs: the secret");
  const first = await code(0);
  const curl = await code(1);
  const copies = await page.getByRole("button", { name: "Copy" }).count();
  await follow("I have it: open the application");
  await shows("jobs");
  await follow("Try it");
  await press("Explain");
  await page.getByText("It would get a token (200).").waitFor();
  await judge(page);
  await follow("Credentials");
  await page.getByLabel("24 hours").first().check();
  await press("Replace all secrets by a new one");
  const second = await code(0);
  await judge(page);
  await follow("I have it: open the application");
  await page.getByRole("heading", { name: "Secret s1" }).waitFor();
  await judge(page);
  await page.locator("section", { has: page.getByRole("heading", { name: "Secret s1" }) }).getByRole("button", { name: "Revoke" }).click();
  await page.getByText("It has ended").waitFor();
  await follow("Signing keys");
  await shows("Signing keys");
  await follow("Audit");
  await shows("Audit");
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
