//! `/api/v1/tenant/{id}/keys…`: show a tenant's signing keys, with `latchkey:keys` of the platform
//! or of the tenant. Private keys are never shown.

use actix_web::http::StatusCode;
use administration::documents;
use administration::documents::schema::JsonSchema;
use administration::kinds::Permission;
use keys::Kid;
use serde::Serialize;
use serde_json::{Value, json};
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::names::segment;
use crate::openapi::HttpMethod::Get;
use crate::openapi::{NOT_MODIFIED, Operation};
use crate::respond::{Problem, ResponseDocument, looked_at, looked_at_as};

const KEY: &str = "The key with its public half; ETag";

/// All signing keys of a tenant.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Keys")]
pub(crate) struct SigningKeys {
    items: Vec<documents::KeyView>,
}

/// A key with its public key.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Key {
    #[serde(flatten)]
    key: documents::KeyView,
    #[serde(flatten)]
    public: documents::PublicKeyView,
}

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/tenant/{id}/keys", Permission::Keys, list)
            .named("list_keys", "List a tenant's signing keys.")
            .answer::<SigningKeys>("200", "All keys in the order of their numbers, including removed keys")
            .answer_example(|| json!({ "items": [example()] })),
        at(Get, "/api/v1/tenant/{id}/keys/{kid}", Permission::Keys, look)
            .named("get_key", "Get a signing key.")
            .choice(
                "format",
                &["jwk", "pem", ""],
                "Returns only the public key; an empty value counts as absent",
            )
            .answer::<Key>("200", KEY)
            .answer_as(
                "200",
                KEY,
                "application/jwk+json",
                json!({
                               "type": "object",
                "additionalProperties": { "type": "string" },
                "propertyNames": { "type": "string" },
                           }),
            )
            .text("200", KEY, "application/x-pem-file")
            .empty_answer("304", NOT_MODIFIED),
        at(Get, "/api/v1/tenant/{id}/keys/status", Permission::Keys, status)
            .named("get_key_status", "Find out which keys verifiers have.")
            .answer::<documents::KeyStatusView>(
                "200",
                "The key that signs, the announced key, and who has fetched it",
            )
            .answer_example(|| {
                json!({
                    "signing": example(),
                    "verifiers": [{
                        "verifier": "orders/1.4 192.0.2.0/24",
                        "last_fetch_at": "2030-01-31T12:00:00Z",
                        "newest_kid": "oauth2-key-1",
                        "has_announced": true,
                    }],
                })
            }),
    ]
}

async fn list(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let items = administrator.of(caller, tenant).keys().await?;
    ResponseDocument::from_status(StatusCode::OK).body(&SigningKeys { items })
}

async fn look(request: AdminRequest<(TenantId, Kid)>) -> Answer {
    let known = |format: &str| match format {
        "jwk" | "pem" => Ok(format.to_owned()),
        _ => Err("must be jwk or pem"),
    };
    let format = request.query(|query| query.parsed("format", known))?;
    let AdminRequest { administrator, caller, target: (tenant, key), raw, .. } = &request;
    let (key, public) = administrator.of(caller, tenant).public_key(*key).await?;
    match format.as_deref() {
        Some("jwk") => {
            let jwk = serde_json::to_string(&public.jwk).map_err(|error| Problem::fault(&error))?;
            Ok(looked_at_as(raw, "application/jwk+json", jwk))
        }
        Some(_) => Ok(looked_at_as(raw, "application/x-pem-file", public.pem)),
        None => looked_at(raw, &Key { key, public }),
    }
}

async fn status(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    ResponseDocument::from_status(StatusCode::OK).body(&administrator.of(caller, tenant).key_status().await?)
}

segment! { Kid, "key", ("kid", "As in the key set: oauth2-key-1", "oauth2-key-1"): |raw| raw.place("kid").and_then(Self::parse) }

pub(super) fn example() -> Value {
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
