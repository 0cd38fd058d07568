// Starts Debian's Chromium.
"use strict";
const { execFileSync } = require("node:child_process");
const { chromium } = require("playwright-core");

function launch({ args = [], ...more } = {}) {
  const executablePath = execFileSync("sh", ["-c", "command -v chromium-headless-shell"]).toString().trim();
  // Chromium refuses to run as root within its own sandbox.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", ...args], ...more });
}

module.exports = { launch };
