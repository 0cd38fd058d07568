// A person is signed in at a tenant and visits a page of another site. The page sends forms to the tenant
// with flows from the attacker's own browser, navigates windows to the tenant's pages, and shows the pages in
// frames. Reports each attempt.
"use strict";
const { Attempts, SECRETS } = require("./attempts.cjs");
const { message, messages } = require("./mailbox.cjs");
const { VERIFIER, administered, changed, closeOthers, consoleOf, enterConsole, flowIn, serve, start } = require("./person.cjs");

const { EVES_PASSWORD, ISSUER, PASSWORD, REDIRECT_URI, SECRET } = process.env;
const EVE = "eve@example.com";
const GRACE = `grace@${ISSUER.split("/").at(-1)}.example`;
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The attacker's own account at the tenant, device, and sealed form of each kind, from her own browser.
async function prepare({ authorize, open, redirectUri }) {
  const own = (await open()).request;
  const { origin } = new URL(ISSUER);
  const page = async (url) => (await own.get(url)).text();
  const post = async (path, form) => (await own.post(`${ISSUER}${path}`, { form, headers: { origin } })).text();
  const asClient = async (path, form) => JSON.parse(await post(path, { client_id: "web", client_secret: SECRET, ...form }));
  const device = await asClient("/oauth/device_authorization", { scope: "openid" });
  const { user_code } = device;
  const person = { identifier: EVE, password: EVES_PASSWORD };

  const before = {
    signIn: flowIn(await page(authorize(ISSUER))),
    device: flowIn(await page(`${ISSUER}/device`)),
    account: flowIn(await page(`${ISSUER}/account`)),
    recover: flowIn(await page(`${ISSUER}/oauth/recover`)),
    verify: flowIn(await page(`${ISSUER}/oauth/verify`)),
    undo: flowIn(await page(`${ISSUER}/oauth/verify?undo`)),
  };
  before.recoveryCode = flowIn(await post("/oauth/recover", { flow: before.recover, identifier: EVE }));
  before.deviceSignIn = flowIn(await post("/device", { flow: before.device, user_code }));
  await post("/oauth/sign-in", { flow: before.signIn, ...person });
  const after = {
    consent: flowIn(await page(authorize(ISSUER, { client_id: "partner" }))),
    confirm: flowIn(await post("/device", { flow: before.device, user_code })),
    account: flowIn(await page(`${ISSUER}/account`)),
    signOut: flowIn(await page(`${ISSUER}/oauth/logout`)),
  };
  for (const [name, flow] of [...Object.entries(before), ...Object.entries(after)]) {
    if (flow === undefined) throw new Error(`the attacker has no flow ${name}`);
  }
  const answer = await own.get(authorize(ISSUER, { prompt: "none" }), { maxRedirects: 0 });
  const code = new URL(answer.headers().location).searchParams.get("code");
  const redeemed = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: VERIFIER };
  const { id_token } = await asClient("/oauth/token", redeemed);
  if (id_token === undefined) throw new Error("the attacker has no ID token");

  const forms = {
    "the sign-in of her account": ["/oauth/sign-in", { flow: before.signIn, ...person }],
    "a sign-in without a flow": ["/oauth/sign-in", person],
    "the consent to a client": ["/oauth/sign-in", { flow: after.consent, decision: "allow" }],
    "the code of her device": ["/device", { flow: before.device, user_code }],
    "the sign-in for her device": ["/device", { flow: before.deviceSignIn, ...person }],
    "the permission for her device": ["/device", { flow: after.confirm, decision: "allow" }],
    "the code of her device without a flow": ["/device", { user_code, decision: "allow" }],
    "the sign-in to her account's page": ["/account", { flow: before.account, ...person }],
    "the end of the session": ["/account", { flow: after.account, decision: "sign_out" }],
    "the end of all sessions": ["/account", { flow: after.account, decision: "sign_out_everywhere" }],
    "the end of a client's access": ["/account", { flow: after.account, client: "partner" }],
    "the end of all sessions without a flow": ["/account", { decision: "sign_out_everywhere" }],
    "a sign-out": ["/oauth/logout", { flow: after.signOut, decision: "sign_out" }],
    "a sign-out without a flow": ["/oauth/logout", { decision: "sign_out" }],
    "a sign-out with her ID token": ["/oauth/logout", { id_token_hint: id_token }],
    "a request for a code": ["/oauth/recover", { flow: before.recover, identifier: GRACE }],
    "a request for a code without a flow": ["/oauth/recover", { identifier: GRACE }],
    "a code with a new password": ["/oauth/recover", { flow: before.recoveryCode, code: "7KQF2MXD", new_password: EVES_PASSWORD }],
    "the confirmation of an address": ["/oauth/verify", { flow: before.verify, code: "usr_code.1.x" }],
    "the restoring of an address": ["/oauth/verify", { flow: before.undo, code: "usr_code.1.x" }],
    "an application of the console": ["/console/applications/new", { client_id: "evil", name: "evil", purpose: "machine_to_machine", step: "create" }],
    "the suspension of an application": ["/console/applications/web", { step: "suspend", form: "x" }],
    "a session of the console": ["/console/account", {}],
    "the end of a session of the console": ["/console/sign-out", {}],
  };
  const links = {
    "a sign-out": `${ISSUER}/oauth/logout`,
    "a sign-out that says yes": `${ISSUER}/oauth/logout?decision=sign_out&flow=${after.signOut}`,
    "a sign-out for a client": `${ISSUER}/oauth/logout?${new URLSearchParams({ client_id: "web", post_logout_redirect_uri: REDIRECT_URI })}`,
    "a sign-out with her ID token": `${ISSUER}/oauth/logout?id_token_hint=${id_token}`,
    "its account": `${ISSUER}/account`,
    "the end of all sessions": `${ISSUER}/account?decision=sign_out_everywhere&flow=${after.account}`,
    "its device page": `${ISSUER}/device?user_code=${user_code}`,
    "its code": authorize(ISSUER),
    "its code without a page": authorize(ISSUER, { prompt: "none" }),
    "its consent": authorize(ISSUER, { client_id: "partner" }),
    "its console": `${consoleOf(ISSUER)}/applications`,
    "its recovery": `${ISSUER}/oauth/recover`,
    "its page of a mailed link": `${ISSUER}/oauth/verify#usr_code.1.x`,
  };
  // Proves that her flows are valid in her own browser, so that the other attempts fail for another reason.
  const control = async () => {
    const polled = await asClient("/oauth/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: device.device_code });
    await post("/oauth/recover", { flow: before.recover, identifier: GRACE });
    await message(GRACE, /^Reset your password/);
    const signedOut = await post("/account", { flow: after.account, decision: "sign_out" });
    if (!/You are signed out/.test(signedOut)) throw new Error(`her own form does nothing: ${signedOut}`);
    return polled;
  };
  return { control, forms, links };
}

// The next two functions run in the attacker's page.
function sendForm({ action, fields, way }) {
  if (way === "fetch") {
    const options = { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(fields) };
    return fetch(action, options).then((answer) => answer.text(), String);
  }
  const form = document.createElement("form");
  [form.method, form.action] = ["post", action];
  if (way === "a frame") {
    const frame = document.createElement("iframe");
    frame.name = form.target = "framed";
    document.body.append(frame);
  } else if (way === "another window") {
    form.target = "_blank";
  } else if (way !== "this window") {
    form.enctype = way;
  }
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    [input.name, input.value] = [name, value];
    form.append(input);
  }
  document.body.append(form);
  form.submit();
  return "";
}
const FORM_WAYS = ["this window", "another window", "a frame", "multipart/form-data", "text/plain", "fetch"];

const LINK_WAYS = {
  "a link": (url) => {
    const link = document.createElement("a");
    link.href = url;
    document.body.append(link);
    link.click();
  },
  "a redirection": (url) => location.replace(url),
  "a refresh": (url) => document.head.insertAdjacentHTML("beforeend", `<meta http-equiv="refresh" content="0;url=${url}">`),
  "a form by GET": (url) => {
    const form = document.createElement("form");
    const { origin, pathname, searchParams } = new URL(url);
    form.action = origin + pathname;
    for (const [name, value] of searchParams) form.insertAdjacentHTML("beforeend", `<input name="${name}" value="${value}">`);
    document.body.append(form);
    form.submit();
  },
  "a window": async (url) => {
    const opened = window.open(url);
    await new Promise((resolve) => setTimeout(resolve, 300));
    try {
      return `${opened.location.href}${opened.document.documentElement.outerHTML}`;
    } catch (error) {
      return "";
    }
  },
  "a fetch": async (url) => (await fetch(url, { credentials: "include" })).text(),
  "a fetch without CORS": async (url) => (await fetch(url, { credentials: "include", mode: "no-cors" })).text(),
  ...Object.fromEntries(
    [["an image", "img", "src"], ["a script", "script", "src"], ["a frame", "iframe", "src"], ["an object", "object", "data"], ["an embedded page", "embed", "src"]].map(
      ([name, tag, attribute]) => [name, new Function("url", `const e = document.createElement("${tag}"); e.setAttribute("${attribute}", url); document.body.append(e);`)],
    ),
  ),
  ...Object.fromEntries(
    ["prefetch", "prerender"].map((kind) => [
      `a ${kind}`,
      new Function("url", `const e = document.createElement("script"); e.type = "speculationrules"; e.textContent = JSON.stringify({ "${kind}": [{ source: "list", urls: [url], eagerness: "immediate" }] }); document.head.append(e);`),
    ]),
  ),
};

(async () => {
  const people = await start();
  const { authorize, redirectUri } = people;
  const site = await serve("localhost", { "/": "<!doctype html><title>another site</title><body></body>" });
  const attempts = new Attempts(`Attacks by a page of another site, ${site.url}, at ${ISSUER}`);
  const { control, forms, links } = await prepare(people);
  const { before, context, person } = await people.victim(ISSUER, PASSWORD);
  await enterConsole(person, ISSUER);
  const listed = await administered(context, ISSUER);
  if (!listed.includes("partner")) throw new Error(`the person has no console: ${listed}`);
  const attacker = await context.newPage();

  // Pages of earlier attempts may still be loading, and may interrupt this navigation.
  const openSite = async (tries = 10) => {
    const failed = await attacker.goto(`${site.url}/`).then(() => undefined, (error) => error);
    if (failed && tries === 1) throw failed;
    if (failed) await later(100).then(() => openSite(tries - 1));
  };
  // Returns the tenant's answers to the act, the text that the page can read, and the content of its frames.
  const act = async (target, run, argument, of = new URL(ISSUER).origin) => {
    await closeOthers(context, [person, attacker]);
    await openSite();
    const answers = [];
    const { pathname } = new URL(target);
    const isOfTarget = (request) => new URL(request.url()).origin === of && new URL(request.url()).pathname === pathname;
    const note = (response) => isOfTarget(response) && answers.push(response.status());
    // For example, a response that the browser hides from other origins (`Cross-Origin-Resource-Policy`).
    const noteFailed = (request) => isOfTarget(request) && answers.push(request.failure().errorText);
    context.on("response", note);
    context.on("requestfailed", noteFailed);
    // The window may leave the page while the script runs.
    let read = await attacker.evaluate(run, argument).catch(() => "");
    for (let waited = 0; answers.length === 0 && waited < 500; waited += 20) await later(20);
    await later(60);
    context.off("response", note);
    context.off("requestfailed", noteFailed);
    for (const frame of attacker.frames().slice(1)) read = `${read}${await Promise.race([frame.content(), later(1000)]).catch(() => "")}`;
    return { answers, read };
  };
  const judge = async (what, { answers, read }) => {
    const now = /console/.test(what) ? await administered(context, ISSUER) : listed;
    const done = (await changed(context, ISSUER, before)) || (now !== listed && `the console is ${now}`);
    const mailed = messages(GRACE).length > 0 && "a code is mailed";
    const redirected = site.asked.find((url) => SECRETS.test(url));
    attempts.note(what, done || mailed || (redirected && `is sent ${redirected}`) || (SECRETS.test(read) && `reads ${SECRETS.exec(read)[0]}`), answers.join(", ") || "no request");
    // After a success, the next attempts would prove nothing.
    if (done) throw new Error(`${what}: ${done}`);
  };

  for (const [name, [path, fields]] of Object.entries(forms)) {
    for (const way of FORM_WAYS) {
      const below = path.split("/console");
      const action = below.length > 1 ? `${consoleOf(ISSUER)}${below[1]}` : `${ISSUER}${path}`;
      const found = await act(action, sendForm, { action, fields, way });
      // A form that does not reach the tenant proves nothing.
      if (found.answers.length === 0) throw new Error(`${name} by ${way} has not arrived: ${found.read}`);
      await judge(`a form by ${way}: ${name}`, found);
    }
  }
  links["its code for the attacker"] = authorize(ISSUER, { redirect_uri: `${site.url}/callback` });
  for (const [name, url] of Object.entries(links)) {
    for (const [way, run] of Object.entries(LINK_WAYS)) await judge(`${way} to ${name}`, await act(url, run, url));
  }
  // Checks that the browser loads other pages ahead, so that it is not the browser that prevents the attack.
  // The page of the third site is loaded while the browser has no cookie for it, although it has one for the
  // tenant. No browser prerenders a page of another site by default.
  const third = await serve("ahead.localhost", {});
  const ahead = { "a prefetch": [`${site.url}/ahead`, `${third.url}/ahead`], "a prerender": [`${site.url}/ahead`] };
  for (const [way, urls] of Object.entries(ahead)) {
    for (const url of urls) {
      const found = await act(url, LINK_WAYS[way], url, new URL(url).origin);
      if (!found.answers.includes(200)) throw new Error(`${way} of ${url} loads nothing at all: ${found.answers.join(", ")}`);
    }
  }
  third.close();
  // Checks that the content of a permitted frame is visible. Otherwise the empty frames would prove nothing.
  const shown = await act(redirectUri, LINK_WAYS["a frame"], redirectUri);
  if (!/<title>client/.test(shown.read)) throw new Error(`a frame shows nothing at all: ${shown.read}`);

  // Longer than the server waits between two looks for mail.
  await later(2_500);
  attempts.note("the mail about her requests, in the end", messages(GRACE).length > 0 && "a code is mailed");
  const polled = await control();
  attempts.note("her device, in the end", polled.error !== "authorization_pending" && JSON.stringify(polled), polled.error);
  await person.goto(authorize(ISSUER, { prompt: "none" }));
  if (!person.url().includes("code=")) throw new Error("the person is not signed in any more");
  await people.close();
  site.close();
  attempts.report();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
