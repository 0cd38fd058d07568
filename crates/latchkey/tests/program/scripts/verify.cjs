// Verifies tokens with only the URL of the key set, and prints the result for each.
const { createRemoteJWKSet, jwtVerify } = require('jose');

(async () => {
  const { JWKS, ISSUER, AUDIENCE, TYP, ALGORITHM, TOKENS } = process.env;
  const keys = createRemoteJWKSet(new URL(JWKS));
  const expected = { issuer: ISSUER, audience: AUDIENCE, typ: TYP, algorithms: [ALGORITHM] };
  const verdicts = [];
  for (const token of TOKENS.split(' ')) {
    try {
      const { payload } = await jwtVerify(token, keys, expected);
      verdicts.push({ claims: payload });
    } catch (error) {
      verdicts.push({ refused: error.code });
    }
  }
  console.log(JSON.stringify(verdicts));
})();
