// Calls an API with one token for all requests. openid-client makes the token requests and checks their answers; it keeps no token.
import * as oauth from "openid-client";

// Leave `execute` out where the issuer is https.
const config = await oauth.discovery(new URL("http://localhost:3000/api/v1/tenant/globex"), "shipping", process.env.CLIENT_SECRET, undefined, {
  execute: [oauth.allowInsecureRequests],
});

let current; // the token, and when to renew it
let renewal; // the one request of all callers

async function renew() {
  const { access_token, expires_in = 60 } = await oauth.clientCredentialsGrant(config, { scope: "orders:read" });
  const renewAt = Date.now() + 1000 * (expires_in - Math.min(300, expires_in / 10));
  current = { token: access_token, renewAt, endsAt: Date.now() + 1000 * expires_in };
}

// A token that the API has not rejected. A failed renewal leaves a token that is still valid.
async function token(rejected) {
  if (!current || current.token === rejected || Date.now() >= current.renewAt) {
    renewal ??= renew().finally(() => (renewal = undefined));
    await renewal.catch((error) => {
      if (!current || current.token === rejected || Date.now() >= current.endsAt) throw error;
    });
  }
  return current.token;
}

// A token can be revoked before its end: after a 401 there is one repetition, with a new one.
export async function call(url, options = {}) {
  const send = (token) => fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } });
  const first = await token();
  const answer = await send(first);
  return answer.status === 401 ? send(await token(first)) : answer;
}

const answer = await call("http://localhost:3000/api/v1/protected-resource");
console.log(await answer.text());
