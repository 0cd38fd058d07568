// Checks access tokens. `latchkey tenant add` prints the lines between the two marks with the tenant's own values.
// snippet
import { createRemoteJWKSet, jwtVerify } from "jose";

// A timer fetches the keys, so that no request waits. While the server is away the last ones go on, for an hour.
const jwks = new URL("http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json");
const keys = createRemoteJWKSet(jwks, { cacheMaxAge: Infinity });
let fetchedAt = Date.now();
const fetchKeys = () => keys.reload().then(() => (fetchedAt = Date.now()), console.error);
setInterval(fetchKeys, 300_000).unref();

// The claims of a valid access token; every other token is an error.
export async function verify(token) {
  if (Date.now() - fetchedAt > 3_600_000) throw new Error("503: the keys are too old");
  const { payload } = await jwtVerify(token, keys, {
    issuer: "http://localhost:3000/api/v1/tenant/globex",
    audience: "orders-api",
    algorithms: ["RS256"],
    typ: "at+jwt",
    requiredClaims: ["exp", "sub"],
  });
  if (payload.cnf) throw new Error("401: the token is bound to a key, which this API does not check");
  return payload;
}

// Whether the client calls for itself: the token of a service. A person's token has the person as `sub`.
export const isMachine = (claims) => claims.sub === claims.client_id;
// end of snippet

// What the API does with the token of a request.
const claims = await verify(process.env.TOKEN);
if (!claims.scope.split(" ").includes("orders:read")) throw new Error("403");
console.log("accepted:", isMachine(claims) ? "a service" : "a person");
