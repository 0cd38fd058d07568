// Prints a token from each library, or the status of the refusal. The libraries find the endpoint for certificates in the metadata.
const { readFileSync } = require("node:fs");
const https = require("node:https");
const { pathToFileURL } = require("node:url");

const { ISSUER, TOKEN_ENDPOINT, ALIAS, CLIENT, CA, CERTIFICATE, KEY } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const server = {
  issuer: ISSUER,
  token_endpoint: TOKEN_ENDPOINT,
  mtls_endpoint_aliases: { token_endpoint: ALIAS },
};
const agent = new https.Agent({ ca: readFileSync(CA), cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) });

// fetch of Node takes no client certificate.
function fetchWithCertificate(url, { method, headers, body }) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers: Object.fromEntries(new Headers(headers)), agent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: answer.headers })));
    });
    request.on("error", reject);
    request.end(body?.toString());
  });
}

async function openidClient() {
  const client = await load("openid-client");
  const metadata = { use_mtls_endpoint_aliases: true };
  const config = new client.Configuration(server, CLIENT, metadata, client.TlsClientAuth());
  config[client.customFetch] = fetchWithCertificate;
  return (await client.clientCredentialsGrant(config, { scope: "api:read" })).access_token;
}

async function oauth4webapi() {
  const oauth = await load("oauth4webapi");
  const client = { client_id: CLIENT, use_mtls_endpoint_aliases: true };
  const options = { [oauth.customFetch]: fetchWithCertificate };
  const parameters = new URLSearchParams({ scope: "api:read" });
  const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.TlsClientAuth(), parameters, options);
  return (await oauth.processClientCredentialsResponse(server, client, answer)).access_token;
}

(async () => {
  const results = [];
  for (const library of [openidClient, oauth4webapi]) {
    // A refusal has a challenge, which these libraries report in place of the error code.
    results.push(await library().catch((error) => ({ refused: error.status ?? String(error) })));
  }
  console.log(JSON.stringify(results));
})();
