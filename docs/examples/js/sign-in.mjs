// Signs people in: a code with PKCE, tokens that are renewed, a sign-out. openid-client makes the requests and checks their answers; it keeps nothing.
// The client and its addresses are those of the sample config.yaml: http://localhost:8080/ and its /callback are registered there.
import { randomUUID } from "node:crypto";
import http from "node:http";
import * as oidc from "openid-client";

const home = "http://localhost:8080/";
// Leave `execute` out where the issuer is https.
const config = await oidc.discovery(new URL("http://localhost:3000/api/v1/tenant/acme"), "acme-web", process.env.CLIENT_SECRET, undefined, {
  execute: [oidc.allowInsecureRequests],
});

// By the cookie of a browser: what its sign-in will be checked with, and then whose tokens it has. A real service deletes old ones.
const sessions = new Map();

function begin(session) {
  const id = randomUUID();
  sessions.set(id, session);
  // Add `Secure` where the address is https.
  return `session=${id}; Path=/; HttpOnly; SameSite=Lax`;
}

function keep(session, tokens) {
  // An answer without a refresh token leaves the one that there is.
  session.tokens = { ...session.tokens, ...tokens };
  session.renewAt = Date.now() + 900 * tokens.expires_in;
}

async function accessToken(session) {
  if (Date.now() >= session.renewAt) {
    // One request for all pages that the person opens at once.
    session.renewal ??= oidc
      .refreshTokenGrant(config, session.tokens.refresh_token)
      .then((tokens) => keep(session, tokens))
      .finally(() => (session.renewal = undefined));
    await session.renewal;
  }
  return session.tokens.access_token;
}

const text = (value) => String(value).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt()};`);
const page = (content) => ({ content: `<!doctype html><title>Example</title>${content}` });
const signedOut = page('<a href="/sign-in">Sign in</a>');

const routes = {
  async "GET /"(_, session, id) {
    if (!session?.tokens) return signedOut;
    try {
      const person = await oidc.fetchUserInfo(config, await accessToken(session), session.subject);
      const until = new Date(session.renewAt).toISOString();
      return page(`<p>${text(person.name)}, ${text(person.email)}</p><p>The access token is renewed at <time>${until}</time>.</p>
        <form method="post" action="/sign-out"><button>Sign out</button></form>`);
    } catch (error) {
      // The session has ended at the tenant.
      if (![400, 401].includes(error.status)) throw error;
      sessions.delete(id);
      return signedOut;
    }
  },

  async "GET /sign-in"() {
    const checks = {
      pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
      expectedState: oidc.randomState(),
      expectedNonce: oidc.randomNonce(),
    };
    const to = oidc.buildAuthorizationUrl(config, {
      redirect_uri: new URL("/callback", home).href,
      scope: "openid profile email",
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: "S256",
      state: checks.expectedState,
      nonce: checks.expectedNonce,
    });
    return { to: to.href, cookie: begin({ checks }) };
  },

  async "GET /callback"(url, session, id) {
    if (!session?.checks) throw new Error("this browser began no sign-in");
    sessions.delete(id);
    const tokens = await oidc.authorizationCodeGrant(config, url, { ...session.checks, idTokenExpected: true });
    // Under another cookie than the one that the sign-in began with.
    const signedIn = { subject: tokens.claims().sub };
    keep(signedIn, tokens);
    return { to: home, cookie: begin(signedIn) };
  },

  async "POST /sign-out"(_, session, id) {
    sessions.delete(id);
    const hint = session?.tokens?.id_token;
    if (!hint) return { to: home };
    return { to: oidc.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: home }).href };
  },
};

async function answer(request) {
  const url = new URL(request.url, home);
  const route = routes[`${request.method} ${url.pathname}`];
  if (!route) return { status: 404, ...page("There is no such page.") };
  const id = /(?:^|; )session=([^;]*)/.exec(request.headers.cookie ?? "")?.[1];
  const reason = (error) => error.error_description ?? error.cause?.message ?? error.message;
  return route(url, sessions.get(id), id).catch((error) => ({ status: 400, ...page(text(reason(error))) }));
}

http
  .createServer(async (request, response) => {
    const { to, cookie, content, status = to ? 303 : 200 } = await answer(request);
    if (to) response.setHeader("Location", to);
    if (cookie) response.setHeader("Set-Cookie", cookie);
    response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" }).end(content);
  })
  .listen(new URL(home).port, "localhost", () => console.log(home));
