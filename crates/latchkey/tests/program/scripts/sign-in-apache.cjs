// Signs a person in with Chromium at an application behind Apache with mod_auth_openidc, and prints the
// results.
"use strict";
const { execFileSync } = require("node:child_process");
const http = require("node:http");
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");

const { APPLICATION, CONFIG, ISSUER, OTHER_ISSUER, PASSWORD, PROGRAM, SITE, TENANT } = process.env;
const ada = "ada@example.com";
// The application: each page shows what Apache knows about the person.
const application = http.createServer((request, response) => {
  const said = Object.entries(request.headers).filter(([name]) => name.startsWith("oidc_"));
  response.end(JSON.stringify(Object.fromEntries(said)));
});
// Runs a command as an administrator.
const account = (...words) => execFileSync(PROGRAM, ["account", ...words, "--config", CONFIG], { env: {} }).toString();

(async () => {
  await new Promise((resolve) => application.listen(Number(new URL(APPLICATION).port), "127.0.0.1", resolve));
  const chromium_ = await launch();
  const context = await chromium_.newContext();
  const page = await context.newPage();
  const wanted = `${SITE}/orders`;
  const visitCallback = (parameters) => page.goto(`${SITE}/callback?${new URLSearchParams(parameters)}`);
  const said = async () => JSON.parse(await page.textContent("body"));
  // Whether the application sends the person to the sign-in page.
  const isSignedOut = async () => {
    await page.goto(wanted);
    return page.url().startsWith(`${ISSUER}/`) && (await page.locator("#password").count()) === 1;
  };
  const signIn = async () => {
    if (!(await isSignedOut())) throw new Error(`a session goes on: ${page.url()}`);
    await page.fill("#identifier", ada);
    await page.fill("#password", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(wanted);
    return said();
  };
  const first = await signIn();
  await visitCallback({ refresh: wanted, access_token: first.oidc_access_token });
  const next = await said();
  const refreshed = ["oidc_access_token", "oidc_refresh_token"].every((name) => next[name] && next[name] !== first[name]);

  // The tenant's session continues, and Apache begins a new session with an answer that is changed on its
  // way.
  const accepts = async (change) => {
    await context.clearCookies({ name: "mod_auth_openidc_session" });
    const begun = await context.request.get(wanted, { maxRedirects: 0 });
    const answered = await context.request.get(begun.headers().location, { maxRedirects: 0 });
    const answer = new URL(answered.headers().location);
    change(answer.searchParams);
    await page.goto(answer.href);
    return page.url() === wanted && (await said()).oidc_claim_sub === first.oidc_claim_sub;
  };
  const accepted = {
    otherState: await accepts((answer) => answer.set("state", "another")),
    otherIssuer: await accepts((answer) => answer.set("iss", OTHER_ISSUER)),
    otherCode: await accepts((answer) => answer.set("code", `${answer.get("code")}x`)),
    unchanged: await accepts(() => {}),
  };

  await visitCallback({ logout: `${SITE}/signed-out` });
  const signedOut = page.url();
  const second = await signIn();
  const { items } = JSON.parse(account("list", TENANT, "--identifier", ada, "--json"));
  account("sign-out", TENANT, items[0].account_id);
  // Apache gets the logout notice soon, and then requires another sign-in. Until then, Apache sends no
  // request to the tenant.
  let ended = false;
  for (const until = Date.now() + 20_000; !ended && Date.now() < until; ) {
    await new Promise((done) => setTimeout(done, 200));
    ended = await isSignedOut();
  }
  await chromium_.close();
  application.close();
  const { oidc_claim_iss: issuer, oidc_claim_name: name, oidc_claim_email: email } = first;
  const samePerson = [next, second].every((other) => other.oidc_claim_sub === first.oidc_claim_sub);
  console.log(JSON.stringify({ issuer, name, email, samePerson, refreshed, accepted, signedOut, ended }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
