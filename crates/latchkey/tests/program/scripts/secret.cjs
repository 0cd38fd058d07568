// Prints a token from each library, which authenticates with HTTP Basic, or the status of the refusal.
const { pathToFileURL } = require("node:url");

const { ISSUER, TOKEN_ENDPOINT, SECRET } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const server = { issuer: ISSUER, token_endpoint: TOKEN_ENDPOINT };

async function openidClient() {
  const client = await load("openid-client");
  const config = new client.Configuration(server, "svc", {}, client.ClientSecretBasic(SECRET));
  client.allowInsecureRequests(config);
  return (await client.clientCredentialsGrant(config, { scope: "api:read" })).access_token;
}

async function oauth4webapi() {
  const oauth = await load("oauth4webapi");
  const client = { client_id: "svc" };
  const options = { [oauth.allowInsecureRequests]: true };
  const parameters = new URLSearchParams({ scope: "api:read" });
  const method = oauth.ClientSecretBasic(SECRET);
  const answer = await oauth.clientCredentialsGrantRequest(server, client, method, parameters, options);
  return (await oauth.processClientCredentialsResponse(server, client, answer)).access_token;
}

(async () => {
  const results = [];
  for (const library of [openidClient, oauth4webapi]) {
    // These libraries report the challenge of a refusal instead of its error code.
    results.push(await library().catch((error) => ({ refused: error.status ?? String(error) })));
  }
  console.log(JSON.stringify(results));
})();
