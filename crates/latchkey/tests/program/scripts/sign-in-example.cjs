// Uses the example of a client that signs people in, with Chromium, and prints the results.
"use strict";
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");

const { APP, ISSUER, OTHER_ISSUER, PASSWORD } = process.env;

(async () => {
  const chromium_ = await launch();
  const context = await chromium_.newContext();
  const page = await context.newPage();
  const signIn = async () => {
    await page.goto(APP);
    await page.click("text=Sign in");
    await page.waitForURL(`${ISSUER}/**`);
    await page.fill("#identifier", "ada@example.com");
    await page.fill("#password", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(APP);
    return page.textContent("p");
  };
  const person = await signIn();
  const until = await page.textContent("time");
  // The access token expires during this time.
  await page.waitForTimeout(6_500);
  await page.reload();
  const renewed = (await page.textContent("time")) > until && (await page.textContent("p")) === person;

  // The example's session continues, and another one begins with an answer that is changed on its way.
  const refusal = async (change) => {
    const steps = { maxRedirects: 0 };
    const begun = await context.request.get(`${APP}sign-in`, steps);
    const answered = await context.request.get(begun.headers().location, steps);
    const answer = new URL(answered.headers().location);
    change(answer.searchParams);
    const end = await context.request.get(answer.href, steps);
    return end.text();
  };
  const refusals = {
    none: await refusal(() => {}),
    state: await refusal((answer) => answer.set("state", "another")),
    iss: await refusal((answer) => answer.set("iss", OTHER_ISSUER)),
    code: await refusal((answer) => answer.set("code", "another")),
  };
  const unasked = await context.request.get(`${APP}callback?code=another`);
  refusals.unasked = await unasked.text();

  await page.goto(`${APP}sign-in`);
  await page.waitForURL(APP);
  await page.click("text=Sign out");
  await page.waitForURL(APP);
  const signedOut = await page.locator("text=Sign in").count();
  const samePerson = (await signIn()) === person;
  await chromium_.close();
  console.log(JSON.stringify({ person, renewed, refusals, signedOut, samePerson }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
