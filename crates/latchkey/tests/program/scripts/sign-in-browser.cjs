// Signs a person in at a single-page application with oidc-client-ts in Chromium, and prints the results.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");

const { ISSUER, PASSWORD, SPA } = process.env;
const library = path.join(path.dirname(require.resolve("oidc-client-ts/package.json")), "dist/browser/oidc-client-ts.min.js");

// The application: the same page at every path.
const page_ = `<!doctype html><title>app</title><script src="/library.js"></script><script>
  const manager = new oidc.UserManager({
    authority: ${JSON.stringify(ISSUER)},
    client_id: "spa",
    redirect_uri: location.origin + "/callback",
    post_logout_redirect_uri: location.origin + "/signed-out",
    scope: "openid profile email",
    loadUserInfo: true,
    automaticSilentRenew: false,
    revokeTokensOnSignout: true,
    revokeTokenTypes: ["access_token"],
    userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  });
  if (window.opener && location.pathname === "/callback") manager.signinPopupCallback();
</script>`;

const application = http.createServer((request, response) => {
  const script = request.url === "/library.js";
  response.setHeader("content-type", script ? "text/javascript" : "text/html");
  response.end(script ? fs.readFileSync(library) : page_);
});

(async () => {
  await new Promise((resolve) => application.listen(Number(new URL(SPA).port), "127.0.0.1", resolve));
  const chromium_ = await launch();
  const page = await chromium_.newPage();
  const reports = [];
  page.on("console", (message) => /policy|CORS/i.test(message.text()) && reports.push(message.text()));
  // Opens the sign-in page, whose form returns to the application. The person must confirm a public client on
  // this machine each time (RFC 8252 §8.6).
  const start = async () => {
    await page.goto(SPA);
    await page.evaluate(() => void manager.signinRedirect());
    await page.waitForURL(`${ISSUER}/**`);
    await page.locator("main").waitFor();
    const asks = (await page.locator("#password").count()) === 1;
    if (asks) {
      await page.fill("#identifier", "ada@example.com");
      await page.fill("#password", PASSWORD);
      await page.keyboard.press("Enter");
    }
    return asks;
  };
  await start();
  await page.locator("button[value=allow]").click();
  await page.waitForURL(`${SPA}/callback**`);
  const back = page.url();
  const otherState = await page.evaluate((url) => {
    const other = new URL(url);
    other.searchParams.set("state", "another");
    return manager.signinRedirectCallback(other.href).then(() => "accepted", (error) => error.message);
  }, back);
  const user = await page.evaluate(async () => {
    const first = await manager.signinRedirectCallback();
    // This uses the refresh token, not a hidden frame.
    const { profile, access_token, refresh_token } = await manager.signinSilent();
    const refreshed = access_token !== first.access_token && refresh_token !== first.refresh_token && profile.sub === first.profile.sub;
    return { profile, access_token, refreshed };
  });
  await page.evaluate(() => void manager.signoutRedirect());
  await page.waitForURL(`${SPA}/signed-out**`);
  const signedOut = page.url().split("?")[0];
  const userinfoAfterRevocation = await page.evaluate(
    async ([url, token]) => (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status,
    [`${ISSUER}/oauth/userinfo`, user.access_token],
  );
  const asksAgain = await start();
  // The person is signed in now. The popup returns to the window that opened it.
  await page.locator("button[value=allow]").waitFor();
  await page.goto(SPA);
  const opened = page.waitForEvent("popup");
  const popup = page.evaluate(() => manager.signinPopup().then((user) => user.profile.email, (error) => error.message));
  await (await opened).locator("button[value=allow]").click();
  const inPopup = await popup;
  await chromium_.close();
  application.close();
  const { name, email } = user.profile;
  // The browser also writes refused requests to its console: one of them is the 401.
  console.log(JSON.stringify({ name, email, otherState, refreshed: user.refreshed, signedOut, userinfoAfterRevocation, asksAgain, inPopup, reports }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
