// Prints a token from each library for an assertion of a platform, or the status of the refusal.
const { pathToFileURL } = require("node:url");

const { ISSUER, TOKEN_ENDPOINT, ASSERTION } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

// Both libraries allow any client authentication with a function that adds members to the form.
function presenting(_server, client, body) {
  body.set("client_id", client.client_id);
  body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  body.set("client_assertion", ASSERTION);
}

async function openidClient() {
  const client = await load("openid-client");
  const server = { issuer: ISSUER, token_endpoint: TOKEN_ENDPOINT };
  const config = new client.Configuration(server, "billing", {}, presenting);
  client.allowInsecureRequests(config);
  return (await client.clientCredentialsGrant(config, { scope: "api:read" })).access_token;
}

(async () => {
  const token = await openidClient().catch((error) => ({ refused: error.status ?? String(error) }));
  console.log(JSON.stringify([token]));
})();
