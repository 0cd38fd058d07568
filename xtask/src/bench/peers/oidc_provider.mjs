// oidc-provider for `cargo xtask bench --peers`: client credentials, and JWT access tokens through resource indicators.
// Usage: oidc_provider.mjs PORT ALGORITHM KEY_FILE, beside its node_modules. With REDIS_URL each token request looks its client up in
// Redis; without it the client is configuration in memory. The first start writes the key file, so that a restart generates no key.

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, alg, keyFile] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const resource = 'http://bench-api.example';
const scope = 'api:read api:write';
const client = {
  client_id: 'bench',
  client_secret: 'bench-client-secret',
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: alg,
};

const keyPairs = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};
if (!existsSync(keyFile)) {
  const jwk = { ...keyPairs[alg]().privateKey.export({ format: 'jwk' }), kid: 'oauth2-key-1', use: 'sig', alg };
  writeFileSync(keyFile, JSON.stringify(jwk), { mode: 0o600 });
}

// What a deployment writes: one value in Redis for each client. JWT access tokens are not stored.
function redisAdapter(redis) {
  return class {
    constructor(model) {
      this.prefix = `${model}:`;
    }
    async find(id) {
      const value = await redis.get(this.prefix + id);
      return value === null ? undefined : JSON.parse(value);
    }
    async upsert(id, payload, lifetime) {
      await redis.set(this.prefix + id, JSON.stringify(payload), ...(lifetime ? ['EX', lifetime] : []));
    }
    async destroy(id) {
      await redis.del(this.prefix + id);
    }
  };
}

const configuration = {
  jwks: { keys: [JSON.parse(readFileSync(keyFile))] },
  enabledJWA: { idTokenSigningAlgValues: [alg] },
  clients: [client],
  scopes: scope.split(' '),
  ttl: { ClientCredentials: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope,
        audience: 'bench-api',
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg } },
      }),
    },
  },
};

if (process.env.REDIS_URL) {
  const { Redis } = await import('ioredis');
  const redis = new Redis(process.env.REDIS_URL);
  configuration.clients = [];
  configuration.adapter = redisAdapter(redis);
  await redis.set(`Client:${client.client_id}`, JSON.stringify(client));
}

const provider = new Provider(issuer, configuration);
provider.on('server_error', (_context, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1');
