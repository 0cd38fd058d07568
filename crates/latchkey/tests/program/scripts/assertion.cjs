// Prints a token from each library, or the status of the refusal.
const { createPrivateKey } = require("node:crypto");
const { pathToFileURL } = require("node:url");

const { ISSUER, TOKEN_ENDPOINT, KEY } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

async function openidClient(key) {
  const client = await load("openid-client");
  const server = { issuer: ISSUER, token_endpoint: TOKEN_ENDPOINT };
  const config = new client.Configuration(server, "signer", {}, client.PrivateKeyJwt(key));
  client.allowInsecureRequests(config);
  return (await client.clientCredentialsGrant(config, { scope: "api:read" })).access_token;
}

async function oauth4webapi(key) {
  const oauth = await load("oauth4webapi");
  const server = { issuer: ISSUER, token_endpoint: TOKEN_ENDPOINT };
  const client = { client_id: "signer" };
  const options = { [oauth.allowInsecureRequests]: true };
  const parameters = new URLSearchParams({ scope: "api:read" });
  const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.PrivateKeyJwt(key), parameters, options);
  return (await oauth.processClientCredentialsResponse(server, client, answer)).access_token;
}

(async () => {
  const der = createPrivateKey(KEY).export({ type: "pkcs8", format: "der" });
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const results = [];
  for (const library of [openidClient, oauth4webapi]) {
    // These libraries report the challenge of a refusal instead of its error code.
    results.push(await library(key).catch((error) => ({ refused: error.status ?? String(error) })));
  }
  console.log(JSON.stringify(results));
})();
