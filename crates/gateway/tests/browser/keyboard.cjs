// Sends each form using only the keyboard: Tab, Enter, Space and letters. The listener answers with the
// fields that it received.
"use strict";
const { check, names, open, url, visit, withBrowser } = require("./chromium.cjs");
const { focused, moveTo } = require("./focus.cjs");

let sent = 0;

// Presses the key and returns the fields that the listener received.
async function answer(page, key) {
  await Promise.all([page.waitForURL((target) => !target.pathname.startsWith("/pages/")), page.keyboard.press(key)]);
  sent += 1;
  return Object.fromEntries(new URLSearchParams(await page.locator("body").innerText()));
}

function same(found, wanted, what) {
  const [one, other] = [found, wanted].map((fields) => JSON.stringify(Object.entries(fields).sort()));
  check(one === other, `${what} sent ${one}, not ${other}`);
}

const flow = "c2VhbGVkIHJlcXVlc3Q";

// The keys for each page, and the fields that they send. A page without a form to this server has no journey.
const JOURNEYS = {
  sign_in: [
    async (page) => {
      check((await focused(page)) === "identifier", "the identifier has not the focus");
      await page.keyboard.type("ada@acme.example");
      await moveTo(page, "password");
      await page.keyboard.type("correct horse battery");
      same(await answer(page, "Enter"), { flow, identifier: "ada@acme.example", password: "correct horse battery" }, "sign_in");
    },
    pressed("decision", "recover", "Enter", { identifier: "", password: "" }),
  ],
  sign_in_prefilled: [
    async (page) => {
      check((await focused(page)) === "password", "the password has not the focus");
      await page.keyboard.type("secret");
      await moveTo(page, "yes");
      await page.keyboard.press("Space");
      await moveTo(page, "Sign in");
      same(await answer(page, "Space"), { flow, identifier: "ada@acme.example", password: "secret", remember: "yes" }, "sign_in_prefilled");
    },
  ],
  sign_in_refused: [
    async (page) => {
      check((await page.evaluate(() => document.activeElement.id)) === "message", "the error has not the focus");
      await moveTo(page, "password");
      await page.keyboard.type("again");
      same(await answer(page, "Enter"), { flow, identifier: "ada@acme.example", password: "again" }, "sign_in_refused");
    },
  ],
  ...Object.fromEntries(
    ["account_password", "account_password_refused", "account_password_unfit", "account_password_declared"].map((name) => [name, [
      async (page) => {
        const starts = await page.evaluate(() => document.activeElement.id);
        if (starts !== "password") await moveTo(page, "password", starts === "new_password" ? "Shift+Tab" : "Tab");
        await page.keyboard.type("correct horse battery");
        await moveTo(page, "new_password");
        await page.keyboard.type("another horse battery");
        same(await answer(page, "Enter"), { flow, password: "correct horse battery", new_password: "another horse battery" }, name);
      },
    ]]),
  ),
  ...Object.fromEntries(
    ["", "_refused", "_unfit", "_typed", "_typed_refused", "_typed_unfit"].map((end) => `set_password${end}`).map((name) => [name, [
      async (page) => {
        // The script hides the code field if the page already has a code.
        const code = await page.inputValue("#code");
        if (!code) {
          await startAt(page, "code");
          await page.keyboard.type("usr_code");
        }
        await moveTo(page, "new_password");
        await page.keyboard.type("another horse battery");
        same(await answer(page, "Enter"), { flow, code: "usr_code", new_password: "another horse battery" }, name);
      },
      ...(name === "set_password_typed" ? [pressed("decision", "again", "Enter", { code: "", new_password: "" })] : []),
    ]]),
  ),
  ...Object.fromEntries(
    ["", "_refused", "_undo", "_typed", "_typed_refused"].map((end) => [`confirm_address${end}`, [
      async (page) => {
        await startAt(page, "code");
        await page.keyboard.type("usr_code");
        same(await answer(page, "Enter"), { flow, code: "usr_code" }, `confirm_address${end}`);
      },
    ]]),
  ),
  ...Object.fromEntries(
    ["", "_invalid", "_refused", "_declared"].map((end) => [`change_email${end}`, [
      async (page) => {
        await startAt(page, "email");
        await page.keyboard.press("Control+A");
        await page.keyboard.type("ada@globex.example");
        await moveTo(page, "password");
        await page.keyboard.type("again");
        same(await answer(page, "Enter"), { flow, email: "ada@globex.example", password: "again" }, `change_email${end}`);
      },
    ]]),
  ),
  recover: [
    async (page) => {
      check((await focused(page)) === "identifier", "the identifier has not the focus");
      await page.keyboard.type("ada");
      same(await answer(page, "Enter"), { flow, identifier: "ada" }, "recover");
    },
    pressed("decision", "back", "Space", { identifier: "" }),
  ],
  recover_typed: [
    async (page) => {
      await startAt(page, "identifier");
      same(await answer(page, "Enter"), { flow, identifier: "ada@acme.example" }, "recover_typed");
    },
  ],
  device_code: [
    async (page) => same(await answer(page, "Enter"), { flow, user_code: "WDJB-MJHT" }, "device_code"),
  ],
  device_code_unknown: [
    async (page) => {
      check((await page.evaluate(() => document.activeElement.id)) === "message", "the error has not the focus");
      await moveTo(page, "user_code");
      same(await answer(page, "Enter"), { flow, user_code: "WDJB-MJHT" }, "device_code_unknown");
    },
  ],
  device_codes_exhausted: [
    async (page) => {
      check((await page.evaluate(() => document.activeElement.id)) === "message", "the error has not the focus");
      await moveTo(page, "user_code");
      same(await answer(page, "Enter"), { flow, user_code: "WDJB-MJHT" }, "device_codes_exhausted");
    },
  ],
  consent: [decision("allow", "Enter"), decision("deny", "Space")],
  consent_native: [decision("allow", "Space"), decision("deny", "Enter")],
  sign_in_expired: [
    async (page) => {
      check((await page.evaluate(() => document.activeElement.id)) === "message", "the reason has not the focus");
      await moveTo(page, "password");
      await page.keyboard.type("again");
      same(await answer(page, "Enter"), { flow, identifier: "ada@acme.example", password: "again" }, "sign_in_expired");
    },
  ],
  ...Object.fromEntries(
    ["sign_in_no_cookies", "sign_in_password_set"].map((name) => [name, [
      async (page) => {
        check((await page.evaluate(() => document.activeElement.id)) === "message", "the reason has not the focus");
        await moveTo(page, "identifier");
        await page.keyboard.type("ada");
        await moveTo(page, "password");
        await page.keyboard.type("again");
        same(await answer(page, "Enter"), { flow, identifier: "ada", password: "again" }, name);
      },
    ]]),
  ),
  select_account_typed: [decision("continue", "Space"), decision("other", "Space")],
  select_account: [decision("continue", "Enter"), decision("other", "Enter")],
  sign_out_unnamed: [decision("sign_out", "Space"), decision("stay", "Space")],
  sign_out: [decision("sign_out", "Enter"), decision("stay", "Enter")],
  device_confirm: [decision("deny", "Enter"), decision("allow", "Enter")],
  account: [
    decision("sign_out", "Enter"),
    decision("email", "Enter"),
    decision("verify", "Space"),
    pressed("session", "pHbvOqnU9Xq5p8cIbHGKsA dGhlIHNhbWUgcGhvbmUgLi", "Enter"),
    decision("sign_out_everywhere", "Space"),
    pressed("client", "calendar", "Space"),
  ],
  account_alone: [
    async (page) => {
      check((await page.evaluate(() => document.activeElement.id)) === "message", "what was done has not the focus");
      await decision("sign_out", "Enter")(page);
    },
  ],
  account_in_part: [decision("sign_out_everywhere", "Enter"), pressed("client", "notes", "Enter")],
};

// Moves the focus to the field, unless the page starts there.
async function startAt(page, id) {
  if ((await page.evaluate(() => document.activeElement.id)) !== id) await moveTo(page, id);
}

function decision(value, key) {
  return pressed("decision", value, key);
}

// `others` are the fields of the form that the button sends, too.
function pressed(name, value, key, others = {}) {
  return async (page) => {
    await moveTo(page, value);
    same(await answer(page, key), { flow, ...others, [name]: value }, value);
  };
}

async function isShown(browser) {
  const { context, page } = await open(browser);
  await visit(page, `/pages/plain/sign_in_prefilled`);
  const password = () => page.locator("#password").getAttribute("type");
  await page.keyboard.type("secret");
  await moveTo(page, "Show");
  const name = () => page.locator("[data-shows]").getAttribute("aria-label");
  await page.keyboard.press("Space");
  check((await password()) === "text" && (await name()) === "Hide password", "the password is not shown");
  check((await focused(page)) === "Hide", "the button does not say what it does next");
  await page.keyboard.press("Space");
  check((await password()) === "password" && (await name()) === "Show password", "the password stays shown");
  await context.close();
}

// Continues to the client: automatically, or without script by a link or a button.
async function goesOn(browser, name, javaScriptEnabled) {
  const { context, page, record } = await open(browser, { javaScriptEnabled });
  const stays = name === "form_post" && !javaScriptEnabled;
  await page.goto(`${url}/pages/plain/${name}`, { waitUntil: stays ? "load" : "commit" });
  if (stays) {
    check(record.sent.length === 0, "a form was sent without script");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
  }
  await page.waitForURL("https://app.acme.example/**");
  const [{ method, url: target, body }] = record.sent;
  if (name === "form_post") {
    check(method === "POST" && target === "https://app.acme.example/callback", `${method} ${target}`);
    same(
      Object.fromEntries(new URLSearchParams(body)),
      { code: "SplxlOBeZQQYbYS6WxSbIA", state: 'af0"ifjsldkj', iss: "https://app.acme.example" },
      name,
    );
  } else {
    check(method === "GET" && target === "https://app.acme.example/callback?code=a&state=b", `${method} ${target}`);
  }
  check(record.console.length === 0, `${name}: the console says ${record.console}`);
  await context.close();
}

// Both buttons must be visible in a phone's window without scrolling.
async function hasBothAnswersInView(browser, name) {
  const { context, page } = await open(browser, { viewport: { width: 360, height: 740 } }, false);
  await visit(page, `/pages/plain/${name}`);
  const below = await page.locator("button[name=decision]").evaluateAll((buttons) =>
    buttons.filter((button) => button.getBoundingClientRect().bottom > globalThis.innerHeight).length,
  );
  check(below === 0, `${name} has ${below} answers below the window`);
  await context.close();
}

// The script shows times in the reader's time zone. Without script they are in UTC.
async function showsTimes(browser) {
  const { context, page } = await open(browser, { timezoneId: "Asia/Tokyo", locale: "en-GB" }, false);
  await page.clock.setFixedTime("2026-11-22T04:40:00Z");
  await visit(page, `/pages/plain/device_confirm`);
  const [text, title] = await page.locator("time").first().evaluate((time) => [time.textContent, time.title]);
  check(text === "1 hour ago" && title === "22 Nov 2026, 11:40", `the time is ${text}, ${title}`);
  await context.close();
}

withBrowser(async (browser) => {
  for (const javaScriptEnabled of [true, false]) {
    for (const name of names) {
      for (const journey of JOURNEYS[name] ?? []) {
        const { context, page, record } = await open(browser, { javaScriptEnabled });
        await page.goto(`${url}/pages/plain/${name}`);
        const starts = page.locator("[autofocus]");
        if (await starts.count()) await starts.and(page.locator(":focus")).waitFor();
        await journey(page);
        check(record.console.length === 0, `${name}: the console says ${record.console}`);
        await context.close();
      }
    }
    for (const name of ["continue", "form_post"]) await goesOn(browser, name, javaScriptEnabled);
  }
  // Every page with a form to this server must have a journey.
  for (const name of names) {
    const { context, page } = await open(browser, {}, false);
    await visit(page, `/pages/plain/${name}`);
    const forms = await page.locator("form input[name=flow]").count();
    check(forms === 0 || name in JOURNEYS || name === "sign_in_busy", `no journey through ${name}`);
    await context.close();
  }
  await isShown(browser);
  for (const name of ["consent", "device_confirm"]) await hasBothAnswersInView(browser, name);
  await showsTimes(browser);
  console.log(`${sent} forms sent`);
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
