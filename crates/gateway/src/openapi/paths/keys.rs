//! Signing keys.

use administration::Permission::{Keys, Tenants};
use administration::{ImportSettings, KeyStatusView, KeysChanged};
use serde_json::json;
use utoipa::openapi::HttpMethod::{Delete, Get, Post};

use crate::documents::KeyRotation;
use crate::openapi::operation::{JSON, NOT_MODIFIED, Operation, admin};
use crate::routes::admin::signing_keys;

const KEY: &str = "The key with its public half; ETag";

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        admin(Get, "/api/v1/tenant/{id}/keys", Keys)
            .named("list_keys", "List a tenant's signing keys.")
            .answer::<signing_keys::Keys>("200", "All of them, in the order of their numbers, removed ones too"),
        admin(Get, "/api/v1/tenant/{id}/keys/{kid}", Keys)
            .named("get_key", "Look at a signing key.")
            .choice("format", &["jwk", "pem", ""], "The public half alone; empty counts as absent")
            .answer::<signing_keys::Key>("200", KEY)
            .answer_as("200", KEY, "application/jwk+json", json!({ "type": "object", "additionalProperties": { "type": "string" }, "propertyNames": { "type": "string" } }))
            .answer_as("200", KEY, "application/x-pem-file", json!({ "type": "string" }))
            .empty_answer("304", NOT_MODIFIED),
        admin(Get, "/api/v1/tenant/{id}/keys/status", Keys)
            .named("get_key_status", "Ask which keys verifiers have.")
            .answer::<KeyStatusView>("200", "The key that signs, the one that is announced, and who has fetched it"),
        admin(Post, "/api/v1/tenant/{id}/keys/rotate", Keys)
            .named("rotate_key", "Replace the key that signs.")
            .idempotent()
            .optional_body::<KeyRotation>(JSON, "May be left out")
            .answer::<KeysChanged>("200", "The keys as they are now: the next one takes over when it has been published for publish_before; in an emergency at once, and all others are gone")
            .error("409", "An emergency that is not confirmed: breaks says whose tokens are refused from then on"),
        admin(Post, "/api/v1/tenant/{id}/keys", Tenants)
            .named("import_key", "Bring a key in.")
            .idempotent()
            .body::<ImportSettings>(JSON, None)
            .answer::<KeysChanged>("201", "The keys as they are now: it takes over when it has been published for publish_before; Location")
            .error("400", "It is no private key that can be used, or is of another algorithm than the tenant signs with; errors says which")
            .error("403", "The token lacks the scope; for the tenant platform always")
            .error("409", "The tenant has or had the key, or it would keep an announced one from ever signing"),
        admin(Delete, "/api/v1/tenant/{id}/keys/{kid}", Keys)
            .named("revoke_key", "Take a key away at once.")
            .query("boolean", "confirm", "The asker knows what it breaks")
            .answer::<KeysChanged>("200", "The keys as they are now; if it signed, another one signs at once")
            .error("409", "Not confirmed: breaks says whose tokens are refused from then on. Or it is removed already"),
    ]
}
