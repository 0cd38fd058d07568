//! Examples of requests and answers, by operation. Together they are one story: `northwind` comes to the platform with its client
//! `billing`. A test sends each request in this order, and compares the answers with their schemas. Tokens are fetched by the client that
//! the sample configuration declares.

use serde_json::{Value, json};

use super::errors::ErrorForm;
use super::operation::{JSON, NDJSON, Operation};

/// The account of the story.
const ACCOUNT: &str = "usr_mfrggzdfmztwq2lknnwg23tpoa";

impl Operation {
    /// Adds the examples of path, query, request and main answer.
    pub(super) fn with_examples(mut self) -> Self {
        let is_public = self.form == ErrorForm::OAuth;
        let name = self.object["operationId"].as_str().unwrap_or_default().to_owned();
        for parameter in self.object["parameters"].as_array_mut().into_iter().flatten() {
            let named = parameter["name"].as_str().unwrap_or_default();
            let example = match parameter["in"].as_str() {
                Some("path") => of_path(named, is_public).map(Value::from),
                Some("query") => of_query(&name, named),
                _ => None,
            };
            if let Some(example) = example {
                parameter["example"] = example;
            }
        }
        if let Some(example) = of_request(&name) {
            for content in members(&mut self.object["requestBody"]["content"]) {
                content["example"] = example.clone();
            }
        }
        if let Some(example) = of_answer(&name) {
            let answers = ["200", "201"].map(|status| self.object["responses"].get(status).is_some());
            let status = if answers[0] { "200" } else { "201" };
            let content = &mut self.object["responses"][status]["content"];
            let media_type = if content.get(NDJSON).is_some() { NDJSON } else { JSON };
            content[media_type]["example"] = example;
        }
        self
    }
}

fn members(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_object_mut().into_iter().flat_map(|members| members.values_mut())
}

/// What a path names.
fn of_path(name: &str, is_public: bool) -> Option<&'static str> {
    Some(match name {
        "id" if is_public => "test-tenant",
        "id" => "northwind",
        "client" => "billing",
        "account" => ACCOUNT,
        "session" => "Qm9va3MgYXJlIGdvb2QuLg",
        "secret" => "s1",
        "kid" => "oauth2-key-1",
        "hash" => "nqFZQe7c0fZ9n4Gg",
        "file" => "pages.css",
        "application" => "550e8400-e29b-41d4-a716-446655440000",
        _ => return None,
    })
}

/// A parameter of a query.
fn of_query(operation: &str, name: &str) -> Option<Value> {
    Some(match (operation, name) {
        ("list_tenants", "search") => json!("north"),
        ("list_clients", "search") => json!("bill"),
        // As the page before gave it.
        ("list_tenants", "cursor") => json!("Cm5vcnRo"),
        ("list_clients", "cursor") => json!("YWJj"),
        ("list_accounts", "cursor") => json!("MTg5MzQ4NDgwMAp1c3JfbWZyZ2d6ZGZtenR3cTJsa25ud2cyM3Rwb2E"),
        (_, "cursor") => json!("MTAwMA"),
        (_, "identifier") => json!("ada@example.com"),
        (_, "external_id") => json!("hr-1815"),
        (_, "limit") => json!(20),
        (_, "offset") => json!(0),
        (_, "format") => json!("jwk"),
        // A change that is not confirmed changes nothing.
        (_, "final" | "confirm") => json!(false),
        (_, "tenant") => json!("northwind"),
        (_, "actor") => json!("client:platform/ops"),
        (_, "action") => json!("client."),
        (_, "subject") => json!("billing"),
        (_, "since") => json!("2030-01-31T00:00:00Z"),
        (_, "until") => json!("2030-02-28T00:00:00Z"),
        _ => return None,
    })
}

/// The body of a request.
fn of_request(operation: &str) -> Option<Value> {
    Some(match operation {
        "token" | "default_token" | "default_token_oauth2" => json!({
            "grant_type": "client_credentials",
            "client_id": "your-client-id",
            "client_secret": "your-client-secret",
            "scope": "api:read",
        }),
        "introspect" | "default_introspect" | "revoke" | "default_revoke" | "default_revoke_oauth2" => {
            json!({
                "token": "the access token",
                "client_id": "your-client-id",
                "client_secret": "your-client-secret",
            })
        }
        "create_tenant" => json!({
            "id": "northwind",
            "name": "Northwind",
            "resource_servers": { "orders": { "scopes": ["orders:read", "orders:write"] } },
            "client": { "client_id": "billing", "audiences": ["orders"], "scopes": ["orders:read"] },
        }),
        "patch_tenant" => json!({ "name": "Northwind Traders", "access_token": { "lifetime": 1800 } }),
        "create_client" => json!({
            "client_id": "shipping",
            "name": "Shipping",
            "audiences": ["orders"],
            "scopes": ["orders:read", "orders:write"],
        }),
        "patch_client" => json!({ "description": "Sends invoices", "access_token_lifetime": 900 }),
        "create_account" => json!({
            "email": "ada@example.com",
            "email_verified": true,
            "external_id": "hr-1815",
            "claims": { "name": "Ada Lovelace", "locale": "en-GB" },
            "groups": ["staff"],
            "password": "seven clouds above the harbour",
        }),
        "import_accounts" => json!({
            "email": "grace@example.com",
            "email_verified": true,
            "password_hash": "$2b$12$abcdefghijklmnopqrstuu4AhMWbKIX3iMKcX3rU9Gq5j7NhPFJbO",
        }),
        "patch_account" => json!({ "groups": ["staff", "accounting"] }),
        "set_account_password" => json!({ "password": "nine lanterns beside the river" }),
        "explain_client" => json!({ "scope": "orders:read", "resource": [] }),
        "create_secret" => json!({ "expires_at": "2031-01-01T00:00:00Z" }),
        "rotate_secret" => json!({ "grace": 3600 }),
        "expire_secret" => json!({ "expires_at": "2030-06-30T00:00:00Z" }),
        "rotate_key" => json!({ "emergency": false }),
        "import_key" => {
            json!({ "key": "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n", "algorithm": "RS256" })
        }
        "execute" => json!({
            "applicationId": "550e8400-e29b-41d4-a716-446655440000",
            "flowType": "AUTHENTICATION",
            "inputs": { "username": "admin", "password": "admin", "requested_permissions": "system" },
        }),
        "create" | "replace" => json!({
            "name": if operation == "create" { "Backend Service" } else { "Backend Service 2" },
            "description": "Calls the orders API",
            "inbound_auth_config": [{
                "type": "oauth2",
                "config": {
                    "grant_types": ["client_credentials"],
                    "token_endpoint_auth_method": "client_secret_basic",
                },
            }],
        }),
        _ => return None,
    })
}

/// The body of the main answer, which is JSON.
fn of_answer(operation: &str) -> Option<Value> {
    Some(match operation {
        "token" | "default_token" | "default_token_oauth2" => json!({
            "access_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9hdXRoMi1rZXktMSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ5b3VyLWNsaWVudC1pZCJ9.c2lnbmF0dXJl",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "api:read",
        }),
        "introspect" | "default_introspect" => json!({ "active": false }),
        "protected_resource" => json!({
            "data": "Protected resource data",
            "tenant": "test-tenant",
            "caller": { "type": "machine", "client_id": "your-client-id" },
            "scopes": ["api:read"],
        }),
        "list_tenants" => json!({ "items": [tenant()] }),
        "create_tenant" => {
            with(tenant(), json!({ "client": with(client(), json!({ "secret": created_secret() })) }))
        }
        "get_tenant" | "suspend_tenant" | "resume_tenant" | "restore_tenant" => tenant(),
        "patch_tenant" => with(tenant(), json!({ "name": "Northwind Traders" })),
        "list_clients" => json!({ "items": [client()] }),
        "create_client" => with(
            client(),
            json!({ "client_id": "shipping", "name": "Shipping", "scopes": ["orders:read", "orders:write"], "secret": created_secret() }),
        ),
        "get_client" | "suspend_client" | "resume_client" => client(),
        "patch_client" => {
            with(client(), json!({ "description": "Sends invoices", "access_token_lifetime": 900 }))
        }
        "explain_client" => explanation(),
        "list_accounts" => json!({ "items": [account()] }),
        "import_accounts" => json!({ "line": 1, "result": "created", "account_id": ACCOUNT }),
        "create_account"
        | "get_account"
        | "suspend_account"
        | "resume_account"
        | "unlock_account"
        | "set_account_password" => account(),
        "get_account_throttling" => json!({
            "throttled": true, "since": "2030-01-31T12:00:00Z", "until": "2030-01-31T12:20:00Z", "failures": 14,
        }),
        "patch_account" => with(account(), json!({ "groups": ["staff", "accounting"] })),
        "list_sessions" => json!({ "items": [{
            "session_id": "Qm9va3MgYXJlIGdvb2QuLg",
            "authenticated_at": "2030-01-31T08:00:00Z",
            "acr": "urn:latchkey:acr:1",
            "amr": ["pwd"],
            "created_at": "2030-01-31T08:00:00Z",
            "last_seen_at": "2030-01-31T09:30:00Z",
            "expires_at": "2030-02-01T08:00:00Z",
            "remembered": false,
            "user_agent": "Mozilla/5.0",
            "source": "192.0.2.7",
        }] }),
        "list_consents" => json!({ "items": [{
            "client_id": "billing", "scopes": ["openid", "profile"],
            "resources": ["https://billing.example"], "granted_at": "2030-01-31T08:00:00Z",
        }] }),
        "list_secrets" => json!({ "items": [secret()] }),
        "create_secret" | "rotate_secret" => with(created_secret(), json!({ "id": "s2" })),
        "expire_secret" => with(secret(), json!({ "expires_at": "2030-06-30T00:00:00Z" })),
        "revoke_secret" => with(
            secret(),
            json!({ "status": "revoked", "revoked_at": "2030-02-01T08:00:00Z", "safe_to_delete": true }),
        ),
        "list_keys" => json!({ "items": [key()] }),
        "get_key_status" => json!({
            "signing": key(),
            "verifiers": [{
                "verifier": "orders/1.4 192.0.2.0/24",
                "last_fetch_at": "2030-01-31T12:00:00Z",
                "newest_kid": "oauth2-key-1",
                "has_announced": true,
            }],
        }),
        "rotate_key" => json!({ "items": [key()], "breaks": [] }),
        _ => return None,
    })
}

fn tenant() -> Value {
    json!({
        "id": "northwind",
        "status": "active",
        "managed_by": "api",
        "created_at": "2030-01-31T08:00:00Z",
        "updated_at": "2030-01-31T08:00:00Z",
        "jwks_uri": "http://localhost:3000/api/v1/tenant/northwind/.well-known/jwks.json",
        "token_endpoint": "http://localhost:3000/api/v1/tenant/northwind/oauth/token",
        "name": "Northwind",
        "issuer": "http://localhost:3000/api/v1/tenant/northwind",
        "issuer_aliases": [],
        "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": false } },
        "stale_if_error": 900,
        "signing": {
            "algorithm": "RS256",
            "rotate_every": 7_776_000,
            "publish_before": 86_400,
            "jwks_max_age": 300,
            "jwks_stale": 60,
            "skew": 60,
            "rsa_bits": 2048,
            "hold_activation": null,
        },
        "access_token": {
            "lifetime": 3600,
            "format": "jwt",
            "typ": "at+jwt",
            "require_sender_constraint": false,
            "require_dpop_nonce": false,
        },
        "assertions": { "audience": "any", "max_lifetime": 3600 },
        "refresh_token": { "rotation": "public", "grace": 30, "idle": 2_592_000, "absolute": 15_552_000 },
        "sign_in": { "session": { "idle": 28800, "absolute": 86400, "remember": 2592000 } },
        "subject": "public",
        "branding": {
            "primary": "#1f5fbf", "background": "#ffffff", "corners": "round", "font": "system",
            "logo": null, "logo_dark": null,
            "support_url": "https://northwind.example/help", "terms_url": null, "privacy_url": null,
        },
        "resource_servers": { "orders": { "scopes": ["orders:read", "orders:write"], "clients": [] } },
        "limits": { "failed_attempts": null, "clients": null, "admin_writes": null, "live_secrets": null,
            "sign_in": { "account": null, "known_browser": null, "source": null } },
    })
}

fn client() -> Value {
    json!({
        "client_id": "billing",
        "status": "active",
        "managed_by": "api",
        "created_at": "2030-01-31T08:00:00Z",
        "updated_at": "2030-01-31T08:00:00Z",
        "live_secrets": 1,
        "name": "billing",
        "description": null,
        "token_endpoint_auth_method": "any",
        "grant_types": ["client_credentials"],
        "audiences": ["orders"],
        "resources": [],
        "scopes": ["orders:read"],
        "access_token_lifetime": null,
        "token": { "issuer": null },
        "jwks": null,
        "jwks_uri": null,
        "redirect_uris": [],
        "post_logout_redirect_uris": [],
        "first_party": false,
        "require_pkce": true,
        "require_par": false,
        "backchannel_logout_uri": null,
        "backchannel_logout_session_required": false,
        "subject_type": null,
        "sector_identifier_uri": null,
        "claims_in_id_token": false,
        "default_max_age": null,
        "refresh_token": { "rotation": null, "grace": null, "idle": null, "absolute": null },
        "popup": false,
        "dpop_bound_access_tokens": false,
        "tls_client_certificate_bound_access_tokens": false,
        "tls_client_auth_subject_dn": null,
        "tls_client_auth_san_dns": null,
        "tls_client_auth_san_uri": null,
        "tls_client_auth_san_ip": null,
        "tls_client_auth_san_email": null,
        "introspection": "own",
    })
}

fn account() -> Value {
    json!({
        "account_id": ACCOUNT,
        "status": "active",
        "managed_by": "api",
        "created_at": "2030-01-31T08:00:00Z",
        "updated_at": "2030-01-31T08:00:00Z",
        "password_changed_at": "2030-01-31T08:00:00Z",
        "valid_from": "2030-01-31T08:00:00Z",
        "email": "ada@example.com",
        "email_verified": true,
        "username": null,
        "external_id": "hr-1815",
        "claims": { "name": "Ada Lovelace", "locale": "en-GB" },
        "groups": ["staff"],
    })
}

fn explanation() -> Value {
    let passed = |name: &str, detail: &str| json!({ "name": name, "result": "passed", "detail": detail });
    json!({
        "result": { "status": 200 },
        "checks": [
            passed("tenant", "The tenant is active and serves OAuth."),
            passed("parameters", "The parameters can be read."),
            passed("grant_type", "The client is registered for the grant type."),
            passed("format", "The token format of the tenant is served."),
            passed("sender", "The token is a bearer token, as client and tenant allow."),
            passed("audience", "The audience is orders: the client's audiences, because no resource is requested."),
            passed("scope", "1 granted, 0 left out."),
            passed("signing_key", "oauth2-key-1 signs with RS256."),
        ],
        "credential": {
            "method": "client_secret_basic",
            "checks": [
                passed("client", "The client is active."),
                passed("method", "The method is served, and the client is registered for any."),
                {
                    "name": "secret",
                    "result": "not_checked",
                    "detail": "No secret was presented. The result assumes a secret that matches.",
                },
            ],
            "registered": [{
                "kind": "client_secret",
                "id": "s1",
                "status": "live",
                "expires_at": null,
                "revoked_at": null,
            }],
        },
        "scopes": [{ "scope": "orders:read", "result": "granted" }],
        "token": {
            "typ": "at+jwt",
            "algorithm": "RS256",
            "kid": "oauth2-key-1",
            "lifetime": 3600,
            "claims": {
                "iss": "http://localhost:3000/api/v1/tenant/northwind",
                "sub": "billing",
                "aud": ["orders"],
                "client_id": "billing",
                "scope": "orders:read",
            },
        },
    })
}

fn secret() -> Value {
    json!({
        "id": "s1",
        "hint": "Yx3k",
        "form": "generated",
        "status": "live",
        "managed_by": "api",
        "created_at": "2030-01-31T08:00:00Z",
        "expires_at": null,
        "last_used_at": null,
        "addresses": 0,
        "used_from": [],
        "safe_to_delete": false,
    })
}

/// The value is none that the program could generate, so that no leak scanner reports it.
fn created_secret() -> Value {
    with(secret(), json!({ "client_secret": "the secret, shown this once" }))
}

fn key() -> Value {
    json!({
        "kid": "oauth2-key-1",
        "algorithm": "RS256",
        "state": "active",
        "thumbprint": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "announced_at": "2030-01-31T08:00:00Z",
        "active_from": "2030-01-31T08:00:00Z",
        "retiring_from": null,
        "removed_at": null,
        "destroyed": false,
    })
}

/// The members of both, those of the second where both have one.
fn with(mut of: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (of.as_object_mut(), more) {
        members.extend(more);
    }
    of
}
