// Verifies a token for each question on standard input, and prints the result. Keeps the keys meanwhile.
const readline = require('node:readline');
const { createRemoteJWKSet, jwtVerify } = require('jose');

const keySets = new Map();
// `cooldown` is the time in seconds between two fetches, without it the library's own.
const keysAt = (url, cooldown) => {
  const options = cooldown === undefined ? {} : { cooldownDuration: cooldown * 1000 };
  if (!keySets.has(url)) keySets.set(url, createRemoteJWKSet(new URL(url), options));
  return keySets.get(url);
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { jwks, issuer, audience, algorithms, token, cooldown } = JSON.parse(line);
    try {
      const expected = { issuer, audience, algorithms, typ: 'at+jwt' };
      const { payload } = await jwtVerify(token, keysAt(jwks, cooldown), expected);
      console.log(JSON.stringify({ claims: payload }));
    } catch (error) {
      console.log(JSON.stringify({ refused: error.code }));
    }
  }
})();
