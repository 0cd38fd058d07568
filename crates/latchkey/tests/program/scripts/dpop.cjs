// Prints, for each library, whether its token is bound, and the answer of the protected resource.
const { pathToFileURL } = require("node:url");

const { ISSUER, SECRET, RESOURCE } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const isBound = (token) => Boolean(JSON.parse(Buffer.from(token.split(".")[1], "base64url")).cnf?.jkt);

async function openidClient() {
  const client = await load("openid-client");
  const options = { execute: [client.allowInsecureRequests] };
  const config = await client.discovery(new URL(ISSUER), "svc", SECRET, undefined, options);
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const tokens = await client.clientCredentialsGrant(config, { scope: "api:read" }, { DPoP });
  const use = client.fetchProtectedResource(config, tokens.access_token, new URL(RESOURCE), "GET", null, null, { DPoP });
  const resource = await use.then((answer) => answer.status, (error) => error.status ?? String(error));
  return { library: "openid-client", type: tokens.token_type, bound: isBound(tokens.access_token), resource };
}

async function oauth4webapi() {
  const oauth = await load("oauth4webapi");
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(ISSUER);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }));
  const client = { client_id: "svc" };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  // The library stores the nonce of an answer. The caller must repeat the request.
  const again = (request) => request().catch((error) => {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return request();
  });
  const tokens = await again(async () => {
    const parameters = new URLSearchParams({ scope: "api:read" });
    const authentication = oauth.ClientSecretPost(SECRET);
    const answer = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, { DPoP, ...insecure });
    return oauth.processClientCredentialsResponse(server, client, answer);
  });
  const token = tokens.access_token;
  const use = (options) => oauth.protectedResourceRequest(token, "GET", new URL(RESOURCE), undefined, undefined, { ...insecure, ...options });
  const resource = await again(() => use({ DPoP })).then((answer) => answer.status, (error) => error.status ?? String(error));

  // The library as a resource server: it checks a request with a token and a proof.
  const verify = async (handle) => {
    let sent;
    const customFetch = (url, { headers }) => {
      sent = new Request(url, { headers });
      return Promise.resolve(new Response(null, { status: 204 }));
    };
    await use({ DPoP: handle, [oauth.customFetch]: customFetch });
    return oauth.validateJwtAccessToken(server, sent, "api", { requireDPoP: true, ...insecure });
  };
  const verified = (await verify(DPoP)).client_id === "svc";
  const thief = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  const stolen = await verify(thief).then(() => "accepted", () => "refused");
  return { library: "oauth4webapi", type: tokens.token_type, bound: isBound(token), resource, verified, stolen };
}

(async () => {
  console.log(JSON.stringify([await openidClient(), await oauth4webapi()]));
})();
