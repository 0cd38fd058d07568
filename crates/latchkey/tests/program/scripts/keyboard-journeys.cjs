// People sign in to a client, connect a device, and use the account page with only the keyboard. Prints the
// results.
"use strict";
const { moveTo } = require("../../../../gateway/tests/browser/focus.cjs");
const { VERIFIER, start } = require("./person.cjs");

const { ISSUER, PASSWORD, SECRET } = process.env;
const post = async (path, form) => (await fetch(`${ISSUER}${path}`, { method: "POST", body: new URLSearchParams(form) })).json();
const heading = (page) => page.textContent("h1");
// Checks which element has the focus when the page is loaded.
const starts = async (page, wanted) => {
  await page.locator("[autofocus]").and(page.locator(":focus")).waitFor();
  const found = await page.evaluate(() => document.activeElement.id);
  if (found !== wanted) throw new Error(`${page.url()} begins at ${found}, not at ${wanted}`);
};
const press = async (page, key, wanted) => {
  await page.keyboard.press(key);
  await page.locator("h1", { hasText: wanted }).waitFor();
};

// Types the name and the password, and goes back once to the name. If `remembers`, chooses to stay signed in.
async function typesPassword(page, remembers) {
  await starts(page, "identifier");
  await page.keyboard.type("ada@example");
  await moveTo(page, "password");
  await page.keyboard.type(PASSWORD);
  await moveTo(page, "identifier", "Shift+Tab");
  await page.keyboard.press("End");
  await page.keyboard.type(".com");
  if (!remembers) return moveTo(page, "password");
  await moveTo(page, "yes");
  await page.keyboard.press("Space");
  return moveTo(page, "Sign in");
}

// Sign-in, consent, client. The page in between continues automatically.
async function toClient({ authorize, redirectUri }, context) {
  const page = await context.newPage();
  await page.goto(authorize(ISSUER, { client_id: "partner", scope: "openid email" }));
  await typesPassword(page, true);
  await press(page, "Enter", "Allow partner to use your account?");
  await moveTo(page, "deny");
  await moveTo(page, "allow", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${redirectUri}**`);
  const code = new URL(page.url()).searchParams.get("code");
  const request = { grant_type: "authorization_code", client_id: "partner", code, redirect_uri: redirectUri, code_verifier: VERIFIER };
  const tokens = await post("/oauth/token", request);
  const { email } = await (await fetch(`${ISSUER}/oauth/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })).json();
  const session = (await context.cookies(ISSUER)).find(({ name }) => name.startsWith("lk-s."));
  return { email, staysSignedIn: session.expires > 0 };
}

// The person types a code, signs in, and allows the device.
async function toDevice(people, context) {
  const client = { client_id: "web", client_secret: SECRET };
  const begun = await post("/oauth/device_authorization", { ...client, scope: "openid" });
  const page = await context.newPage();
  await page.goto(begun.verification_uri);
  await starts(page, "user_code");
  await page.keyboard.type(begun.user_code.toLowerCase());
  await press(page, "Enter", "Sign in");
  await typesPassword(page, false);
  await press(page, "Enter", "Did you start this");
  await moveTo(page, "deny");
  await moveTo(page, "allow");
  await moveTo(page, "deny", "Shift+Tab");
  await moveTo(page, "allow");
  await press(page, "Enter", "The device is connected");
  const grant = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: begun.device_code };
  const tokens = await post("/oauth/token", { ...client, ...grant });
  return { done: await heading(page), connected: typeof tokens.access_token === "string" };
}

// The person ends the session of another browser, the access of a client, then this session, and after
// another sign-in all sessions.
async function throughAccount({ open, signIn }, context) {
  const other = await open();
  const elsewhere = await other.newPage();
  await signIn(elsewhere, ISSUER, PASSWORD);
  const page = await context.newPage();
  const comes = async () => {
    await page.goto(`${ISSUER}/account`);
    await typesPassword(page, false);
    await press(page, "Enter", "Your account");
  };
  await comes();
  const sessions = page.locator("button[name=session]");
  const before = await sessions.count();
  await moveTo(page, "sign_out");
  await moveTo(page, await sessions.first().getAttribute("value"));
  await page.keyboard.press("Enter");
  await starts(page, "message");
  const ended = (await page.textContent("#message")).trim();
  const fewer = before - (await sessions.count());
  await moveTo(page, "partner");
  await page.keyboard.press("Space");
  await page.locator("#message", { hasText: "application" }).waitFor();
  await starts(page, "message");
  const clients = await page.locator("button[name=client]").count();
  await moveTo(page, "sign_out");
  await press(page, "Enter", "You are signed out");
  await comes();
  await moveTo(page, "sign_out_everywhere");
  await press(page, "Space", "You are signed out");
  await elsewhere.goto(`${ISSUER}/account`);
  const endedElsewhere = (await elsewhere.locator("#password").count()) === 1;
  await other.close();
  // Ending all sessions also ends a session that begins in the same second.
  await page.waitForTimeout(1_100);
  return { ended, fewer, clients, endedElsewhere };
}

(async () => {
  const people = await start();
  const found = {};
  for (const javaScriptEnabled of [true, false]) {
    for (const journey of [toClient, toDevice, throughAccount]) {
      const context = await people.open({ javaScriptEnabled });
      found[`${journey.name}, ${javaScriptEnabled ? "with" : "without"} script`] = await journey(people, context);
      await context.close();
    }
  }
  await people.close();
  console.log(JSON.stringify(found));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
