// A person accepts an invitation, resets the password and changes the address with the codes and links of
// messages, at one tenant with script and at the other without. Each page and message must fit a phone and a
// wide window. Prints the results.
"use strict";
const path = require("node:path");
const { measure } = require("../../../../gateway/tests/browser/measure.cjs");
const { message } = require("./mailbox.cjs");
const { changed, consoleOf, enterConsole, start, state } = require("./person.cjs");

const { ISSUER, NEXTEST_PROFILE, OTHER_ISSUER, OTHER_PASSWORD, PASSWORD, REPORTS } = process.env;
const PASSWORDS = ["seven copper lanterns at noon", "nine quiet harbours in winter", "four green kettles on a shelf"];

async function journey({ authorize, open, redirectUri, signIn }, issuer, adas, javaScriptEnabled) {
  const problems = [];
  const context = await open({ javaScriptEnabled });
  // Each report of the policy becomes an error of the console.
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation", ({ blockedURI, violatedDirective }) => console.error(violatedDirective, blockedURI)));
  context.on("console", (said) => { if (["error", "warning"].includes(said.type())) problems.push(said.text()); });
  context.on("weberror", (error) => problems.push(String(error.error())));
  const page = await context.newPage();
  let ended = 0;
  const tenant = issuer.split("/").at(-1);
  const [earlier, later] = [`grace@${tenant}.example`, `hopper@${tenant}.example`];

  // The test profile `change` takes no pictures.
  const judge = async (name, shown = page) => {
    for (const width of [360, 1440]) {
      await shown.setViewportSize({ width, height: 740 });
      const { wide, cut, small } = await shown.evaluate(measure);
      if (wide > 0 || cut.length > 0 || small.length > 0) problems.push(`${name} at ${width}: ${JSON.stringify({ wide, cut, small })}`);
      const file = path.join(REPORTS, `mail-journey-${name}-${width}.png`);
      if (javaScriptEnabled && NEXTEST_PROFILE !== "change") await shown.screenshot({ path: file, fullPage: true });
    }
  };
  const shows = async (heading, name) => {
    await page.locator("h1", { hasText: heading }).waitFor();
    await judge(name);
  };
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const mail = context.newPage();
  const receives = async (to, subject, name) => {
    const received = await message(to, subject);
    await (await mail).setContent(received.html);
    await judge(`letter-${name}`, await mail);
    return received;
  };
  // Mail servers open links, too. Without script, the person pastes the end of the link.
  const opens = async (link) => {
    const before = await state(context, issuer);
    for (const method of ["HEAD", "GET"]) {
      const answer = await context.request.fetch(link, { method });
      if (answer.status() !== 200) problems.push(`${method} ${link}: ${answer.status()}`);
    }
    await page.goto(link);
    const after = await changed(context, issuer, before);
    if (after) problems.push(`opening ${link} changes the account: ${after}`);
    if (!javaScriptEnabled) await page.fill("#code", link.split("#")[1]);
  };
  const setsPassword = async (password) => {
    await page.fill("#new_password", password);
    await press("Set your password");
    await page.locator("#message", { hasText: "Your password is set." }).waitFor();
    ended = Date.now();
  };
  const typesPassword = async (password) => {
    await page.fill("#identifier", earlier);
    await page.fill("#password", password);
    // Sessions that begin in the same second as others end are invalid.
    await page.waitForTimeout(Math.max(0, ended - (ended % 1_000) + 1_005 - Date.now()));
    await press("Sign in");
  };
  const asks = async () => {
    await shows("Reset your password", "recover");
    await page.fill("#identifier", earlier);
    await press("Send message");
    await page.locator("#code").waitFor();
  };

  // An administrator invites the person in the console.
  await signIn(page, issuer, adas);
  await enterConsole(page, issuer);
  await page.goto(`${consoleOf(issuer)}/people/new`);
  await page.getByLabel("Name", { exact: true }).fill("Grace Hopper");
  await page.getByLabel("Email address", { exact: true }).fill(earlier);
  await page.getByLabel("Create a password link").uncheck();
  await page.getByLabel("Mail an invitation").check();
  await judge("invite");
  await press("Create person");
  await page.getByText("The invitation waits to be sent.").waitFor();
  await judge("invited");
  const invitation = await receives(earlier, /^Your account at/, "invitation");
  await context.clearCookies();
  await opens(invitation.link);
  await shows("Set your password", "set-password");
  await setsPassword(PASSWORDS[0]);
  await judge("password-set");

  // The person forgets the password in a sign-in to a client, and types a code.
  await page.goto(authorize(issuer));
  await judge("sign-in");
  await press("Forgot password?");
  await asks();
  await judge("recover-code");
  const { code } = await receives(earlier, /^Reset your password/, "recovery");
  await page.fill("#code", code.toLowerCase());
  await setsPassword(PASSWORDS[1]);
  await typesPassword(PASSWORDS[1]);
  await page.waitForURL(`${redirectUri}**`);
  const client = new URL(page.url()).searchParams.has("code");

  // The person is signed in, and resets the password with a link.
  await page.goto(`${issuer}/oauth/recover`);
  await asks();
  await opens((await message(earlier, /^Reset your password/)).link);
  await receives(earlier, /^Your password at .* was changed/, "password-changed");
  await setsPassword(PASSWORDS[2]);
  await typesPassword(PASSWORDS[2]);
  await shows("Your account", "account");

  // The person changes the address, and somebody who reads the earlier one restores it.
  await press("Change");
  await shows("Change email address", "change-email");
  await page.fill("#email", later);
  await page.fill("#password", PASSWORDS[2]);
  await press("Change email address");
  await shows("Confirm your address", "confirm-code");
  await page.fill("#code", (await receives(later, /^Confirm your address/, "verification")).code);
  await press("Confirm address");
  await page.locator("#message", { hasText: "Email address changed." }).waitFor();
  await judge("email-changed");
  const addresses = [await page.textContent("#email")];
  await receives(later, /is confirmed$/, "address-confirmed");
  await opens((await receives(earlier, /^Your address at .* was changed/, "address-changed")).link);
  await shows("Restore your address", "restore");
  await press("Restore my address");
  await shows("Your address is restored", "restored");
  ended = Date.now();
  await page.goto(`${issuer}/account`);
  await typesPassword(PASSWORDS[2]);
  await page.locator("h1", { hasText: "Your account" }).waitFor();
  addresses.push(await page.textContent("#email"));
  await context.close();
  return { client, addresses, problems };
}

(async () => {
  const people = await start();
  const found = await Promise.all([
    journey(people, ISSUER, PASSWORD, true),
    journey(people, OTHER_ISSUER, OTHER_PASSWORD, false),
  ]);
  await people.close();
  console.log(JSON.stringify(found));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
