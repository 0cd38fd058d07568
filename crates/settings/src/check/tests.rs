//! Tests every rule for tenants, clients and the server's sections, with one file that breaks it and one that
//! obeys it.

use std::fs;

use super::super::{Environment, Loaded, read, refuse_beyond_loopback};

const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";

fn load(text: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    fs::write(&path, text).unwrap();
    let environment = Environment::from([("SET", "from the environment"), ("TOKEN", "hvs.a")]);
    read(&path, &environment).map_err(|error| {
        let brief = error.faults.iter().map(|fault| fault.brief().replace(path.to_str().unwrap(), ""));
        brief.collect::<Vec<_>>().join("\n")
    })
}

fn refusal(text: &str) -> String {
    load(text).expect_err(text)
}

fn client(keys: &str) -> String {
    format!("tenants:\n  acme:\n    clients:\n      web:\n        {keys}\n")
}

/// Adds a secret to the client's keys, because nearly every client needs one.
fn with_secret(keys: &str) -> String {
    client(&format!("client_secret: {{ value: s }}\n        {keys}"))
}

#[test]
fn value_and_format_faults_are_reported_together() {
    let found = refusal(
        "tenants:\n  acme:\n    signing: { algorithm: ES265, rotate_every: 90 days, publish_before: 100d }\n    clients:\n      \
         web: { client_secret: { env: SHIPPING_SECRET }, scopes: ['a b'], audiences: [a, a] }\n",
    );
    let begins = [
        ":3:48: tenants.acme.signing.rotate_every: `90 days` is not a duration",
        ":5:36: tenants.acme.clients.web.client_secret.env: this environment variable is not set, SHIPPING_SECRET;",
        ":3:27: tenants.acme.signing.algorithm: this value is not allowed; did you mean `ES256`?",
        ":5:64: tenants.acme.clients.web.scopes[0]: `a b` is not a valid scope",
        ":5:87: tenants.acme.clients.web.audiences[1]: the list contains this value twice",
    ];
    assert_eq!(found.lines().count(), begins.len(), "{found}");
    for begin in begins {
        assert!(found.lines().any(|line| line.starts_with(begin)), "{begin} in\n{found}");
    }
}

// [metadata RFC 8414 §2]: `issuer` is an https URL without query and fragment. http is accepted too, for
//   development | departs
// [http RFC 9111 §4.2]: A cached set is correct as long as it is fresh: before a key signs, it is published
//   for longer than caches may keep the previous set, independent of the scheduler, commands and changes of
//   policy; only in an emergency, after a revocation and for a tenant's first key a new key signs at once
#[test]
fn bad_tenant_is_refused_with_location_and_hint() {
    for (text, expected) in [
        (
            "tenants:\n  Acme: {}",
            ":2:3: tenants.Acme: this is not a valid tenant id; use 1 to 63 characters from a-z, 0-9 and -, and begin with a letter or digit",
        ),
        ("tenants:\n  -a: {}", ":2:3: tenants.-a: this is not a valid tenant id"),
        ("tenants:\n  a..b: {}", ":2:3: tenants.\"a..b\": this is not a valid tenant id"),
        (
            "tenants:\n  platform: {}",
            ":2:3: tenants.platform: `platform` is the tenant of the platform administrators; choose another id",
        ),
        (
            "tenants:\n  acme:\n    limits: { admin_writes: 9/day }",
            ":3:29: tenants.acme.limits.admin_writes: `9/day` is not a rate; use a number per s, min or h, such as 10000/min",
        ),
        (
            "tenants:\n  acme: { limits: { clients: 0 } }",
            ":2:21: tenants.acme.limits.clients: the value has the wrong type here",
        ),
        ("tenants:\n  acme: { name: '' }", ":2:17: tenants.acme.name: the name is empty"),
        (
            "tenants:\n  acme: { issuer: acme }",
            ":2:19: tenants.acme.issuer: this is not a valid issuer (RFC 8414 §2)",
        ),
        (
            "tenants:\n  acme: { issuer: 'https://a.example?x' }",
            ":2:19: tenants.acme.issuer: this is not a valid issuer",
        ),
        (
            "tenants:\n  acme: { issuer: 'https://a.example' }\n  beta: { issuer_aliases: ['https://a.example'] }",
            ":3:28: tenants.beta.issuer_aliases[0]: tenant `acme` has the same issuer or alias; give each tenant its own issuers",
        ),
        (
            "tenants:\n  acme: { issuer_aliases: [x, x] }",
            ":2:31: tenants.acme.issuer_aliases[1]: this tenant already has the same issuer or alias",
        ),
        (
            "tenants:\n  acme: { issuer_aliases: ['http://localhost:3000/api/v1/tenant/beta'] }",
            ":2:28: tenants.acme.issuer_aliases[0]: an issuer under http://localhost:3000/api/v1/tenant/ belongs to the tenant with that id, but this tenant is `beta`; use http://localhost:3000/api/v1/tenant/acme, remove it, or choose another issuer",
        ),
        (
            "tenants:\n  acme: { issuer: 'http://localhost:3000/api/v1/tenant/' }",
            ":2:19: tenants.acme.issuer: an issuer under http://localhost:3000/api/v1/tenant/ belongs",
        ),
        (
            "tenants:\n  acme: { issuer_aliases: ['urn:latchkey:admin'] }",
            ":2:28: tenants.acme.issuer_aliases[0]: the issuer begins with `urn:latchkey:`, which is reserved for the platform",
        ),
        (
            "tenants:\n  acme:\n    signing: { publish_before: 7m }",
            ":3:32: tenants.acme.signing.publish_before: a key would sign before every verifier knows it: 7m is less than jwks_max_age 5m + jwks_stale 1m + cache.l1_lifetime 10s + skew 1m; use 430s or more, or shorten the other durations",
        ),
        (
            "tenants:\n  acme:\n    signing: { jwks_max_age: 2d }",
            ":3:5: tenants.acme.signing.publish_before: a key would sign before every verifier knows it: 1d is less",
        ),
        (
            "tenants:\n  acme:\n    signing: { rotate_every: 1h }",
            ":3:30: tenants.acme.signing.rotate_every: a key would be published 1d ahead but would sign for only 1h; use a duration longer than publish_before",
        ),
        (
            "tenants:\n  acme:\n    access_token: { lifetime: 0s }",
            ":3:31: tenants.acme.access_token.lifetime: a token must be valid for at least 1s; use 1s or more",
        ),
        (
            "tenants:\n  acme:\n    access_token: { typ: 'a b' }",
            ":3:26: tenants.acme.access_token.typ: this is not a valid media type",
        ),
        (
            "tenants:\n  acme:\n    access_token: { typ: latchkey-admin+jwt }",
            ":3:26: tenants.acme.access_token.typ: a `typ` that begins with `latchkey-` is reserved for the platform's own tokens",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { scopes: [\"a b\"] } }",
            ":3:41: tenants.acme.resource_servers.api.scopes[0]: `a b` is not a valid scope; use printable ASCII without blanks, quotes and backslashes, and list each scope separately",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { scopes: ['latchkey:keys'] } }",
            ":3:41: tenants.acme.resource_servers.api.scopes[0]: `latchkey:keys` is an administrator permission, and you cannot grant it in a file",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { scopes: [a, a] } }",
            ":3:44: tenants.acme.resource_servers.api.scopes[1]: the list contains this value twice; remove one of the two",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { scopes: { a: Read, 'a b': x } } }",
            ":3:58: tenants.acme.resource_servers.api.scopes.\"a b\": `a b` is not a valid scope; use printable ASCII without blanks, quotes and backslashes, and list each scope separately",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { scopes: { a: \"b\\nc\" } } }",
            ":3:45: tenants.acme.resource_servers.api.scopes.a: the description contains a control character; use one line, or remove it",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { scopes: a } }",
            ":3:32: tenants.acme.resource_servers.api.scopes: a list of scopes, or a description of each is expected here; see `scopes`",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { api: { clients: [web] } }",
            ":3:42: tenants.acme.resource_servers.api.clients[0]: tenant `acme` has no client with this id; declare the client, or remove the id here",
        ),
        (
            "tenants:\n  acme:\n    resource_servers: { 'urn:latchkey:x': {} }",
            ":3:25: tenants.acme.resource_servers.\"urn:latchkey:x\": the audience begins with `urn:latchkey:`",
        ),
        (
            "tenants:\n  acme:\n    signing: { algorithm: RS257 }",
            ":3:27: tenants.acme.signing.algorithm: this value is not allowed; did you mean `RS256`?",
        ),
        (
            "tenants:\n  acme:\n    signing: { first_key: {} }",
            ":3:27: tenants.acme.signing.first_key: the source of the value is missing; give `file`, `env` or `value`",
        ),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with(expected), "{text}\n{refusal}");
    }
}

// [oauth RFC 6749 §4.4], [access-tokens RFC 9068 §3 c]
#[test]
fn bad_client_is_refused_with_location_and_hint() {
    let long = "x".repeat(256);
    for (text, expected) in [
        (client("name: Web"), ":4:7: tenants.acme.clients.web: the client has no credential to authenticate with; set `client_secret: { env: NAME }`, or use `file`, `hash` or `value` instead of `env`"),
        (client("token_endpoint_auth_method: client_secret_post"), ":5:37: tenants.acme.clients.web.token_endpoint_auth_method: this method needs a secret, and the client has none"),
        (client("token_endpoint_auth_method: private_key_jwt"), ":5:37: tenants.acme.clients.web.token_endpoint_auth_method: this method needs the client's public keys"),
        (client("token_endpoint_auth_method: none"), ":5:37: tenants.acme.clients.web.token_endpoint_auth_method: a public client cannot use client_credentials (RFC 6749 §4.4)"),
        (with_secret("token_endpoint_auth_method: none"), ":6:37: tenants.acme.clients.web.token_endpoint_auth_method: a public client cannot have a secret, but this client has one"),
        (client("client_secret: { env: UNSET }"), ":5:31: tenants.acme.clients.web.client_secret.env: this environment variable is not set; set it before you start the server, or use another source"),
        (client("client_secret: { file: nowhere }"), ":5:32: tenants.acme.clients.web.client_secret.file: this file does not exist"),
        (client("client_secret: {}"), ":5:24: tenants.acme.clients.web.client_secret: the source of the value is missing; give `env`, `file`, `store`, `hash` or `value`"),
        (client("client_secret: { value: a, env: SET }"), ":5:24: tenants.acme.clients.web.client_secret: set exactly one source for this value"),
        (client("client_secret: { value: '' }"), ":5:24: tenants.acme.clients.web.client_secret: the secret is empty"),
        (client("client_secret: { value: \"a\\tb\" }"), ":5:24: tenants.acme.clients.web.client_secret: the secret contains a control character"),
        (client(&format!("client_secret: {{ value: {} }}", "x".repeat(1025))), ":5:24: tenants.acme.clients.web.client_secret: the secret is longer than 1024 bytes"),
        (client("client_secret: { hash: $lk1$abc }"), ":5:32: tenants.acme.clients.web.client_secret.hash: an imported hash must be argon2id with this server's parameters; import `$argon2id$v=19$m=19456,t=2,p=1$…`; hashes in other formats"),
        (client(&format!("client_secret: {{ hash: '{}' }}", HASH.replace("t=2", "t=3"))), ":5:32: tenants.acme.clients.web.client_secret.hash: an imported hash must be argon2id"),
        (client(&format!("client_secrets: [{{ hash: '{HASH}' }}, {{ value: b }}]")), ":5:25: tenants.acme.clients.web.client_secrets: an imported hash has its own salt, so it must be the client's only chosen secret"),
        (client(&format!("client_secret: {{ hash: {HASH} }}")), ":5:55: tenants.acme.clients.web.client_secret: this key is not valid here; if it belongs to the value before it, quote that value: the comma ends the value here"),
        (with_secret("description: ''"), ":6:22: tenants.acme.clients.web.description: the description is empty; use one line, or remove it"),
        (with_secret("scopes: [latchkey:audit]"), ":6:18: tenants.acme.clients.web.scopes[0]: `latchkey:audit` is an administrator permission"),
        (with_secret("scopes: [a b]"), ":6:18: tenants.acme.clients.web.scopes[0]: `a b` is not a valid scope"),
        (with_secret("scopes: [a, b, a]"), ":6:24: tenants.acme.clients.web.scopes[2]: the list contains this value twice"),
        (with_secret("grant_types: [client_credentials, client_credentials]"), ":6:43: tenants.acme.clients.web.grant_types[1]: the list contains this value twice"),
        (with_secret("resources: [api]"), ":6:21: tenants.acme.clients.web.resources[0]: `api` is not an absolute URI without a fragment (RFC 8707 §2)"),
        (with_secret("resources: ['https://a.example#x']"), ":6:21: tenants.acme.clients.web.resources[0]: `https://a.example#x` is not an absolute URI"),
        (with_secret("resources: ['urn:latchkey:tenant:a']"), ":6:21: tenants.acme.clients.web.resources[0]: the resource begins with `urn:latchkey:`"),
        (with_secret("audiences: ['urn:latchkey:admin']"), ":6:21: tenants.acme.clients.web.audiences[0]: the audience begins with `urn:latchkey:`"),
        (with_secret("audiences: [web]"), ":4:7: tenants.acme.clients.web: the client id is also an audience of this tenant; choose another id for the client"),
        (with_secret("token: { issuer: thunder }"), ":6:26: tenants.acme.clients.web.token.issuer: this is neither the tenant's issuer nor one of its aliases; add it to the tenant's `issuer_aliases`"),
        (with_secret("introspection: all"), ":6:24: tenants.acme.clients.web.introspection: this value is not allowed; use one of own, audience, tenant"),
        (with_secret("grant_types: [client_credential]"), ":6:23: tenants.acme.clients.web.grant_types[0]: this value is not allowed; did you mean `client_credentials`?"),
        (with_secret("token_endpoint_auth_method: basic"), ":6:37: tenants.acme.clients.web.token_endpoint_auth_method: this value is not allowed; use one of any, client_secret_basic"),
        (
            with_secret("grant_types: [authorization_code]\n        subject_type: pairwise\n        redirect_uris: [https://a.example/, https://b.example/]"),
            ":7:23: tenants.acme.clients.web.subject_type: a client with pairwise subjects needs exactly one sector, and its redirect URIs have several hosts, or one has no host (OpenID Connect Core §8.1); set `sector_identifier_uri: https://HOST` to choose the sector, or set `subject_type: public`",
        ),
        (with_secret("redirect_uris: [/here]"), ":6:25: tenants.acme.clients.web.redirect_uris[0]: this is not an absolute URI"),
        (with_secret("jwks_uri: http://a.example"), ":6:19: tenants.acme.clients.web.jwks_uri: this is not an https URL"),
        (with_secret("jwks: { keys: [{ kty: RSA, n: a, e: AQAB, d: b }] }"), ":6:24: tenants.acme.clients.web.jwks.keys[0]: this is a private key, which only its owner should have"),
        (with_secret("jwks: { keys: [{ kty: EC, crv: P-256 }] }"), ":6:24: tenants.acme.clients.web.jwks.keys[0]: its numbers are no public key of a supported size"),
        (with_secret("jwks: { keys: [{ kty: oct }] }"), ":6:24: tenants.acme.clients.web.jwks.keys[0]: `kty` and `crv` name no kind of key that is supported"),
        (with_secret("jwks: {}"), ":6:15: tenants.acme.clients.web.jwks: set exactly one source for the keys"),
        (client("").replace("web:", "'urn:latchkey:x': { client_secret: { value: s } }"), ":4:7: tenants.acme.clients.\"urn:latchkey:x\": the client id begins with `urn:latchkey:`"),
        (client("").replace("web:", "'': { client_secret: { value: s } }"), ":4:7: tenants.acme.clients.\"\": the client id is empty"),
        (client("").replace("web:", &format!("{long}: {{ client_secret: {{ value: s }} }}")), &format!(":4:7: tenants.acme.clients.{}…: the client id is longer than 255 bytes", "x".repeat(64))),
        ("tenants:\n  acme:\n    issuer_aliases: [web]\n    clients:\n      web: { client_secret: { value: s } }".into(), ":5:7: tenants.acme.clients.web: the client id is also an issuer alias of this tenant"),
        ("tenants:\n  acme:\n    resource_servers: { web: {} }\n    clients:\n      web: { client_secret: { value: s } }".into(), ":5:7: tenants.acme.clients.web: the client id is also a resource server of this tenant"),
        ("tenants:\n  acme:\n    clients:\n      'http://localhost:3000/api/v1/tenant/acme': { client_secret: { value: s } }".into(), ":4:7: tenants.acme.clients.\"http://localhost:3000/api/v1/tenant/acme\": the client id is also the issuer of this tenant"),
    ] {
        let refusal = refusal(&text);
        assert!(refusal.starts_with(expected), "{text}\n{refusal}\nnot\n{expected}");
    }
}

#[test]
fn bad_server_section_is_refused_with_location_and_hint() {
    for (text, expected) in [
        (
            "server: { default_tenant: acme }",
            ":1:27: server.default_tenant: tenant `acme` is not declared; name a tenant from `tenants` or `tenants_dir`, or remove the key",
        ),
        (
            "server: { default_tenant: platform }",
            ":1:27: server.default_tenant: `platform` is the tenant of the platform administrators",
        ),
        ("server: { default_tenant: ../x }", ":1:27: server.default_tenant: this is not a valid tenant id"),
        ("server: { listeners: [] }", ":1:22: server.listeners: the list of listeners is empty"),
        (
            "server: { listeners: [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:1' }] }",
            ":1:62: server.listeners[1].address: another listener has this address",
        ),
        (
            "server: { listeners: [{ address: '127.0.0.1:1', serves: [admin, admin] }] }",
            ":1:57: server.listeners[0].serves: this list must contain at least one of public, admin, console and operator_console, each at most once",
        ),
        (
            "server: { listeners: [{ address: '127.0.0.1:1', tls: { certificate: a, private_key: b, client_certificates: required } }] }",
            ":1:109: server.listeners[0].tls.client_certificates: `required` needs certificate authorities, and none are configured; list them in client_ca, or write optional",
        ),
        (
            "protected_resource: { tenant: acme, audience: a }",
            ":1:31: protected_resource.tenant: tenant `acme` is not declared",
        ),
        (
            "protected_resource: { tenant: acme, audience: 'urn:latchkey:tenant:acme' }\ntenants: { acme: {} }",
            ":1:47: protected_resource.audience: the audience begins with `urn:latchkey:`, which is reserved for the platform",
        ),
        (
            "protected_resource: { tenant: acme, audience: a, required_scope: 'a b' }\ntenants: { acme: {} }",
            ":1:66: protected_resource.required_scope: `a b` is not a valid scope",
        ),
        (
            "storage: { url: mysql://x }",
            ":1:17: storage.url: this is not the URL of a store; write sqlite:// followed by a path, such as sqlite://data/latchkey.db, or postgres://…",
        ),
        ("storage: { url: 'sqlite://a.db?mode=ro' }", ":1:17: storage.url: this is not the URL of a store"),
        (
            "storage: { direct_url: 'postgres://x/y' }",
            ":1:24: storage.direct_url: a SQLite file cannot have a second URL; remove it",
        ),
        (
            "storage: { url: 'postgres://x/y', direct_url: 'sqlite://z.db' }",
            ":1:47: storage.direct_url: this is not a PostgreSQL URL; write postgres://…, or remove it",
        ),
        ("storage: { pooler: transaction }", ":1:20: storage.pooler: a SQLite file has no pooler; remove it"),
        (
            "storage: { url: 'postgres://x/y', pooler: transaction }",
            ":1:43: storage.pooler: a pooler of transactions receives no notifications and cannot migrate the schema; set storage.direct_url to PostgreSQL itself as well",
        ),
        ("cache: { redis_url: http://x }", ":1:21: cache.redis_url: "),
        (
            "keys: { sealing_key: { file: a, env: SET } }",
            ":1:22: keys.sealing_key: the key has more than one location; set exactly one of `file`, `env`, `store`, `vault` and `aws_kms`",
        ),
        (
            "keys: { sealing_key: { env: UNSET } }",
            ":1:29: keys.sealing_key.env: this environment variable is not set",
        ),
        (
            "keys: { former_sealing_keys: [{ file: a }, {}] }",
            ":1:44: keys.former_sealing_keys[1]: the location of the key is missing",
        ),
        (
            "keys: { former_sealing_keys: [{ env: UNSET }] }",
            ":1:38: keys.former_sealing_keys[0].env: this environment variable is not set",
        ),
        (
            "keys: { sealing_key: { vault: { address: 'http://vault.example:8200', transit_key: k, token: { env: SET } } } }",
            ":1:42: keys.sealing_key.vault.address: Latchkey cannot send keys to this address; use https://host:port; http:// is allowed on this machine only",
        ),
        (
            "keys: { sealing_key: { vault: { address: 'https://u:p@vault.example', transit_key: k, token: { env: SET } } } }",
            ":1:42: keys.sealing_key.vault.address: Latchkey cannot send keys to this address",
        ),
        (
            "keys: { sealing_key: { vault: { address: 'https://vault.example', transit_key: ../k, token: { env: SET } } } }",
            ":1:80: keys.sealing_key.vault.transit_key: this value is empty or contains characters that are not allowed",
        ),
        (
            "keys: { sealing_key: { vault: { address: 'https://vault.example', transit_key: k, token: {} } } }",
            ":1:90: keys.sealing_key.vault.token: set exactly one location for the token",
        ),
        (
            "keys: { sealing_key: { aws_kms: { key_id: 'a b' } } }",
            ":1:43: keys.sealing_key.aws_kms.key_id: this value is empty or contains characters that are not allowed",
        ),
        (
            "keys: { sealing_key: { aws_kms: { key_id: a, endpoint: 'http://10.0.0.7' } } }",
            ":1:56: keys.sealing_key.aws_kms.endpoint: Latchkey cannot send keys to this address",
        ),
        ("cache: { l1_lifetime: 0s }", ":1:23: cache.l1_lifetime: a replica can cache answers for 1s to 10s"),
        (
            "cache: { l1_lifetime: 11s }",
            ":1:23: cache.l1_lifetime: a replica can cache answers for 1s to 10s",
        ),
        (
            "cache: { memory: { clients: 0 } }",
            ":1:29: cache.memory.clients: this number must be from 1 to 65536",
        ),
        (
            "cache: { memory: { logos: 65537 } }",
            ":1:27: cache.memory.logos: this number must be from 1 to 65536",
        ),
        ("tenants_dir: nowhere", ":1:14: tenants_dir: "),
        (
            "admin: { users: { admin: { password: { env: UNSET } } } }",
            ":1:45: admin.users.admin.password.env: this environment variable is not set",
        ),
        (
            "admin: { users: { admin: { password: { value: a }, permissions: ['a b'] } } }",
            ":1:66: admin.users.admin.permissions[0]: this is not a valid permission",
        ),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with(expected), "{text}\n{refusal}");
    }
}

#[test]
fn all_faults_are_reported_together() {
    let refusal = refusal("tenants:\n  acme: { name: '' }\n  beta: { issuer: x }\n");
    assert_eq!(refusal.lines().count(), 2, "{refusal}");
}

#[test]
fn full_settings_load_with_warnings_for_missing_features() {
    let loaded = load(&format!(
        "server:
  listeners:
    - address: 127.0.0.1:8443
      serves: [public]
      tls: {{ certificate: a.pem, private_key: a.key, client_ca: b.pem }}
cache: {{ redis_url: redis://localhost }}
storage: {{ url: 'postgres://u:p@localhost/latchkey' }}
keys:
  sealing_key: {{ vault: {{ address: 'https://vault.example:8200', transit_key: k, mount: a/b, namespace: n, token: {{ env: SET }}, ca: ca.pem }} }}
  former_sealing_keys: [{{ env: SET }}, {{ file: old.key }}, {{ aws_kms: {{ key_id: 'arn:aws:kms:eu-central-1:1:key/a', region: eu-central-1, endpoint: 'http://localhost:4566' }} }}]
admin: {{ users: {{ admin: {{ password: {{ hash: '{HASH}' }}, permissions: [system] }} }}, applications: [550e8400-e29b-41d4-a716-446655440000] }}
tenants:
  acme:
    issuer_aliases: [thunder]
    signing: {{ algorithm: EdDSA, rotate_every: 30d, rsa_bits: 4096, hold_activation: 2d }}
    access_token: {{ format: opaque }}
    resource_servers: {{ api: {{ scopes: [a], clients: [web] }} }}
    clients:
      web:
        client_secrets: [{{ value: one, expires: 2027-01-31 }}, {{ env: SET }}]
        token: {{ issuer: thunder }}
        introspection: audience
      app:
        token_endpoint_auth_method: none
        grant_types: [authorization_code, refresh_token, 'urn:ietf:params:oauth:grant-type:token-exchange']
        redirect_uris: [https://app.example.com/back]
      signer:
        token_endpoint_auth_method: private_key_jwt
        jwks: {{ keys: [{{ kty: EC, crv: P-256, x: MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4, y: 4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM, unknown: 1 }}] }}
"
    ))
    .unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(|warning| warning.key.clone()).collect();
    assert_eq!(warnings, ["tenants.acme.clients.app.grant_types[2]"]);
    assert!(!format!("{loaded:?}").contains("from the environment"));
}

// [oauth RFC 6749 §2.3.1, §3.2], [found 12]
#[test]
fn sample_secrets_and_passwords_are_refused_beyond_loopback() {
    let at =
        |address: &str, rest: &str| format!("server: {{ listeners: [{{ address: '{address}' }}] }}\n{rest}");
    let sample = |address: &str| at(address, &client("client_secret: { value: your-client-secret }"));
    let public = |url: &str| sample("127.0.0.1:0").replacen('{', &format!("{{ public_url: '{url}',"), 1);
    let password = |address: &str| at(address, "admin: { users: { a: { password: { value: b } } } }");
    for (text, refused) in [
        (sample("127.0.0.1:0"), None),
        (sample("[::1]:0"), None),
        (sample("0.0.0.0:0"), Some("tenants.acme.clients.web.client_secret")),
        (sample("192.0.2.1:0"), Some("tenants.acme.clients.web.client_secret")),
        (password("127.0.0.1:0"), None),
        (password("[::]:0"), Some("admin.users.a.password.value")),
        (sample("0.0.0.0:0").replace("your-client-secret", "another"), None),
        (public("http://127.0.0.1:3000"), None),
        (public("http://acme.localhost"), None),
        (public("https://auth.example.com"), Some("tenants.acme.clients.web.client_secret")),
        (public("http://10.0.0.5:3000"), Some("tenants.acme.clients.web.client_secret")),
    ] {
        let found = refuse_beyond_loopback(&load(&text).unwrap(), false).err();
        assert_eq!(found.as_ref().map(|error| &*error.faults[0].key), refused, "{text}");
    }
}

// [found 17]: A listener beyond loopback served the administration and `/metrics` unless told otherwise |
//   fixed | Beyond loopback it serves `[public]` unless its `serves` says otherwise; the start reports once
//   which paths are therefore not served
#[test]
fn listener_beyond_loopback_serves_public_by_default() {
    use super::super::Surface::{Admin, Public};
    let (both, public) = (&[Public, Admin][..], &[Public][..]);
    let beyond = Some(
        "a listener beyond loopback serves the administration interface only if `serves` says so; this listener does not serve",
    );
    for (server, serves, warned) in [
        ("listeners: [{ address: '127.0.0.1:0' }]", both, None),
        ("listeners: [{ address: '[::1]:0' }]", both, None),
        ("listeners: [{ address: '0.0.0.0:0' }]", public, beyond),
        ("listeners: [{ address: '0.0.0.0:0', serves: [public] }]", public, None),
        ("listeners: [{ address: '0.0.0.0:0', serves: [public, admin] }]", both, None),
        ("listeners: [{ address: '192.0.2.1:0', serves: [admin] }]", &[Admin][..], None),
    ] {
        let loaded = load(&format!("server: {{ {server} }}")).unwrap();
        assert_eq!(loaded.platform.server.listeners[0].surfaces(), serves, "{server}");
        let warnings: Vec<_> =
            loaded.warnings.iter().filter(|warning| warning.key.contains("listeners")).collect();
        assert_eq!(warnings.len(), usize::from(warned.is_some()), "{server}");
        for (warning, words) in warnings.iter().zip(warned) {
            let problem = &warning.explanation.problem;
            assert!(problem.starts_with(words) && problem.contains("/metrics"), "{problem}");
        }
    }
}

// [found 11]
#[test]
fn missing_trusted_proxy_causes_a_warning() {
    const URL: &str = "public_url: 'https://auth.example.com'";
    let trusting = "trusted_proxies: { from: [127.0.0.1], header: forwarded }";
    for (server, warned) in [
        (format!("{URL}, listeners: [{{ address: '127.0.0.1:0' }}]"), true),
        (format!("{URL}, listeners: [{{ address: '127.0.0.1:0', {trusting} }}]"), false),
        (format!("{URL}, listeners: [{{ address: '127.0.0.1:0', serves: [admin] }}]"), false),
        (format!("{URL}, listeners: [{{ address: '192.0.2.1:0', serves: [public] }}]"), false),
        ("listeners: [{ address: '127.0.0.1:0' }]".to_owned(), false),
    ] {
        let loaded = load(&format!("server: {{ {server} }}")).unwrap();
        let found = loaded
            .warnings
            .iter()
            .any(|warning| warning.explanation.problem.contains("`trusted_proxies` lists none"));
        assert_eq!(found, warned, "{server}");
    }
}

fn accounts(keys: &str) -> String {
    format!("tenants:\n  acme:\n    accounts:\n{keys}")
}

#[test]
fn bad_accounts_and_duplicate_identifiers_are_refused() {
    for (keys, place, expected) in [
        ("      ada: {}", ":4:7", "ada: the account has no identifier; set `email`, `username` or both"),
        (
            "      ada: { email: ada }",
            ":4:21",
            "ada.email: this is not a valid email address; it contains an @",
        ),
        ("      ada: { username: a@b }", ":4:24", "ada.username: this is not a valid user name"),
        (
            "      ada: { username: ada, claims: { picture: ada.png } }",
            ":4:48",
            "ada.claims.picture: this is not a valid value for the claim; an http or https URL",
        ),
        (
            "      ada: { email: ada@example.com }\n      bob: { email: Ada@EXAMPLE.com }",
            ":5:21",
            "bob.email: account ada of this tenant already has this identifier; an identifier belongs to one account; choose another or remove it",
        ),
        (
            "      ada: { username: a, external_id: '7' }\n      bob: { username: b, external_id: '7' }",
            ":5:40",
            "bob.external_id: account ada of this tenant already has this external id",
        ),
        (
            "      ada: { username: ada, password: {} }",
            ":4:39",
            "ada.password: the source of the value is missing",
        ),
        (
            "      ada: { username: ada, password: { hash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA' } }",
            ":4:47",
            "ada.password.hash: an imported hash must be argon2id",
        ),
        ("      ada: { username: ada, role: x }", ":4:29", "ada.role: "),
    ] {
        let (refused, expected) =
            (refusal(&accounts(keys)), format!("{place}: tenants.acme.accounts.{expected}"));
        assert!(refused.starts_with(&expected), "{keys}\n{refused}");
    }
    let two = "tenants:\n  acme: { accounts: { ada: { username: ada } } }\n  globex: { accounts: { ada: { username: ada } } }";
    let loaded = load(two).unwrap();
    let mut ids = loaded.declaration.tenants.values().map(|declared| &declared.accounts[0].account.id);
    assert_ne!(ids.next(), ids.next());
}

#[test]
fn password_in_the_file_is_refused_beyond_loopback() {
    let value = accounts("      ada: { username: ada, password: { value: correct horse battery } }");
    let variable = accounts("      ada: { username: ada, password: { env: SET } }");
    for (text, refused) in [(value, true), (variable, false)] {
        let loaded = load(&text).unwrap();
        assert!(refuse_beyond_loopback(&loaded, false).is_ok());
        assert_eq!(refuse_beyond_loopback(&loaded, true).is_err(), refused, "{text}");
    }
}

/// Settings with the secret store `kept` and a client with this secret.
fn with_store(store: &str, secret: &str) -> String {
    format!("secret_stores: {{ kept: {store} }}\n{}", client(&format!("client_secret: {secret}")))
}

const VAULT: &str = "{ vault: { address: 'http://127.0.0.1:1', token: { env: TOKEN } } }";

#[test]
fn bad_secret_stores_and_references_are_refused() {
    let vault = |rest: &str| format!("{{ vault: {{ address: 'http://127.0.0.1:1', {rest} }} }}");
    let whole = "{ store: kept, path: a/b, key: c }";
    for (store, secret, expected) in [
        (
            "{}".into(),
            whole,
            ":1:24: secret_stores.kept: set exactly one type of store; set either `vault` or `aws`",
        ),
        (
            vault(""),
            whole,
            ":1:33: secret_stores.kept.vault: set exactly one way to sign in to Vault; set exactly one of",
        ),
        (
            vault("token: { env: TOKEN }, approle: { role_id: r, secret_id: { env: SET } }"),
            whole,
            ":1:33: secret_stores.kept.vault: set exactly one way to sign in to Vault",
        ),
        (
            VAULT.replace("127.0.0.1", "vault.example"),
            whole,
            ":1:44: secret_stores.kept.vault.address: Latchkey cannot send keys to this address; use https://host:port; http:// is allowed on this machine only",
        ),
        (
            "{ refresh: 0s, aws: {} }".into(),
            whole,
            ":1:35: secret_stores.kept.refresh: this interval is too short",
        ),
        (
            "{ aws: {}, tenant_prefixes: { acme: [a, ../b] } }".into(),
            whole,
            ":1:64: secret_stores.kept.tenant_prefixes.acme[1]: this is not a valid path",
        ),
        (
            VAULT.into(),
            "{ store: kep, path: a/b, key: c }",
            ":6:33: tenants.acme.clients.web.client_secret.store: this secret store does not exist; did you mean `kept`?",
        ),
        (
            VAULT.into(),
            "{ store: kept, path: a/../b, key: c }",
            ":6:45: tenants.acme.clients.web.client_secret.path: this is not a valid path in a secret store",
        ),
        (
            VAULT.into(),
            "{ store: kept, path: a/b }",
            ":6:24: tenants.acme.clients.web.client_secret: a Vault secret has several members, and the reference names none; set `key`, such as `key: client_secret`",
        ),
        (
            VAULT.into(),
            "{ store: kept, key: c }",
            ":6:24: tenants.acme.clients.web.client_secret: a reference to a secret store needs `store` and `path`",
        ),
        (
            VAULT.into(),
            "{ store: kept, path: a/b, key: c, value: s }",
            ":6:24: tenants.acme.clients.web.client_secret: set exactly one source for this value",
        ),
        (
            VAULT.into(),
            "{ value: s, previous_for: 1h }",
            ":6:50: tenants.acme.clients.web.client_secret.previous_for: `previous_for` works only for a secret in a file, a variable or a secret store",
        ),
    ] {
        let refused = refusal(&with_store(&store, secret));
        assert!(refused.starts_with(expected), "{store} {secret}\n{refused}");
    }
}

#[test]
fn connection_counts_have_limits() {
    for name in ["readers", "writers"] {
        let with = |number: u32| format!("storage: {{ connections: {{ {name}: {number} }} }}");
        for number in [0, 1001] {
            let refused = refusal(&with(number));
            let expected = format!("storage.connections.{name}: this number must be from 1 to 1000");
            assert!(refused.contains(&expected), "{refused}");
        }
    }
}

#[test]
fn bad_references_for_server_secrets_are_refused() {
    let at = "{ store: kept, path: a/b, key: c }";
    let sqlite = "storage.password: a SQLite file has no password; remove it";
    for (section, expected) in [
        (format!("storage: {{ password: {at} }}"), sqlite),
        (
            format!("storage: {{ url: 'postgres://db', password: {at} }}"),
            "storage.password: the secret store kept (vault",
        ),
        (
            format!("cache: {{ redis_password: {at} }}"),
            "cache.redis_password: this password belongs to `redis_url`, which is not set",
        ),
        (
            "cache: { redis_url: 'redis://a', redis_password: { store: kep, path: a } }".into(),
            "cache.redis_password.store: this secret store does not exist; did you mean `kept`?",
        ),
        (format!("keys: {{ sealing_key: {at} }}"), "keys.sealing_key: the secret store kept (vault"),
        (
            "keys: { sealing_key: { store: kept } }".into(),
            "keys.sealing_key: a reference to a secret store needs `store` and `path`",
        ),
        (
            "keys: { former_sealing_keys: [{ env: SET, store: kept, path: a, key: b }] }".into(),
            "keys.former_sealing_keys[0]: the key has more than one location",
        ),
    ] {
        let refused = refusal(&format!("secret_stores: {{ kept: {VAULT} }}\n{section}"));
        assert!(refused.contains(&format!(": {expected}")), "{section}\n{refused}");
    }
}

#[test]
fn unavailable_redis_password_causes_a_warning() {
    let text = format!(
        "secret_stores: {{ kept: {VAULT} }}\ncache: {{ redis_url: 'redis://a', redis_password: {{ store: kept, path: a/b, key: c }} }}"
    );
    let loaded = load(&text).unwrap();
    assert_eq!(loaded.platform.redis_url.as_ref().unwrap().expose(), "redis://a");
    let warned = loaded.warnings[0].brief();
    assert!(warned.contains("cache.redis_password: the secret store kept (vault"), "{warned}");
}

#[test]
fn unavailable_stored_secret_is_not_a_fault() {
    let loaded = load(&with_store(VAULT, "{ store: kept, path: a/b, key: c }")).unwrap();
    let [unread] = &loaded.declaration.unread.values().next().unwrap()[..] else { panic!("one secret") };
    assert_eq!(unread.client.as_str(), "web");
    assert!(unread.why.starts_with("the secret store kept (vault at 127.0.0.1:1): a/b: "), "{}", unread.why);
    assert!(loaded.declaration.tenants.values().next().unwrap().clients[0].secrets.is_empty());
    assert!(loaded.snapshot.bytes().is_some_and(|bytes| !bytes.is_empty()));
}
