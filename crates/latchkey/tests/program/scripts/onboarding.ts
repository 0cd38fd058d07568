// Creates tenants with a client that openapi-typescript generated: tenant, client, secrets, tokens, keys.
// Compiled with `strict`.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { env: Record<string, string | undefined> };

type Form = Record<string, string | string[] | null | undefined>;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** The document of an answer that must succeed. */
function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (!answer.response.ok || answer.data === undefined) {
    throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const form = {
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  bodySerializer: (body: Form) => {
    const members = Object.entries(body).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [value].flat().map((text): [string, string] => [name, text]),
    );
    return new URLSearchParams(members).toString();
  },
};

const api = createClient<paths>({ baseUrl: setting("BASE") });

async function token(id: string, body: components["schemas"]["TokenForm"]) {
  return api.POST("/api/v1/tenant/{id}/oauth/token", { params: { path: { id } }, body, ...form });
}

const administrator = must(
  await token("platform", {
    grant_type: "client_credentials",
    client_id: setting("ADMIN_ID"),
    client_secret: setting("ADMIN_SECRET"),
    resource: ["urn:latchkey:admin"],
  }),
);
api.use({
  onRequest({ request }) {
    if (!request.url.includes("/oauth/")) {
      request.headers.set("Authorization", `${administrator.token_type} ${administrator.access_token}`);
    }
    return request;
  },
});

async function onboard(id: string) {
  const tenant = must(
    await api.POST("/api/v1/admin/tenants", {
      params: { header: { "Idempotency-Key": `onboard-${id}` } },
      body: {
        id,
        resource_servers: { orders: { scopes: ["orders:read"] } },
        client: { client_id: "billing", audiences: ["orders"], scopes: ["orders:read"] },
      },
    }),
  );
  const status: "active" | "suspended" | "retired" | "deleting" = tenant.status;
  const secret = tenant.client?.secret;
  if (secret === undefined) throw new Error("no secret");
  check(status === "active" && secret.used_from.length === 0, "a new tenant is active, its secret unused");
  return secret.client_secret;
}

const first = await onboard("northwind");
const second = await onboard("southwind");
const credentials = (client_secret: string) => ({
  grant_type: "client_credentials" as const,
  client_id: "billing",
  client_secret,
});
const issued = must(await token("northwind", credentials(first)));
check(issued.token_type === "Bearer" && issued.expires_in === 3600, "a token for an hour");
for (const [id, foreign] of [["northwind", second], ["southwind", first]] as const) {
  const refused = await token(id, credentials(foreign));
  check(refused.response.status === 401 && refused.error?.error === "invalid_client", "a tenant's own secrets alone");
}

const path = { id: "northwind", client: "billing" };
const secrets = must(await api.GET("/api/v1/tenant/{id}/clients/{client}/secrets", { params: { path } })).items;
check(secrets.length === 1 && Array.isArray(secrets[0]?.used_from), "one secret, with its uses");
const rotated = must(
  await api.POST("/api/v1/tenant/{id}/clients/{client}/secrets/rotate", { params: { path }, body: { grace: 60 } }),
);
// The member is absent if a rotation writes the secret to a store.
const secret = rotated.client_secret ?? "";
const renewed = must(await token("northwind", credentials(secret)));
const one = { params: { path: { ...path, secret: "s1" } } };
const revoked = must(await api.DELETE("/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", one));
check(revoked.status === "revoked" && revoked.revoked_at !== undefined, "the old secret is revoked");
check((await token("northwind", credentials(first))).response.status === 401, "and proves nothing any more");

const introspect = async (token: string) =>
  must(
    await api.POST("/api/v1/tenant/{id}/oauth/introspect", {
      params: { path: { id: "northwind" } },
      body: { token, client_id: "billing", client_secret: secret },
      ...form,
    }),
  );
const facts = await introspect(renewed.access_token);
check(facts.active && facts.client_id === "billing", "the token of the new secret is active");
check(!(await introspect(issued.access_token)).active, "that of the revoked secret is not");
const changed = must(
  await api.PATCH("/api/v1/tenant/{id}/clients/{client}", {
    params: { path },
    headers: { "Content-Type": "application/merge-patch+json" },
    body: { description: "Sends invoices" },
  }),
);
check(changed.description === "Sends invoices" && changed.scopes.includes("orders:read"), "one member has changed");
const key = must(await api.GET("/api/v1/tenant/{id}/keys", { params: { path: { id: "northwind" } } })).items[0];
check(key?.state === "active", "a key signs");
const keySet = must(
  await api.GET("/api/v1/tenant/{id}/.well-known/jwks.json", { params: { path: { id: "northwind" } } }),
);
check(keySet.keys[0]?.["kid"] === key?.kid, "and is published");
const audit = must(await api.GET("/api/v1/tenant/{id}/audit", { params: { path: { id: "northwind" } } }));
check(audit.items.some((record) => record.action === "secret.revoked"), "the audit has the revocation");
const unknown = await api.GET("/api/v1/admin/tenants/{id}", { params: { path: { id: "eastwind" } } });
check(unknown.error?.status === 404, "an unknown tenant is a problem with its status");
console.log("onboarded");
