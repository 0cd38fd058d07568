// Signs a person in with each library and a browser without script, and prints the results.
const { createPrivateKey } = require("node:crypto");
const { pathToFileURL } = require("node:url");

const { ISSUER, SECRET, OTHER_ISSUER, REDIRECT_URI, PASSWORD, KEY } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

async function openidClient() {
  const client = await load("openid-client");
  const options = { execute: [client.allowInsecureRequests] };
  const config = await client.discovery(new URL(ISSUER), "web", SECRET, undefined, options);
  const person = browser();
  const der = createPrivateKey(KEY).export({ type: "pkcs8", format: "der" });
  const key = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  // How the request is sent: with its parameters (RFC 6749), pushed (RFC 9126), or signed (RFC 9101).
  const plain = (parameters) => client.buildAuthorizationUrl(config, parameters);
  const pushed = (parameters) => client.buildAuthorizationUrlWithPAR(config, parameters);
  const signed = (parameters) => client.buildAuthorizationUrlWithJAR(config, parameters, key);
  const signIn = async (more = {}, build = plain) => {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
    const url = await build({
      redirect_uri: REDIRECT_URI,
      scope: "openid profile email offline_access",
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: "S256",
      state: expectedState,
      nonce: expectedNonce,
      ...more,
    });
    const back = await person.signIn(url);
    return [back, { pkceCodeVerifier, expectedState, expectedNonce }];
  };
  const [back, checks] = await signIn();
  const tokens = await client.authorizationCodeGrant(config, back, { ...checks, idTokenExpected: true });
  const claims = tokens.claims();
  const person_ = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const [silent, silentChecks] = await signIn({ prompt: "none", max_age: "1000" });
  const again = await client.authorizationCodeGrant(config, silent, { ...silentChecks, maxAge: 1000 });
  // The library refuses the answer of another issuer (RFC 9207).
  const mixedUp = new URL(silent);
  mixedUp.searchParams.set("iss", OTHER_ISSUER);
  const mixUp = await client.authorizationCodeGrant(config, mixedUp, silentChecks).then(() => "accepted", () => "refused");
  // Refreshes twice, and then uses a used refresh token again.
  const first = await client.refreshTokenGrant(config, again.refresh_token);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  const refreshed = second.claims().sub === claims.sub && second.claims().auth_time === claims.auth_time && second.refresh_token !== first.refresh_token;
  const reuse = await client.refreshTokenGrant(config, first.refresh_token).then(() => "accepted", (error) => error.error);
  const replay = await client.authorizationCodeGrant(config, silent, silentChecks).then(() => "accepted", (error) => error.error);
  const sent = {};
  for (const build of [pushed, signed]) {
    const [answer, answerChecks] = await signIn({ claims: JSON.stringify({ id_token: { name: { essential: true } } }) }, build);
    const found = await client.authorizationCodeGrant(config, answer, { ...answerChecks, idTokenExpected: true });
    sent[build.name] = found.claims().name;
  }
  const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: REDIRECT_URI, state: "bye" });
  const signedOut = person.goesOn(await person.visit(out)).href;
  const [after] = await signIn({ prompt: "none" });
  return {
    library: "openid-client",
    email: person_.email,
    name: person_.name,
    sameSession: claims.sid === again.claims().sid && claims.auth_time === again.claims().auth_time,
    sent,
    mixUp,
    refreshed,
    reuse,
    replay,
    signedOut,
    after: after.searchParams.get("error"),
    session: { sub: claims.sub, sid: claims.sid },
  };
}

// Two devices ask at the same time: the person allows one and refuses the other.
async function device() {
  const client = await load("openid-client");
  const config = await client.discovery(new URL(ISSUER), "web", SECRET, undefined, { execute: [client.allowInsecureRequests] });
  const person = browser();
  const connect = async (decision) => {
    const begun = await client.initiateDeviceAuthorization(config, { scope: "openid email" });
    const typed = await person.visit(begun.verification_uri_complete);
    let page = await person.fill(typed, { user_code: begun.user_code });
    if (/type="password"/.test(page.body)) page = await person.fill(page, { identifier: "ada@example.com", password: PASSWORD });
    const polled = client.pollDeviceAuthorizationGrant(config, begun);
    await person.fill(page, { decision });
    return polled;
  };
  const refused = connect("deny").then(() => "accepted", (error) => error.error);
  // The person signs in once.
  await new Promise((done) => setTimeout(done, 1500));
  const tokens = await connect("allow");
  const claims = tokens.claims();
  const { email } = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  return { device: email, session: claims.sid ?? null, refused: await refused };
}

async function oauth4webapi() {
  const oauth = await load("oauth4webapi");
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(ISSUER);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client = { client_id: "web" };
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  const secret = oauth.ClientSecretPost(SECRET);
  const request = new URLSearchParams({
    client_id: "web",
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid email offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  const person = browser();
  const back = await person.signIn(new URL(`${server.authorization_endpoint}?${request}`));
  const why = (promise) => promise.then(() => "", (error) => error.error ?? error.message);
  // The library refuses an answer of another issuer, an answer without an issuer (RFC 9207 §2.4), and an
  // answer to another request before it sends the code anywhere.
  const validated = async (change) => {
    const answer = new URLSearchParams(back.searchParams);
    change(answer);
    return oauth.validateAuthResponse(server, client, answer, state);
  };
  const redeem = (parameters) =>
    oauth.authorizationCodeGrantRequest(server, client, secret, parameters, REDIRECT_URI, verifier, insecure);
  const parameters = await validated(() => {});
  const answer = await redeem(parameters);
  const copy = answer.clone();
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
  const refusals = {
    none: await why(validated(() => {})),
    iss: await why(validated((answer) => answer.set("iss", OTHER_ISSUER))),
    noIss: await why(validated((answer) => answer.delete("iss"))),
    state: await why(validated((answer) => answer.set("state", "another"))),
    nonce: await why(oauth.processAuthorizationCodeResponse(server, client, copy, { expectedNonce: "another", requireIdToken: true })),
  };
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const found = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
  const { email } = await oauth.processUserInfoResponse(server, client, claims.sub, found);
  const next = await oauth.refreshTokenGrantRequest(server, client, secret, tokens.refresh_token, insecure);
  const refreshed = await oauth.processRefreshTokenResponse(server, client, next);
  const same = oauth.getValidatedIdTokenClaims(refreshed).sub === claims.sub && refreshed.refresh_token !== tokens.refresh_token;
  // The server refuses the code that was used before.
  const replayed = await redeem(parameters);
  const replay = await why(oauth.processAuthorizationCodeResponse(server, client, replayed));
  // The library has no function for this: the client sends the browser to the end-session endpoint (OpenID
  // Connect RP-Initiated Logout §2).
  const out = new URL(server.end_session_endpoint);
  out.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: REDIRECT_URI, state: "bye" });
  const signedOut = person.goesOn(await person.visit(out)).href;
  request.set("prompt", "none");
  const silent = await person.signIn(new URL(`${server.authorization_endpoint}?${request}`));
  const after = await why((async () => oauth.validateAuthResponse(server, client, silent, state))());
  const session = { sub: claims.sub, sid: claims.sid };
  return { library: "oauth4webapi", email, refusals, refreshed: same, replay, signedOut, after, session };
}

(async () => {
  console.log(JSON.stringify([await openidClient(), await oauth4webapi(), await device()]));
})();
