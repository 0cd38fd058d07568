// A person is signed in at one tenant. Script on a page of another tenant, at the same origin, sets cookies
// with values from the attacker's own browser, and reads what pages of one origin share. Reports each
// attempt.
"use strict";
const { Attempts } = require("./attempts.cjs");
const { ADA, administered, closeOthers, consoleOf, enterConsole, flowIn, start, state } = require("./person.cjs");

const { EVES_PASSWORD, ISSUER, OTHER_ISSUER, PASSWORD } = process.env;
const EVE = "eve@example.com";
const OVER_TLS = ISSUER.startsWith("https:");
const { pathname: PATH } = new URL(ISSUER);
const TENANT = ISSUER.split("/").at(-1);
const NAMES = { session: `lk-s.${TENANT}`, browser: "lk-b", "known browser": "lk-d", "console's session": `lk-c.${TENANT}` };
const PREFIX = OVER_TLS ? "__Host-Http-" : "";

// Ways to write a cookie with script. Each function runs in the attacker's page. Some attacks bypassed name
// prefixes with upper-case letters, or with a blank that some servers remove.
const WAYS = {
  "at every path": ({ name, value }) => void (document.cookie = `${name}=${value}; path=/`),
  "at every path, secure": ({ name, value }) => void (document.cookie = `${name}=${value}; path=/; secure`),
  "at the tenant's path": ({ name, value, path }) => void (document.cookie = `${name}=${value}; path=${path}`),
  "at the tenant's path, secure": ({ name, value, path }) => void (document.cookie = `${name}=${value}; path=${path}; secure`),
  "at the account's path": ({ name, value, path }) => void (document.cookie = `${name}=${value}; path=${path}/account`),
  "for the host by name": ({ name, value }) => void (document.cookie = `${name}=${value}; path=/; secure; domain=${location.hostname}`),
  "with http-only": ({ name, value }) => void (document.cookie = `${name}=${value}; path=/; secure; httponly; samesite=lax`),
  "without a name": ({ name, value }) => void (document.cookie = `=${name}=${value}; path=/; secure`),
  "with other letters": ({ name, value }) => void (document.cookie = `${name.toLowerCase()}=${value}; path=/; secure`),
  "with a blank before the name": ({ name, value }) => void (document.cookie = `\u2000${name}=${value}; path=/; secure`),
  "without the prefix": ({ name, value }) => void (document.cookie = `${name.replace("__Host-Http-", "")}=${value}; path=/; secure`),
  "that has ended": ({ name }) => void (document.cookie = `${name}=; path=/; secure; max-age=0`),
  "by the cookie store": ({ name, value }) => cookieStore.set({ name, value, path: "/" }),
  "by the cookie store at the tenant's path": ({ name, value, path }) => cookieStore.set({ name, value, path: `${path}/` }),
  "removed by the cookie store": ({ name }) => cookieStore.delete({ name, path: "/" }),
};

// What pages of one origin share. Each function runs in the attacker's page while the person uses the account
// page, and returns what it has found.
const SHARED = {
  localStorage: () => Object.keys(localStorage).join(),
  sessionStorage: () => Object.keys(sessionStorage).join(),
  databases: async () => (await indexedDB.databases()).map(({ name }) => name).join(),
  caches: async () => (await caches.keys()).join(),
  "service workers": async () => (await navigator.serviceWorker.getRegistrations()).length || "",
  locks: async () => JSON.stringify((await navigator.locks.query()).held).replace("[]", ""),
  // A browser writes planted cookies with a delay, so some of them may still be there.
  "the cookie store": async () =>
    (await cookieStore.getAll()).filter(({ value }) => !globalThis.planted.includes(value)).map(({ name }) => name).join(),
  "BroadcastChannel, storage and message events": () => globalThis.heard.join(),
  "a worker that is the victim's page": (victim) =>
    new Promise((resolve) => {
      const worker = new SharedWorker(victim);
      worker.onerror = () => resolve("");
      worker.port.onmessage = (event) => resolve(String(event.data));
      setTimeout(() => resolve(""), 400);
    }),
  "a worker that fetches": (victim) =>
    new Promise((resolve) => {
      const code = `onconnect = ({ ports: [port] }) => fetch(${JSON.stringify(victim)}).then((answer) => answer.text()).then((text) => port.postMessage(text), () => port.postMessage(""))`;
      const worker = new SharedWorker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
      worker.port.onmessage = ({ data }) => resolve(/name="flow"|@example\.com/.exec(data)?.[0] ?? "");
      worker.onerror = () => resolve("");
      setTimeout(() => resolve(""), 1500);
    }),
};
function listen(planted) {
  globalThis.planted = planted;
  globalThis.heard = [];
  const hear = (what) => (event) => globalThis.heard.push(`${what} ${event.key ?? event.data}`);
  for (const name of ["latchkey", "lk", "lk-s", "session", "account", "logout", "sign-in", "auth"]) {
    new BroadcastChannel(name).onmessage = hear(name);
  }
  addEventListener("storage", hear("storage"));
  addEventListener("message", hear("message"));
  for (const name of ["session", "user", "account", "flow", "token"]) localStorage.setItem(name, "planted");
  for (const name of Object.keys(localStorage)) localStorage.removeItem(name);
}

const by = (list, find) => Object.fromEntries(Object.entries(NAMES).map(([what, name]) => [what, find(list, PREFIX + name)]));
const value = (cookies, name) => cookies.find((cookie) => cookie.name === name)?.value;

(async () => {
  const { authorize, close, open, victim } = await start();
  const attempts = new Attempts(`Cookies that script on a page of ${OTHER_ISSUER} plants, and what it shares with pages of ${ISSUER}`);
  // In her own browser the attacker has a form with which she signs in. It can be sent again for a day.
  const hers = await open();
  const form = flowIn(await (await hers.request.get(authorize(ISSUER))).text());
  const fields = { flow: form, identifier: EVE, password: EVES_PASSWORD };
  const headers = { origin: new URL(ISSUER).origin };
  for (const attempt of ["first", "second"]) {
    const answer = await (await hers.request.post(`${ISSUER}/oauth/sign-in`, { form: fields, headers })).text();
    if (!answer.includes("code=")) throw new Error(`her form does nothing, ${attempt}: ${answer}`);
  }
  await hers.request.post(`${consoleOf(ISSUER)}/account`, { form: {}, headers });
  const values = by(await hers.cookies(ISSUER), value);
  if (Object.values(values).includes(undefined)) throw new Error(`the attacker lacks a cookie: ${JSON.stringify(values)}`);
  const herState = await state(hers, ISSUER);
  if (!herState.text.includes(EVE)) throw new Error("the attacker is not signed in");

  const { before, context, person } = await victim(ISSUER, PASSWORD, { bypassCSP: true });
  await enterConsole(person, ISSUER);
  const listed = await administered(context, ISSUER);
  const attacker = await context.newPage();
  await attacker.goto(authorize(OTHER_ISSUER));
  const devtools = await context.newCDPSession(attacker);

  // Checks that afterwards the person is never the attacker, and over TLS is the same as before. Over http,
  // which is for a developer's machine, a second cookie with the same name invalidates both, so the person
  // has to sign in again.
  const judge = async (what, seen) => {
    const { text } = await state(context, ISSUER);
    const isSame = text === before.text;
    const seenThere = what.includes("console") ? await administered(context, ISSUER) : listed;
    const achieved =
      (text.includes(EVE) && "the person is the attacker") ||
      (OVER_TLS && !isSame && "the person is signed out") ||
      (OVER_TLS && seenThere !== listed && `the console is ${seenThere}`) ||
      (/account:/.test(seenThere) && !seenThere.includes(/account:[^ ]+/.exec(listed)[0]) && "the administrator is the attacker");
    attempts.note(what, achieved, `${seen}, ${isSame ? "the person as before" : "the person asked to sign in again"}`);
  };
  const key = ({ name, path, value }) => JSON.stringify([name, path, value]);
  for (const [what, name] of Object.entries(NAMES)) {
    for (const [way, run] of Object.entries(WAYS)) {
      const had = new Set((await context.cookies()).map(key));
      await attacker.evaluate(run, { name: PREFIX + name, value: values[what], path: PATH }).catch(() => undefined);
      const planted = (await context.cookies()).filter((cookie) => !had.has(key(cookie)));
      await judge(`the cookie of the ${what} ${way}`, planted.length ? "kept by the browser" : "refused by the browser");
      // Her form belongs to her browser, so it is only accepted if her cookie is accepted.
      const action = `${ISSUER}/oauth/sign-in`;
      const sent = context.waitForEvent("response", (response) => response.url() === action);
      await attacker.evaluate(
        ([action, fields]) => {
          const form = document.createElement("form");
          [form.method, form.action, form.target] = ["post", action, "_blank"];
          for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { name, value }));
          document.body.append(form);
          form.submit();
        },
        [action, fields],
      );
      const status = (await sent).status();
      await judge(`her form, after the cookie of the ${what} ${way}`, `answered ${status}`);
      await closeOthers(context, [person, attacker]);
      for (const { name, domain, path } of planted) await devtools.send("Network.deleteCookies", { name, domain, path });
    }
  }

  await attacker.evaluate(listen, Object.values(values));
  await person.goto(`${ISSUER}/account`);
  await person.reload();
  for (const [what, run] of Object.entries(SHARED)) {
    attempts.note(what, await attacker.evaluate(run, `${ISSUER}/account`).catch(() => ""));
  }
  // Checks that the attacker's page receives messages on a channel of the test.
  await person.evaluate(() => new BroadcastChannel("latchkey").postMessage("control"));
  await attacker.waitForFunction(() => globalThis.heard.length > 0);

  // Sets so many cookies that the browser deletes old ones. This may sign the person out, but must not sign
  // another person in.
  await attacker.evaluate((secure) => {
    for (let at = 0; at < 400; at += 1) document.cookie = `filler${at}=x; path=/${secure ? "; secure" : ""}`;
  }, OVER_TLS);
  await attacker.evaluate(({ name, value }) => void (document.cookie = `${name}=${value}; path=/; secure`), { name: PREFIX + NAMES.session, value: values.session });
  const { text } = await state(context, ISSUER);
  const signedOut = !text.includes(ADA);
  if (OVER_TLS) attempts.note("the cookie of the session after 400 others", text.includes(EVE) && "the person is the attacker", signedOut ? "signed out" : "as before");
  await close();
  attempts.report();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
