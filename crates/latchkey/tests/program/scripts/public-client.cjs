// Gets tokens as a public client with each library, and prints the results.
const { pathToFileURL } = require("node:url");

const { ISSUER, OTHER_ISSUER, OTHER_PASSWORD, REDIRECT_URI } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const why = (promise) => promise.then(() => "accepted", (error) => error.error ?? error.message);
const scope = "openid email offline_access";

async function openidClient() {
  const client = await load("openid-client");
  const options = { execute: [client.allowInsecureRequests] };
  const at = (issuer) => client.discovery(new URL(issuer), "spa", undefined, client.None(), options);
  const [config, other] = [await at(ISSUER), await at(OTHER_ISSUER)];
  const signIn = async (config_, password) => {
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()];
    const url = client.buildAuthorizationUrl(config_, {
      redirect_uri: REDIRECT_URI,
      scope,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: "S256",
      state: expectedState,
    });
    return [await browser().signIn(url, password), { pkceCodeVerifier, expectedState }];
  };
  const [back, checks] = await signIn(config);
  const tokens = await client.authorizationCodeGrant(config, back, { ...checks, idTokenExpected: true });
  const first = await client.refreshTokenGrant(config, tokens.refresh_token);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  const [next, nextChecks] = await signIn(config);
  const otherVerifier = { ...nextChecks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
  // The library refuses an answer of another issuer. An attacker has changed its `iss`.
  const [foreign, foreignChecks] = await signIn(other, OTHER_PASSWORD);
  foreign.searchParams.set("iss", ISSUER);
  return {
    library: "openid-client",
    issuer: tokens.claims().iss,
    refreshTokens: new Set([tokens, first, second].map((answer) => answer.refresh_token)).size,
    reuse: await why(client.refreshTokenGrant(config, first.refresh_token)),
    otherVerifier: await why(client.authorizationCodeGrant(config, next, otherVerifier)),
    otherTenant: await why(client.authorizationCodeGrant(config, foreign, foreignChecks)),
  };
}

async function oauth4webapi() {
  const oauth = await load("oauth4webapi");
  const insecure = { [oauth.allowInsecureRequests]: true };
  const [client, none] = [{ client_id: "spa" }, oauth.None()];
  const at = async (issuer) => oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
  const [server, other] = [await at(ISSUER), await at(OTHER_ISSUER)];
  const signIn = async (server_, password) => {
    const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
    const request = new URLSearchParams({
      client_id: "spa",
      redirect_uri: REDIRECT_URI,
      response_type: "code",
      scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
    });
    const back = await browser().signIn(new URL(`${server_.authorization_endpoint}?${request}`), password);
    return [oauth.validateAuthResponse(server_, client, back, state), verifier];
  };
  const redeem = async (parameters, verifier) => {
    const answer = await oauth.authorizationCodeGrantRequest(server, client, none, parameters, REDIRECT_URI, verifier, insecure);
    return oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true });
  };
  const refresh = async ({ refresh_token }) => {
    const answer = await oauth.refreshTokenGrantRequest(server, client, none, refresh_token, insecure);
    return oauth.processRefreshTokenResponse(server, client, answer);
  };
  const tokens = await redeem(...(await signIn(server)));
  const first = await refresh(tokens);
  const second = await refresh(first);
  const [parameters] = await signIn(server);
  return {
    library: "oauth4webapi",
    issuer: oauth.getValidatedIdTokenClaims(tokens).iss,
    refreshTokens: new Set([tokens, first, second].map((answer) => answer.refresh_token)).size,
    reuse: await why(refresh(first)),
    otherVerifier: await why(redeem(parameters, oauth.generateRandomCodeVerifier())),
    otherTenant: await why(redeem(...(await signIn(other, OTHER_PASSWORD)))),
  };
}

(async () => {
  console.log(JSON.stringify([await openidClient(), await oauth4webapi()]));
})();
