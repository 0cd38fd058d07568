// People with browsers at a tenant, for the scripts of tests: a client of the tenant, URLs of its pages, and
// a sign-in.
"use strict";
const http = require("node:http");
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");

const ADA = "ada@example.com";
// RFC 7636, appendix B.
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

// Serves these pages on a free port until it is closed. All other pages are empty.
async function serve(host, pages = {}) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    const page = pages[new URL(request.url, "http://localhost").pathname];
    response.setHeader("content-type", "text/html; charset=utf-8").end(page ?? "<!doctype html><title>client</title>");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://${host}:${server.address().port}`, asked, close: () => server.close() };
}

// A Chromium that accepts the test's certificate, and an application at a free port of this machine, because
// redirect URIs on loopback allow any port (RFC 8252 §7.3).
async function start(options = {}) {
  const chromium = await launch({ ...options, args: ["--ignore-certificate-errors"] });
  const application = await serve("127.0.0.1");
  const redirectUri = `${application.url}/callback`;
  const authorize = (issuer, more = {}) => {
    const request = new URLSearchParams({
      client_id: "web",
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      ...more,
    });
    return `${issuer}/oauth/authorize?${request}`;
  };
  const open = (more = {}) => chromium.newContext({ ignoreHTTPSErrors: true, ...more });
  const signIn = async (page, issuer, password, identifier = ADA) => {
    await page.goto(authorize(issuer));
    await page.fill("#identifier", identifier);
    await page.fill("#password", password);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${redirectUri}**`);
  };
  // The person gives consent to the client.
  const allow = async (page, issuer) => {
    await page.goto(authorize(issuer, { client_id: "partner", scope: "openid email" }));
    await page.click("button[value=allow]");
    await page.waitForURL(`${redirectUri}**`);
  };
  // A person who is signed in and has given consent to a client, and the person's account page and session at
  // the tenant.
  const victim = async (issuer, password, options) => {
    const context = await open(options);
    const person = await context.newPage();
    await signIn(person, issuer, password);
    await allow(person, issuer);
    const before = await state(context, issuer);
    const isThere = before.text.includes(ADA) && before.text.includes('value="partner"') && before.session !== "";
    if (!isThere) throw new Error(`nobody is signed in: ${before.text}`);
    return { before, context, person };
  };
  const close = async () => {
    await chromium.close();
    application.close();
  };
  return { authorize, close, open, redirectUri, signIn, victim };
}

// The window in which a browser opens the account page. A new window each time would take longer than the
// check.
const observers = new WeakMap();
async function observer(context) {
  if (!observers.has(context)) observers.set(context, await context.newPage());
  return observers.get(context);
}

// Closes the windows that an attempt has opened.
async function closeOthers(context, kept) {
  for (const page of context.pages()) if (!kept.includes(page) && page !== observers.get(context)) await page.close();
}

// Returns the text of the person's account page without the parts that differ in each page, and the session
// cookie. Tries again if the server is busy.
async function state(context, issuer) {
  const page = await observer(context);
  let answer = await page.goto(`${issuer}/account`);
  for (let tries = 1; answer.status() === 503 && tries < 10; tries += 1) {
    await page.waitForTimeout(1000);
    answer = await page.goto(`${issuer}/account`);
  }
  const [, main] = /<main[^>]*>([^]*)<\/main>/.exec(await answer.text());
  const tenant = issuer.split("/").at(-1);
  const cookies = await context.cookies(issuer);
  const session = cookies.filter(({ name }) => name.endsWith(`lk-s.${tenant}`)).map(({ path, value }) => `${path} ${value}`);
  return { text: main.replace(/name="flow" value="[^"]*"/g, ""), session: session.sort().join() };
}

// Returns what has changed, or false.
async function changed(context, issuer, before) {
  const { session, text } = await state(context, issuer);
  if (session !== before.session) return `the session is ${session}, not ${before.session}`;
  return text !== before.text && `the account is ${text}, not ${before.text}`;
}

// The URL of the tenant's console.
const consoleOf = (issuer) => `${new URL(issuer).origin}/console/t/${issuer.split("/").at(-1)}`;

// Opens the console for a person who is signed in and has permissions.
async function enterConsole(page, issuer) {
  await page.goto(`${consoleOf(issuer)}/sign-in`);
  await page.getByRole("button", { name: "Sign in with your account" }).click();
  await page.waitForURL(consoleOf(issuer));
}

// Returns the console's list of applications, and the name of the person in this browser.
async function administered(context, issuer) {
  const page = await observer(context);
  await page.goto(`${consoleOf(issuer)}/applications`);
  return page.locator("body").evaluate((body) => {
    const shown = body.cloneNode(true);
    // Relative times change, so absolute times replace them. A new session of the same person only ends later.
    for (const time of shown.querySelectorAll("time")) time.replaceWith(time.closest(".person") ? "" : time.dateTime);
    return shown.textContent;
  });
}

// Returns the sealed request in the form of a page.
const flowIn = (html) => /name="flow" value="([^"]*)"/.exec(html)?.[1];

module.exports = { ADA, VERIFIER, administered, changed, closeOthers, consoleOf, enterConsole, flowIn, serve, start, state };
