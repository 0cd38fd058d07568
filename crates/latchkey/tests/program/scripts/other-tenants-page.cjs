// A person is signed in at one tenant. Script on a page of another tenant, at the same origin, tries to read
// the first tenant's pages and to act there. Reports each attempt.
"use strict";
const { Attempts, SECRETS } = require("./attempts.cjs");
const { messages } = require("./mailbox.cjs");
const { administered, changed, closeOthers, consoleOf, enterConsole, start } = require("./person.cjs");

const { ISSUER, OTHER_ISSUER, PASSWORD } = process.env;
const CONSOLE = consoleOf(ISSUER);
const GRACE = `grace@${ISSUER.split("/").at(-1)}.example`;
const victims = (authorize) => ({
  "its code": authorize(ISSUER),
  "its code without a page": authorize(ISSUER, { prompt: "none" }),
  "its form": authorize(ISSUER, { prompt: "login" }),
  "its answer by form_post": authorize(ISSUER, { response_mode: "form_post" }),
  "its question at sign-out": `${ISSUER}/oauth/logout`,
  "its question about a client": authorize(ISSUER, { client_id: "partner" }),
  "its account": `${ISSUER}/account`,
  "its device page": `${ISSUER}/device`,
  "its console": `${CONSOLE}/applications`,
  "its recovery": `${ISSUER}/oauth/recover`,
  "its page of a mailed link": `${ISSUER}/oauth/verify`,
});

// Each function runs in the attacker's page and returns the text that it could read.
const ATTACKS = {
  fetch: async (victim) => (await fetch(victim)).text().catch(() => ""),
  "fetch without redirects": async (victim) => {
    const answer = await fetch(victim, { redirect: "manual", credentials: "include" });
    return `${answer.headers.get("location") ?? ""}${await answer.text()}`;
  },
  "fetch by POST": async (victim) => {
    const [url, body] = victim.split("?");
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return (await fetch(url, { method: "POST", body: body ?? "", headers })).text();
  },
  XMLHttpRequest: (victim) =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.onloadend = () => resolve(`${request.responseURL}${request.responseText}`);
      request.open("GET", victim);
      request.send();
    }),
  iframe: (victim) =>
    new Promise((resolve) => {
      const frame = document.createElement("iframe");
      const read = () => {
        try {
          resolve(`${frame.contentWindow.location.href}${frame.contentDocument.documentElement.outerHTML}`);
        } catch (error) {
          resolve("");
        }
      };
      frame.src = victim;
      document.body.append(frame);
      setTimeout(read, 400);
    }),
  object: (victim) =>
    new Promise((resolve) => {
      const object = document.createElement("object");
      object.data = victim;
      document.body.append(object);
      setTimeout(() => resolve(object.contentDocument?.documentElement.outerHTML ?? ""), 400);
    }),
  "a window": async (victim) => {
    const opened = window.open(victim);
    await new Promise((resolve) => setTimeout(resolve, 400));
    try {
      return opened === null || opened.closed ? "" : `${opened.location.href}${opened.document.documentElement.outerHTML}`;
    } catch (error) {
      return "";
    }
  },
  "a service worker": async (victim) => {
    const registered = await navigator.serviceWorker.register(victim, { scope: "/" }).catch(() => undefined);
    return registered ? 'registered name="flow"' : "";
  },
  "a stored answer": async (victim) => {
    const cache = await caches.open("a").catch(() => undefined);
    await cache?.add(victim).catch(() => undefined);
    return (await (await cache?.match(victim))?.text()) ?? "";
  },
};
// These attempts return no text. The test checks afterwards that the tenant has not answered them.
const AHEAD = {
  "a prerendered page": (victim) => speculate("prerender", victim),
  "a prefetched page": (victim) => speculate("prefetch", victim),
  "an image": (victim) => {
    const image = new Image();
    image.src = victim;
    return new Promise((resolve) => setTimeout(resolve, 300));
  },
};
// Each form is sent with the sealed form of the attacker's own tenant, which is in the page, and without it.
const FORMS = {
  "a sign-in": ["/oauth/sign-in", { identifier: "eve@example.com", password: "x" }],
  "a consent": ["/oauth/sign-in", { decision: "allow" }],
  "a code of a device": ["/device", { user_code: "WDJB-MJHT" }],
  "a permission for a device": ["/device", { decision: "allow" }],
  "a sign-in to an account's page": ["/account", { identifier: "eve@example.com", password: "x" }],
  "the end of the session": ["/account", { decision: "sign_out" }],
  "the end of all sessions": ["/account", { decision: "sign_out_everywhere" }],
  "the end of a client's access": ["/account", { client: "partner" }],
  "a sign-out": ["/oauth/logout", { decision: "sign_out" }],
  "a request for a code": ["/oauth/recover", { identifier: GRACE }],
  "a code with a new password": ["/oauth/recover", { code: "7KQF2MXD", new_password: "nine quiet harbours in winter" }],
  "the confirmation of an address": ["/oauth/verify", { code: "usr_code.1.x" }],
};
const CONSOLE_FORMS = {
  "an application": ["/applications/new", { client_id: "evil", name: "evil", purpose: "machine_to_machine", step: "create" }],
  "the suspension of an application": ["/applications/web", { step: "suspend" }],
  "a session of the console": ["/account", {}],
  "the end of a session of the console": ["/sign-out", {}],
};
const HELPERS = `
  function speculate(kind, victim) {
    const script = document.createElement("script");
    script.type = "speculationrules";
    script.textContent = JSON.stringify({ [kind]: [{ source: "list", urls: [victim], eagerness: "immediate" }] });
    document.head.append(script);
    return new Promise((resolve) => setTimeout(resolve, 400));
  }
  function sendForm(action, fields) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    form.target = "_blank";
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      [input.name, input.value] = [name, value];
      form.append(input);
    }
    document.body.append(form);
    form.submit();
    return new Promise((resolve) => setTimeout(resolve, 400));
  }`;

(async () => {
  const { authorize, close, victim } = await start();
  const attempts = new Attempts(`Attacks by script on a page of ${OTHER_ISSUER} at ${ISSUER}`);
  // The attacker's page has no content security policy, as if the script had bypassed it.
  const { before, context, person } = await victim(ISSUER, PASSWORD, { bypassCSP: true });
  await enterConsole(person, ISSUER);
  const listed = await administered(context, ISSUER);
  if (!listed.includes("partner")) throw new Error(`the person has no console: ${listed}`);
  const attacker = await context.newPage();
  const attack = async () => {
    await closeOthers(context, [person, attacker]);
    await attacker.goto(authorize(OTHER_ISSUER));
    if ((await attacker.locator("input[name=flow]").count()) !== 1) throw new Error("the attacker has no page of its own");
    await attacker.addScriptTag({ content: HELPERS });
  };
  // Returns the statuses of the answers at this address during the act.
  const answered = async (url, act) => {
    const answers = [];
    const note = (response) => response.url() === url && answers.push(response.status());
    context.on("response", note);
    await act();
    context.off("response", note);
    return answers;
  };

  // Checks that unprotected content can be read. Otherwise the failures of the attacks would prove nothing.
  const unprotected = `${OTHER_ISSUER}/.well-known/openid-configuration`;
  for (const name of ["fetch", "XMLHttpRequest", "iframe", "a stored answer"]) {
    await attack();
    const found = await attacker.evaluate(ATTACKS[name], unprotected);
    if (!found.includes("token_endpoint")) throw new Error(`${name} reads nothing at all: ${found.slice(0, 80)}`);
  }
  for (const name of ["a prerendered page", "a prefetched page", "an image"]) {
    await attack();
    const answers = await answered(unprotected, () => attacker.evaluate(AHEAD[name], unprotected));
    if (!answers.includes(200)) throw new Error(`${name} loads nothing at all: ${answers.join(", ")}`);
  }
  // Checks that the attacker's own page contains a secret that script can read.
  if (!SECRETS.test(await attacker.evaluate(() => document.documentElement.outerHTML))) throw new Error("no page has a secret");

  for (const [what, target] of Object.entries(victims(authorize))) {
    for (const [name, run] of Object.entries(ATTACKS)) {
      await attack();
      let found;
      const answers = await answered(target, async () => { found = await attacker.evaluate(run, target).catch(() => ""); });
      attempts.read(`${name}: ${what}`, found, answers.join(", "));
    }
    for (const [name, run] of Object.entries(AHEAD)) {
      await attack();
      const answers = await answered(target, () => attacker.evaluate(run, target));
      attempts.note(`${name}: ${what}`, answers.some((status) => status < 400) && "is answered", answers.join(", ") || "no request");
    }
  }
  for (const [name, [path, fields]] of Object.entries(FORMS)) {
    for (const flow of [{}, { flow: await attacker.locator("input[name=flow]").first().getAttribute("value") }]) {
      await attack();
      const url = `${ISSUER}${path}`;
      const answers = await answered(url, () => attacker.evaluate(([url, fields]) => sendForm(url, fields), [url, { ...flow, ...fields }]));
      if (answers.length === 0) throw new Error(`${name} has not arrived`);
      attempts.note(`a form ${flow.flow ? "with the flow of its own tenant" : "without a flow"}: ${name}`, await changed(context, ISSUER, before), answers.join(", "));
    }
  }
  // The person also has the tenant's console open in this browser.
  for (const [name, [path, fields]] of Object.entries(CONSOLE_FORMS)) {
    for (const form of [{}, { form: "x" }]) {
      await attack();
      const url = `${CONSOLE}${path}`;
      const answers = await answered(url, () => attacker.evaluate(([url, fields]) => sendForm(url, fields), [url, { ...form, ...fields }]));
      if (answers.length === 0) throw new Error(`${name} has not arrived`);
      const after = await administered(context, ISSUER);
      attempts.note(`a form of the console: ${name}`, after !== listed && `the page is ${after}`, answers.join(", "));
    }
  }
  await attack();
  // Longer than the server waits between two looks for mail.
  await attacker.waitForTimeout(2_500);
  attempts.note("the mail about requests for a code", messages(GRACE).length > 0 && "a code is mailed");
  attempts.note("document.cookie", await attacker.evaluate(() => document.cookie));
  await person.goto(authorize(ISSUER, { prompt: "none" }));
  if (!person.url().includes("code=")) throw new Error("the person is not signed in any more");
  await close();
  attempts.report();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
