// Takes the pictures of README: a list of applications in the console, and a sign-in page, light and dark.
"use strict";
const path = require("node:path");
const { launch } = require("../../../../gateway/tests/browser/launch.cjs");

const { CONSOLE, LIST, SIGN_IN, FOLDER } = process.env;

(async () => {
  const chromium = await launch();
  const context = await chromium.newContext({ viewport: { width: 1440, height: 840 } });
  const page = await context.newPage();
  const shoot = async (name) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: path.join(FOLDER, `${name}-${colorScheme}.png`) });
    }
  };
  await page.goto(SIGN_IN);
  await page.locator("input[type=password]").waitFor();
  await shoot("sign-in");
  await page.goto(CONSOLE);
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  await page.goto(LIST);
  await page.locator("table").waitFor();
  await shoot("console");
  await chromium.close();
})();
