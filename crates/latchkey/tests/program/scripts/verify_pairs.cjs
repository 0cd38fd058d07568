// Verifies each token of a file by the key beside it, then by another token's key, and says how many were taken each time.
const { readFileSync } = require('node:fs');
const { compactVerify, importJWK } = require('jose');

(async () => {
  const pairs = JSON.parse(readFileSync(process.env.PAIRS, 'utf8'));
  const isTaken = async (token, { jwk, alg }) => {
    try {
      await compactVerify(token, await importJWK(jwk, alg), { algorithms: [alg] });
      return true;
    } catch (error) {
      return false;
    }
  };
  const verdict = { own: 0, other: 0 };
  for (const [index, pair] of pairs.entries()) {
    const before = pairs.at(index - 1);
    verdict.own += await isTaken(pair.token, pair);
    verdict.other += await isTaken(pair.token, before);
  }
  console.log(JSON.stringify(verdict));
})();
