import { createRemoteJWKSet, jwtVerify } from "jose";

const keys = createRemoteJWKSet(new URL({jwks}));

// The claims of a valid access token; every other token is an error.
export async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer: {issuer},
    audience: {audience},
    algorithms: [{algorithm}],
    typ: {typ},
    requiredClaims: ["exp", "sub"],
  });
  return payload;
}
