// Prints a token from each library, or the status of the refusal. The libraries find the endpoint for certificates in the program's metadata.
const { readFileSync } = require("node:fs");
const https = require("node:https");
const { pathToFileURL } = require("node:url");

const { METADATA, MTLS_URL, SERVED_AT, CLIENT, CA, CERTIFICATE, KEY } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const agent = new https.Agent({ ca: readFileSync(CA), cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) });

// Node's `fetch` supports no client certificates.
function fetchWithCertificate(url, { method, headers, body }) {
  if (!String(url).startsWith(MTLS_URL)) throw new Error(`not an alias: ${url}`);
  const address = SERVED_AT + String(url).slice(MTLS_URL.length);
  return new Promise((resolve, reject) => {
    const request = https.request(address, { method, headers: Object.fromEntries(new Headers(headers)), agent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: answer.headers })));
    });
    request.on("error", reject);
    request.end(body?.toString());
  });
}

async function openidClient(server) {
  const client = await load("openid-client");
  const metadata = { use_mtls_endpoint_aliases: true };
  const config = new client.Configuration(server, CLIENT, metadata, client.TlsClientAuth());
  config[client.customFetch] = fetchWithCertificate;
  return (await client.clientCredentialsGrant(config, { scope: "api:read" })).access_token;
}

async function oauth4webapi(server) {
  const oauth = await load("oauth4webapi");
  const client = { client_id: CLIENT, use_mtls_endpoint_aliases: true };
  const options = { [oauth.customFetch]: fetchWithCertificate };
  const parameters = new URLSearchParams({ scope: "api:read" });
  const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.TlsClientAuth(), parameters, options);
  return (await oauth.processClientCredentialsResponse(server, client, answer)).access_token;
}

(async () => {
  const server = await (await fetch(METADATA)).json();
  const results = [];
  for (const library of [openidClient, oauth4webapi]) {
    // These libraries report the challenge of a refusal instead of its error code.
    results.push(await library(server).catch((error) => ({ refused: error.status ?? String(error) })));
  }
  console.log(JSON.stringify(results));
})();
