// Verifies a logout token as a client does (Back-Channel Logout 1.0 section 2.6), and prints its claims.
const { pathToFileURL } = require("node:url");

const { ISSUER, TOKEN } = process.env;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

(async () => {
  const jose = await load("jose");
  const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
  if (!metadata.backchannel_logout_supported || !metadata.backchannel_logout_session_supported) throw new Error("not advertised");
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
  const options = { issuer: ISSUER, audience: "web", typ: "logout+jwt", requiredClaims: ["iat", "exp", "jti", "events", "sub", "sid"] };
  const { payload } = await jose.jwtVerify(TOKEN, keys, options);
  console.log(JSON.stringify(payload));
})();
