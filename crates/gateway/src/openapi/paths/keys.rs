//! Paths of the admin API: signing keys.

use crate::openapi::schemas::{Key, KeyRotation, KeyStatus, Keys, KeysChanged, NewKey, Problem};

/// List a tenant's signing keys.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/keys", tag = "administration",
    security(("admin_token" = ["latchkey:keys"])),
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "All of them, in the order of their numbers, removed ones too", body = Keys),
        (status = "4XX", description = "401, 403, 404", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn list_keys() {}

/// Look at a signing key.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/keys/{kid}", tag = "administration",
    security(("admin_token" = ["latchkey:keys"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("kid" = String, Path, description = "As oauth2-key-1"),
        ("format" = Option<String>, Query, description = "jwk or pem: the public half alone"),
    ),
    responses(
        (status = 200, description = "The key with its public half; ETag", content(
            (Key = "application/json"),
            (std::collections::BTreeMap<String, String> = "application/jwk+json"),
            (String = "application/x-pem-file"),
        )),
        (status = 304, description = "If-None-Match names what it is"),
        (status = "4XX", description = "401, 403, 404; 400 for another format", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn get_key() {}

/// Ask which keys verifiers have.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/keys/status", tag = "administration",
    security(("admin_token" = ["latchkey:keys"])),
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "The key that signs, the one that is announced, and who has fetched it", body = KeyStatus),
        (status = "4XX", description = "401, 403, 404", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn get_key_status() {}

/// Replace the key that signs.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/keys/rotate", tag = "administration",
    security(("admin_token" = ["latchkey:keys"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = KeyRotation, content_type = "application/json", description = "May be left out"),
    responses(
        (status = 200, description = "The keys as they are now: the next one takes over when it has been published for publish_before; in an emergency at once, and all others are gone", body = KeysChanged),
        (status = 409, description = "An emergency that is not confirmed: breaks says whose tokens are refused from then on", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 422; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn rotate_key() {}

/// Bring a key in.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/keys", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = NewKey, content_type = "application/json"),
    responses(
        (status = 201, description = "The keys as they are now: it takes over when it has been published for publish_before; Location", body = KeysChanged),
        (status = "4XX", description = "401, 404; 403, for the tenant platform always; 400 with errors for what is no private key that can be used, or is of another algorithm than the tenant signs with; 409 for a key that it has or had, or that would keep an announced one from ever signing; 422; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn import_key() {}

/// Take a key away at once.
#[utoipa::path(
    delete, path = "/api/v1/tenant/{id}/keys/{kid}", tag = "administration",
    security(("admin_token" = ["latchkey:keys"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("kid" = String, Path, description = "As oauth2-key-1"),
        ("confirm" = Option<bool>, Query, description = "The asker knows what it breaks"),
    ),
    responses(
        (status = 200, description = "The keys as they are now; if it signed, another one signs at once", body = KeysChanged),
        (status = 409, description = "Not confirmed: breaks says whose tokens are refused from then on. Or it is removed already", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "401, 403, 404; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn revoke_key() {}
