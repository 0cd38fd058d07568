// A person is signed in at one tenant. Script on a page of another tenant, which is at the same origin, tries to read its pages and to act there.
// Prints how many attempts there were, and which of them succeeded.
"use strict";
const { execFileSync } = require("node:child_process");
const http = require("node:http");
const { chromium } = require("playwright-core");

const { BASE, ISSUER, OTHER_ISSUER, PASSWORD } = process.env;
// The client of both tenants. Any port of this machine will do (RFC 8252 §7.3).
const client = http.createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>client</title>"));
let REDIRECT_URI;
const query = (more = {}) =>
  new URLSearchParams({
    client_id: "web",
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    ...more,
  });
const authorize = (issuer, more) => `${issuer}/oauth/authorize?${query(more)}`;
// What a page or an answer of a signed-in person holds: a sealed form, a code, the address, or the question whether to sign out.
const SECRETS = /name="flow"|code=|ada@example\.com|usr_|value="sign_out"/;
const victims = () => ({
  "its code": authorize(ISSUER),
  "its code without a page": authorize(ISSUER, { prompt: "none" }),
  "its form": authorize(ISSUER, { prompt: "login" }),
  "its answer by form_post": authorize(ISSUER, { response_mode: "form_post" }),
  "its question at sign-out": `${ISSUER}/oauth/logout`,
});

// Each runs at the attacker's page and returns what it could read.
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
// What must not have happened is looked for afterwards.
const ACTS = {
  "a prerendered page": (victim) => speculate("prerender", victim),
  "a prefetched page": (victim) => speculate("prefetch", victim),
  "an image": (victim) => {
    const image = new Image();
    image.src = victim;
    return new Promise((resolve) => setTimeout(resolve, 300));
  },
  "a form of its own": (issuer) => sendForm(`${issuer}/oauth/sign-in`, { flow: "x", identifier: "eve@example.com", password: "x" }),
  "the sign-out of a form": (issuer) => sendForm(`${issuer}/oauth/logout`, { decision: "sign_out" }),
  "its own sealed form": (issuer) =>
    sendForm(`${issuer}/oauth/sign-in`, { flow: document.querySelector("input[name=flow]").value, decision: "allow" }),
  "its own sealed form at sign-out": (issuer) =>
    sendForm(`${issuer}/oauth/logout`, { flow: document.querySelector("input[name=flow]").value, decision: "sign_out" }),
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
  await new Promise((resolve) => client.listen(0, "127.0.0.1", resolve));
  REDIRECT_URI = process.env.REDIRECT_URI.replace(":9/", `:${client.address().port}/`);
  const executablePath = execFileSync("sh", ["-c", "command -v chromium-headless-shell"]).toString().trim();
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  // The attacker's page has no policy of ours, as if the script had found a way around it.
  const context = await browser.newContext({ bypassCSP: true });
  const failures = [];
  let attacks = 0;
  const person = await context.newPage();
  const signedIn = async () => {
    await person.goto(authorize(ISSUER, { prompt: "none" }));
    return new URL(person.url()).searchParams.get("code") !== null;
  };
  await person.goto(authorize(ISSUER));
  await person.fill("#identifier", "ada@example.com");
  await person.fill("#password", PASSWORD);
  await person.keyboard.press("Enter");
  await person.waitForURL(`${REDIRECT_URI}**`);
  if (!(await signedIn())) failures.push("nobody is signed in before the attacks");
  const session = (await context.cookies(BASE)).find(({ name }) => name.startsWith("lk-s."))?.value;

  const attacker = await context.newPage();
  const attack = async () => {
    for (const page of context.pages()) if (page !== person && page !== attacker) await page.close();
    await attacker.goto(authorize(OTHER_ISSUER));
    if ((await attacker.locator("input[name=flow]").count()) !== 1) throw new Error("the attacker has no page of its own");
    await attacker.addScriptTag({ content: HELPERS });
  };

  // What is not protected can be read: otherwise the failures of the attacks would say nothing.
  const open = `${OTHER_ISSUER}/.well-known/openid-configuration`;
  for (const name of ["fetch", "XMLHttpRequest", "iframe", "a stored answer"]) {
    await attack();
    const found = await attacker.evaluate(ATTACKS[name], open);
    if (!found.includes("token_endpoint")) failures.push(`${name} reads nothing at all: ${found.slice(0, 80)}`);
  }
  // A page of one's own can be read in the page itself.
  if (!SECRETS.test(await attacker.evaluate(() => document.documentElement.outerHTML))) failures.push("no page has a secret");

  for (const [what, victim] of Object.entries(victims())) {
    for (const [name, run] of Object.entries(ATTACKS)) {
      await attack();
      const found = await attacker.evaluate(run, victim).catch(() => "");
      if (SECRETS.test(found)) failures.push(`${name} reads ${what}: ${found.match(SECRETS)[0]}`);
      attacks += 1;
    }
    for (const name of ["a prerendered page", "a prefetched page", "an image"]) {
      await attack();
      const answers = [];
      const note = (response) => response.url() === victim && answers.push(response.status());
      context.on("response", note);
      await attacker.evaluate(ACTS[name], victim);
      context.off("response", note);
      if (answers.some((status) => status < 400)) failures.push(`${name} is given ${what}: ${answers}`);
      attacks += 1;
    }
  }
  for (const name of ["a form of its own", "the sign-out of a form", "its own sealed form", "its own sealed form at sign-out"]) {
    await attack();
    await attacker.evaluate(ACTS[name], ISSUER);
    attacks += 1;
    if (!(await signedIn())) failures.push(`after ${name} the person is not signed in any more`);
  }
  // From script there are no cookies, and none can be set that counts.
  await attack();
  const cookies = await attacker.evaluate(() => document.cookie);
  if (cookies !== "") failures.push(`script reads the cookies ${cookies}`);
  attacks += 1;
  const after = (await context.cookies(BASE)).find(({ name }) => name.startsWith("lk-s."))?.value;
  if (session === undefined || after !== session) failures.push("the session is another one than before");
  if (!(await signedIn())) failures.push("the person is not signed in any more");
  await browser.close();
  client.close();
  console.log(JSON.stringify({ attacks, failures }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
