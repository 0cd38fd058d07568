// A person signs out, and goes back with the browser's back button. Prints what the browser shows, and
// whether the session at the other tenant is still valid.
"use strict";
const { ADA, changed, start, state } = require("./person.cjs");

const { ISSUER, OTHER_ISSUER, OTHER_PASSWORD, PASSWORD } = process.env;

(async () => {
  // By default, Playwright disables the cache in which browsers keep whole pages for the back button.
  const { authorize, close, open, signIn } = await start({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  const context = await open();
  const page = await context.newPage();
  await signIn(page, OTHER_ISSUER, OTHER_PASSWORD);
  const other = await state(context, OTHER_ISSUER);
  const found = {};
  for (const way of ["on the page of the account", "by the question"]) {
    await signIn(page, ISSUER, PASSWORD);
    const pages = [authorize(ISSUER, { client_id: "partner" }), `${ISSUER}/account`, `${ISSUER}/oauth/logout`];
    if (way === "on the page of the account") pages.push(pages[1]);
    const before = [];
    for (const url of pages) {
      await page.goto(url);
      before.push((await page.content()).includes(ADA));
    }
    await page.click("button[value=sign_out]");
    await page.locator("h1", { hasText: "You are signed out" }).waitFor();
    const after = [];
    for (let step = 0; step < pages.length; step += 1) {
      await page.evaluate(() => history.back());
      await page.waitForTimeout(300);
      const typed = await page.locator("#identifier, #password").evaluateAll((inputs) => inputs.map(({ value }) => value).join(""));
      after.push({ heading: await page.textContent("h1"), shows: (await page.content()).includes(ADA), typed });
    }
    found[way] = { before, after };
  }
  found.otherGoesOn = other.text.includes(ADA) && !(await changed(context, OTHER_ISSUER, other));
  await close();
  console.log(JSON.stringify(found));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
