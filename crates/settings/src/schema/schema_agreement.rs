//! Tests that the schema and the reader refuse the same files. The rules that only the program can check are
//! listed, each with a reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use administration::documents::{ClientSettings, merge_patch};
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::fixtures;

use super::{
    super::{Environment, diagnostic::Diagnostic, read},
    schema,
};

/// The schema and the reader, for the same settings.
struct Judges {
    schemas: Schemas,
    index: SchemaIndex,
    folder: TempDir,
}

/// The rules that only the program can check, by their messages, with the reasons.
const ONLY_THE_PROGRAM: [(&str, &str); 22] = [
    ("a private-use scheme must be a reversed domain name", "public clients alone may have one"),
    ("this environment variable is not set", "which variables there are is not in the file"),
    ("not a regular file", "nor which files"),
    ("cannot list", "nor which folders"),
    ("unknown key `tenants_dir`", "the folder of the file itself, where the file would be a tenant"),
    ("` is not declared", "a name of something else in the file"),
    ("does not exist", "as above"),
    ("has no client with this id", "as above"),
    ("this is neither the tenant's issuer nor one of its aliases", "as above"),
    ("the tenant trusts no issuer with this name", "as above"),
    ("this is outside the issuer's trust domain", "as above"),
    ("Latchkey cannot find the keys of a trust domain by its name", "one key needs another"),
    ("the client has no credential to authenticate with", "what a client needs depends on its method"),
    ("this method needs", "as above"),
    ("the account has no identifier", "one of two keys is needed"),
    ("the account has no email address to verify", "one key needs another"),
    ("a password must have at least 15 characters", "how long a password has to be depends on whose it is"),
    ("this is not a valid value for the claim", "the forms of claims are rules of accounts, and no patterns"),
    ("this text contains no valid PEM certificates", "what a certificate is, no pattern says"),
    ("the name of the claim with a person's groups", "which URIs are the platform's, no pattern says"),
    ("groups that begin with `latchkey:`", "in any case, and with invisible characters"),
    ("give only the public key", "what a key needs depends on its kind"),
];

impl Judges {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", serde_json::from_str(&schema()).unwrap()).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        Self { schemas, index, folder }
    }

    fn schema_refuses(&self, settings: &Value) -> bool {
        self.schemas.validate(settings, self.index).is_err()
    }

    /// The reader's message, if it refuses the text.
    fn reader_refuses(&self, text: &str) -> Option<String> {
        let path = self.folder.path().join("config.yaml");
        fs::write(&path, text).unwrap();
        let error = read(&path, &Environment::from([("SET", "from the environment")])).err()?;
        Some(error.faults.iter().map(Diagnostic::brief).collect::<Vec<_>>().join("\n"))
    }

    /// The settings with only this part and what it needs, because reading takes most of a test's time.
    fn with_part(&self, part: &str, settings: &Value) -> Value {
        let mut settings = settings.clone();
        for within in WITH_PARTS {
            let Some(members) = settings.pointer(within).and_then(Value::as_object).cloned() else {
                continue;
            };
            for key in members.keys().filter(|key| !part.starts_with(&format!("{within}/{key}"))) {
                let mut fewer = settings.clone();
                fewer.pointer_mut(within).and_then(Value::as_object_mut).unwrap().remove(key);
                if self.reader_refuses(&fewer.to_string()).is_none() {
                    settings = fewer;
                }
            }
        }
        settings
    }
}

/// The places whose members are parts, outermost first.
const WITH_PARTS: [&str; 3] = ["", "/tenants/acme", "/tenants/acme/clients"];

/// The part that contains this place.
fn part_of(pointer: &str) -> String {
    let within = WITH_PARTS.into_iter().rfind(|within| pointer.starts_with(&format!("{within}/")));
    let segments = within.unwrap_or_default().matches('/').count() + 2;
    pointer.split('/').take(segments).collect::<Vec<_>>().join("/")
}

/// Every existing key, with a valid value.
fn everything() -> Value {
    let mut settings = json!({
        "server": {
            "public_url": "https://auth.example.com/base",
            "mtls_url": "https://mtls.example.com/base",
            "listeners": [
                { "address": "127.0.0.1:3000", "serves": ["public"], "hosts": ["auth.internal"], "trusted_proxies": { "from": ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"], "header": "x-forwarded-for", "client_certificate": { "header": "Client-Cert", "format": "rfc9440", "client_ca": "d.pem" } }, "tls": { "certificate": "a.pem", "private_key": "b.pem", "client_ca": "c.pem", "client_certificates": "optional" } },
                { "address": "[::1]:3001" }
            ],
            "default_tenant": "acme",
            "max_connections": 5000,
            "workers": 2,
            "outbound": { "allowed_networks": ["10.1.0.0/16", "fd00::/8"], "github_keys": "https://api.github.com/meta/public_keys/secret_scanning" },
            "audit": { "stream": { "file": "audit.jsonl" } }
        },
        "storage": { "url": "sqlite://data/latchkey.db" },
        "cache": { "redis_url": "redis://localhost", "l1_lifetime": "10s", "memory": { "clients": 64, "opened_keys": 128 } },
        "reconcile": { "max_retired": { "tenants": 1, "clients": 10 } },
        "keys": {
            "sealing_key": { "file": "data/sealing.key" },
            "former_sealing_keys": [
                { "env": "SET" },
                { "vault": { "address": "https://vault.example.com", "transit_key": "k", "mount": "transit", "namespace": "n", "token": { "env": "SET" }, "ca": "ca.pem" } },
                { "vault": { "address": "https://vault.example.com", "transit_key": "k", "token": { "file": "t" } } },
                { "aws_kms": { "key_id": "k", "region": "eu-west-1", "endpoint": "https://kms.example.com" } }
            ]
        },
        "secret_stores": {
            "a": { "refresh": "60s", "vault": { "address": "https://vault.example.com", "mount": "kv", "namespace": "n", "ca": "ca.pem", "token": { "env": "SET" } }, "tenant_prefixes": { "acme": ["teams/acme/", "shared"] } },
            "b": { "vault": { "address": "https://vault.example.com", "kubernetes": { "role": "r", "mount": "kubernetes", "token_file": "t" } } },
            "c": { "vault": { "address": "https://vault.example.com", "approle": { "role_id": "r", "secret_id": { "file": "s" }, "mount": "approle" } } },
            "d": { "aws": { "region": "eu-west-1", "endpoint": "https://secrets.example.com" } }
        },
        "protected_resource": { "tenant": "acme", "audience": "api", "required_scope": "a" },
        "limits": { "failed_attempts": "10000/min", "clients": 10000, "admin_writes": "600/min", "platform_writes": "60000/min", "live_secrets": 5, "api_keys": 10000, "deletion_grace": "30d", "sign_in": { "account": 10, "known_browser": 20, "source": 20 } },
        "admin": {
            "users": { "ann": { "password": { "env": "SET" }, "permissions": ["system"] }, "bob": { "password": { "value": "b" } } },
            "applications": ["550e8400-e29b-41d4-a716-446655440000"]
        },
        "tenants_dir": "more",
        "tenants": { "acme": {
            "name": "Acme",
            "issuer": "https://acme.example.com",
            "issuer_aliases": ["thunder", "other"],
            "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": true } },
            "stale_if_error": "15m",
            "signing": {
                "algorithm": "RS256", "rotate_every": "90d", "publish_before": "1d", "jwks_max_age": "5m", "jwks_stale": "1m",
                "skew": "60s", "rsa_bits": 3072, "hold_activation": "1h"
            },
            "access_token": { "lifetime": "1h", "format": "jwt", "typ": "at+jwt", "claims": { "plan": "pro", "seats": 3 } },
            "client_ca": { "pem": include_str!("authority.pem") },
            "trusted_issuers": {
                "ci": { "issuer": "https://ci.example.com", "jwks_uri": "https://ci.example.com/keys", "algorithms": ["ES256"] },
                "mesh": { "issuer": "spiffe://example.org", "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }] } }
            },
            "resource_servers": {
                "api": { "scopes": ["a", "b"], "clients": ["web", "app"] },
                "api2": { "scopes": { "c": "Change bills", "d": "" } }
            },
            "clients": {
                "web": {
                    "name": "Web", "description": "The shop", "client_secret": { "value": "s", "expires": "2027-01-31" }, "token_endpoint_auth_method": "any",
                    "grant_types": ["client_credentials", "refresh_token"], "audiences": ["api", "api2"],
                    "resources": ["https://api.example.com", "urn:x:y"], "scopes": ["a", "b"],
                    "token": { "issuer": "thunder" }, "claims": { "roles": ["a", 1, true] }, "redirect_uris": ["https://app.example.com/back"],
                    "subject_type": "pairwise", "sector_identifier_uri": "https://example.com", "claims_in_id_token": true, "userinfo": "separate", "introspection": "own"
                },
                "app": {
                    "client_secrets": [{ "env": "SET" }, { "value": "t" }],
                    "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "kid": "1", "alg": "ES256", "use": "sig" }] }
                },
                "imported": { "client_secret": { "hash": HASH } },
                "remote": { "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example.com/jwks" },
                "workload": {
                    "claims": { "repo": { "from": "assertion.repository" } },
                    "federated": [
                        { "issuer": "ci", "subject": "repo:acme/*:ref:x", "audience": "api", "claims": { "run": 1, "protected": true, "environment": "prod*" }, "max_age": "10m", "once": true },
                        { "issuer": "mesh", "subject": "spiffe://example.org/web" }
                    ]
                }
            }
        } }
    });
    settings["mail"] = json!({
        "from": "Acme <no-reply@id.example.com>",
        "reply_to": "help@example.com",
        "smtp": { "url": "smtp://mail.example.com:587", "username": "u", "password": { "env": "SET" }, "ca": "ca.pem" },
        "recovers_administrators": true,
        "tenants": { "acme": { "from": "a@acme.example", "reply_to": "b@acme.example", "smtp": { "url": "smtps://mail.acme.example", "username": "u", "password": { "file": "p" } } } }
    });
    settings["tenants"]["acme"]["accounts"] = accounts();
    // Members that are missing above have the values of a client, so new settings need no line here.
    let client = fixtures::with_token_lifetime(fixtures::client(&fixtures::tenant("acme"), "web"), 2);
    let web = &mut settings["tenants"]["acme"]["clients"]["web"];
    *web = merge_patch(json!(ClientSettings::from(&client)), web.take());
    web["default_max_age"] = json!("1h");
    web["rotate"] = json!({ "every": "30d", "into": "a:b/c#d", "grace": "24h" });
    web["refresh_token"] = json!({ "rotation": "always", "grace": "0s", "idle": "1d", "absolute": "30d" });
    settings
}

/// Accounts with every claim.
fn accounts() -> Value {
    json!({
        "ada": {
            "email": "ada@example.com", "email_verified": true, "username": "ada", "password": { "value": "correct horse battery" },
            "external_id": "7", "groups": ["staff"], "permissions": ["latchkey:clients"],
            "claims": {
                "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "K.", "nickname": "Ada",
                "preferred_username": "ada", "profile": "https://example.com/ada", "picture": "https://example.com/ada.png",
                "website": "https://ada.example", "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
                "locale": "en-GB", "phone_number": "+44 20 7946 0000", "phone_number_verified": true,
                "address": {
                    "formatted": "12 St James's Square", "street_address": "12 St James's Square", "locality": "London",
                    "region": "London", "postal_code": "SW1Y 4LB", "country": "GB"
                }
            }
        },
        "bob": { "username": "bob", "password": { "hash": HASH } }
    })
}

const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";

/// Replaces each value in turn by values that may be wrong.
#[test]
fn schema_and_reader_refuse_the_same_values() {
    let (judges, base) = (Judges::new(), everything());
    assert!(!judges.schema_refuses(&base));
    assert_eq!(judges.reader_refuses(&base.to_string()), None);
    let wrong = json!([
        null, "", "a b", "0s", [], {}, { "unknown": [] }, ["x", "x"], "\u{7}", "urn:latchkey:x", "latchkey:x", "https://a#b"
    ]);
    let mut pointers = Vec::new();
    collect("", &base, &mut pointers);
    let (mut differ, mut met) = (Vec::new(), BTreeSet::new());
    let mut parts = BTreeMap::new();
    for pointer in &pointers {
        let part = &*parts.entry(part_of(pointer)).or_insert_with_key(|part| judges.with_part(part, &base));
        for put in wrong.as_array().unwrap() {
            let mut changed = part.clone();
            *changed.pointer_mut(pointer).unwrap() = put.clone();
            let by_schema = judges.schema_refuses(&changed);
            let by_reader = judges.reader_refuses(&changed.to_string());
            if by_schema == by_reader.is_some() {
                continue;
            }
            let words = by_reader.unwrap_or_else(|| "it is sound".to_owned());
            match ONLY_THE_PROGRAM.iter().find(|(known, _)| words.contains(known)) {
                Some((known, _)) => _ = met.insert(known),
                None => differ.push(format!("{pointer} = {put}: only one refuses; the reader says: {words}")),
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!(met.len(), ONLY_THE_PROGRAM.len(), "each is still needed: {met:?}");
}

#[test]
fn schema_and_reader_agree_on_examples() {
    let judges = Judges::new();
    let secret = |secret: &str| {
        format!("tenants: {{ acme: {{ clients: {{ web: {{ client_secret: {secret} }} }} }} }}")
    };
    let tenant = |keys: &str| format!("tenants: {{ acme: {{ {keys} }} }}");
    let listener = |keys: &str| format!("server: {{ listeners: [{{ {keys} }}] }}");
    let asking = |who: &str| {
        listener(&format!(
            "address: 127.0.0.1:0, tls: {{ certificate: a, private_key: b, client_certificates: {who} }}"
        ))
    };
    let sections = [
        "server",
        "storage",
        "cache",
        "keys",
        "limits",
        "mail",
        "admin",
        "tenants",
        "reconcile",
        "protected_resource",
    ];
    for (text, refused) in [
        ("{}".to_owned(), false),
        ("server:".to_owned(), false),
        (sections.map(|section| format!("{section}:\n")).concat(), false),
        (tenant("signing: , clients: , access_token: , resource_servers: "), false),
        (secret("{ value: s }"), false),
        (secret("{ env: SET, value: null }"), false),
        (secret("{}"), true),
        (secret("{ expires: 2027-01-31 }"), true),
        (secret("{ value: s, env: SET }"), true),
        (secret("{ value: \"\" }"), true),
        (secret("{ hash: $2b$10$abc }"), true),
        (secret("{ store: vault }"), true),
        (secret("{ path: a/b, key: c }"), true),
        (secret("{ value: s, path: a/b }"), true),
        ("secret_stores: { a: {} }".to_owned(), true),
        ("secret_stores: { a: { aws: {} } }".to_owned(), false),
        ("secret_stores: { a: { aws: {}, refresh: 0s } }".to_owned(), true),
        (tenant("signing: { first_key: {} }"), true),
        (tenant("signing: { first_key: { env: SET, file: x } }"), true),
        (tenant("signing: { rsa_bits: 1024 }"), true),
        (tenant("signing: { rotate_every: 0d }"), true),
        (tenant("access_token: { lifetime: 0s }"), true),
        (tenant("access_token: { lifetime: 1s }"), false),
        (tenant("stale_if_error: 0s"), false),
        (tenant("resource_servers: { api: { scopes: [\"a b\"] } }"), true),
        (tenant("resource_servers: { api: { scopes: [a, a] } }"), true),
        (tenant("resource_servers: { api: { scopes: [\"latchkey:keys\"] } }"), true),
        (tenant("resource_servers: { api: { scopes: { a: , b: Change bills } } }"), false),
        (tenant("resource_servers: { api: { scopes: { \"latchkey:keys\": Keys } } }"), true),
        (tenant("resource_servers: { \"urn:latchkey:admin\": {} }"), true),
        (tenant("issuer: \"https://a.example?x\""), true),
        ("tenants: { A: {} }".to_owned(), true),
        ("tenants: { platform: {} }".to_owned(), true),
        ("tenants: { a..b: {} }".to_owned(), true),
        (listener("address: 127.0.0.1:0"), false),
        (listener("address: \"[::1]:3000\""), false),
        (listener("address: localhost:3000"), true),
        (listener("address: 127.0.0.1"), true),
        (listener("address: 127.0.0.1:0, serves: []"), true),
        (listener("address: 127.0.0.1:0, serves: [admin, admin]"), true),
        (listener("address: 127.0.0.1:0, hosts: [a, a]"), true),
        (listener("address: 127.0.0.1:0, hosts: [\"a:80\"]"), true),
        (listener("address: 127.0.0.1:0, trusted_proxies: { from: [], header: forwarded }"), true),
        (listener("address: 127.0.0.1:0, trusted_proxies: { from: [127.0.0.1] }"), true),
        (listener("address: 127.0.0.1:0, trusted_proxies: { from: [0.0.0.0/0], header: forwarded }"), true),
        (listener("address: 127.0.0.1:0, trusted_proxies: { from: [proxy], header: forwarded }"), true),
        (listener("address: 127.0.0.1:0, trusted_proxies: { from: [10.0.0.0/8], header: x-real-ip }"), true),
        (listener("address: 127.0.0.1:0, trusted_proxies: { from: [10.0.0.0/8], header: forwarded }"), false),
        (asking("optional"), false),
        (asking("always"), true),
        ("limits: { sign_in: { account: 0 } }".to_owned(), true),
        ("limits: { sign_in: { source: 101 } }".to_owned(), true),
        ("server: { max_connections: 0 }".to_owned(), true),
        ("server: { max_connections: 1000001 }".to_owned(), true),
        ("server: { listeners: [] }".to_owned(), true),
        ("server: { outbound: { allowed_networks: [10.1.0.0/16, 127.0.0.1, \"::1\"] } }".to_owned(), false),
        ("server: { outbound: { allowed_networks: [10.1.0.0/16, 10.1.0.0/16] } }".to_owned(), true),
        ("server: { outbound: { allowed_networks: [0.0.0.0/0] } }".to_owned(), true),
        ("server: { outbound: { allowed_networks: [internal] } }".to_owned(), true),
        ("server: { outbound: { allow: [10.1.0.0/16] } }".to_owned(), true),
        ("server: { outbound: { github_keys: api.github.com } }".to_owned(), true),
        ("server: { audit: { stream: stdout } }".to_owned(), false),
        ("server: { audit: { stream: { file: a.jsonl } } }".to_owned(), false),
        ("server: { audit: { stream: stderr } }".to_owned(), true),
        ("server: { audit: { stream: { file: a.jsonl, stdout: true } } }".to_owned(), true),
        ("limits: { failed_attempts: 0/min }".to_owned(), true),
        ("mail: { from: a@b.example, folder: out }".to_owned(), false),
        ("mail: { folder: out }".to_owned(), true),
        ("mail: { from: a@b.example }".to_owned(), true),
        ("mail: { from: a@b.example, folder: out, smtp: { url: 'smtps://c.example' } }".to_owned(), true),
        ("mail: { from: a@b.example, smtp: { url: 'smtps://u:p@c.example' } }".to_owned(), true),
        ("mail: { from: a@b.example, smtp: { url: 'http://c.example' } }".to_owned(), true),
        ("mail: { from: a@b.example, smtp: { url: 'smtp://c.example', username: u } }".to_owned(), true),
        ("mail: { from: a b@c.example, folder: out }".to_owned(), true),
        ("storage: { url: mysql://x }".to_owned(), true),
        ("cache: { l1_lifetime: 11s }".to_owned(), true),
        ("cache: { l1_lifetime: 10s }".to_owned(), false),
        ("cache: { memory: { clients: 0 } }".to_owned(), true),
        ("cache: { memory: { tenants: 65537 } }".to_owned(), true),
        ("cache: { memory: { opened: 1 } }".to_owned(), true),
        ("cache: { memory: { opened_keys: 65536 } }".to_owned(), false),
        ("keys: { sealing_key: { file: a, env: SET } }".to_owned(), true),
        ("keys: { former_sealing_keys: [{}] }".to_owned(), true),
        ("admin: { users: { ann: { password: { value: a, hash: b } } } }".to_owned(), true),
        ("admin: { users: { ann: {} } }".to_owned(), true),
    ] {
        let by_schema = judges.schema_refuses(&serde_saphyr::from_str(&text).unwrap());
        let by_reader = judges.reader_refuses(&text);
        assert_eq!((by_schema, by_reader.is_some()), (refused, refused), "{text}: {by_reader:?}");
    }
}

/// The cases in which the schema accepts less or more than the program, each with a reason.
#[test]
fn listed_differences_of_schema_and_reader_still_exist() {
    let judges = Judges::new();
    for (text, by_schema, by_reader) in [
        // The program reads the value as text, although it looks like a number or a boolean.
        ("tenants: { acme: { name: 0123 } }", true, false),
        ("tenants: { acme: { name: true } }", true, false),
        // A pattern cannot compare numbers.
        ("server: { listeners: [{ address: '999.1.1.1:99999' }] }", false, true),
        ("tenants: { acme: { access_token: { lifetime: 36526d } } }", false, true),
        ("tenants: { acme: { refresh_token: { absolute: 401d } } }", false, true),
        ("tenants: { acme: { refresh_token: { grace: 6m } } }", false, true),
        // The schema cannot compare two keys with each other.
        ("tenants: { acme: { branding: { primary: '#ffffff' } } }", false, true),
        ("tenants: { acme: { signing: { publish_before: 1s } } }", false, true),
        ("tenants: { acme: { sign_in: { session: { idle: 25h } } } }", false, true),
        ("tenants: { acme: { sign_in: { session: { remember: 46d } } } }", false, true),
        ("tenants: { acme: { issuer: 'https://a' }, beta: { issuer: 'https://a' } }", false, true),
        ("server: { listeners: [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:1' }] }", false, true),
        (
            "server: { listeners: [{ address: '127.0.0.1:1', tls: { certificate: a, private_key: b, client_certificates: required } }] }",
            false,
            true,
        ),
        // Only the program knows which hosts are this machine.
        (
            "keys: { sealing_key: { vault: { address: 'http://vault.example.com', transit_key: k, token: { env: SET } } } }",
            false,
            true,
        ),
        ("server: { public_url: 'https://user@example.com' }", false, true),
    ] {
        let is_refused = judges.schema_refuses(&serde_saphyr::from_str(text).unwrap());
        assert_eq!((is_refused, judges.reader_refuses(text).is_some()), (by_schema, by_reader), "{text}");
    }
}

/// A document has the same members with the same descriptions in files and in the API, except for members
/// that only files have.
#[test]
fn documents_in_files_and_api_have_same_members() {
    let files: Value = serde_json::from_str(&schema()).unwrap();
    let api: Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
    let members = |schema: &Value| -> Vec<(String, Value)> {
        let members = schema["properties"].as_object().unwrap().iter();
        members.map(|(name, member)| (name.clone(), member["description"].clone())).collect()
    };
    for (in_files, over_api, file_only) in [
        ("TenantSettings", "TenantSettings", &["accounts", "clients"][..]),
        ("StrategiesSettings", "TenantStrategies", &[]),
        ("StrategySettings", "TenantStrategy", &[]),
        ("SigningSettings", "Signing", &["first_key"]),
        ("AccessTokenSettings", "AccessToken", &[]),
        ("AssertionSettings", "Assertions", &[]),
        ("RefreshTokenSettings", "RefreshTokens", &[]),
        ("BrandingSettings", "Branding", &[]),
        ("ResourceServerSettings", "ResourceServer", &[]),
        ("ClientSettings", "ClientPatch", &["client_secret", "client_secrets"]),
        ("TokenSettings", "TokenSettings", &[]),
        ("OwnRefreshTokenSettings", "OwnRefreshTokenSettings", &[]),
    ] {
        let (only, both): (Vec<_>, Vec<_>) = members(&files["$defs"][in_files])
            .into_iter()
            .partition(|(name, _)| file_only.contains(&name.as_str()));
        assert_eq!(only.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), file_only, "{in_files}");
        let mut over_api = members(&api["components"]["schemas"][over_api]);
        // Only a grant over the API names the credentials that stay; files grant nothing.
        over_api.retain(|(name, _)| name != "keep_credentials");
        assert_eq!(both, over_api, "{in_files}");
    }
}

fn collect(at: &str, value: &Value, pointers: &mut Vec<String>) {
    pointers.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                collect(&format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), member, pointers);
            }
        }
        Value::Array(items) => {
            (0..).zip(items).for_each(|(index, item)| collect(&format!("{at}/{index}"), item, pointers));
        }
        _ => {}
    }
}
