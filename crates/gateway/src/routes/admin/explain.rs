//! `POST …/clients/{client}/explain`: the response that the token endpoint would give to a request
//! of the client, and why. Requires `latchkey:clients` of the platform or of the tenant. Changes
//! nothing, so it is not in the audit.

use actix_web::http::StatusCode;
use administration::documents::{ExplainSettings, ExplanationView};
use administration::kinds::Permission::Clients;
use registry::{Client, ClientId};
use serde_json::{Value, json};
use tenancy::TenantId;
use values::Secret;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use crate::documents;
use crate::explain::{ExplainedRequest, PresentedParts, explain as explained};
use crate::openapi::HttpMethod::Post;
use crate::openapi::Operation;
use crate::request::JSON;
use crate::respond::ResponseDocument;

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Post, "/api/v1/tenant/{id}/clients/{client}/explain", Clients, explain)
            .named("explain_client", "Explain how the token endpoint would answer a client's request.")
            .optional_body::<ExplainSettings>(JSON, "All members have defaults")
            .answer::<ExplanationView>(
                "200",
                "The result and each check, also for a request that would be refused; no token is signed",
            )
            .error("429", "Too many writes, or too many wrong secrets; Retry-After")
            .request_example(|| json!({ "scope": "orders:read", "resource": [] }))
            .answer_example(example),
    ]
}

async fn explain(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let mut settings = documents::read(&request.raw.json().await?, ExplainSettings::read)?;
    let presented = PresentedParts {
        secret: settings.client_secret.take().map(Secret::new),
        assertion: settings.client_assertion.take().map(Secret::new),
        dpop_proof: settings.dpop_proof.take().map(Secret::new),
        access_token: settings.access_token.take().map(Secret::new),
    };
    let AdminRequest { administrator, tokens: services, caller, target: (tenant, client), raw } = &request;
    // An unknown client is 404, even if the request has a secret, which is not checked then.
    administrator.of(caller, tenant).look::<Client>(client).await?;
    let (settings, source, public_url) = (&settings, raw.source(), administrator.public_url());
    let now = caller.now;
    let asked =
        ExplainedRequest { services, tenant, client, settings, source, now, public_url, is_by_key: false };
    ResponseDocument::from_status(StatusCode::OK).body(&explained(&asked, presented).await?)
}

fn example() -> Value {
    let passed = |name: &str, detail: &str| json!({ "name": name, "result": "passed", "detail": detail });
    json!({
        "result": { "status": 200 },
        "checks": [
            passed("tenant", "The tenant is active and OAuth is enabled."),
            passed("parameters", "The parameters are valid."),
            passed("grant_type", "The client is registered for the grant type."),
            passed("format", "The tenant's token format is supported."),
            passed("sender", "The token is a bearer token, which client and tenant allow."),
            passed("audience", "The audience is orders: the client's audiences, because no resource is requested."),
            passed("scope", "1 granted, 0 omitted."),
            passed("signing_key", "oauth2-key-1 signs with RS256."),
        ],
        "credential": {
            "method": "client_secret_basic",
            "checks": [
                passed("client", "The client is active."),
                passed("method", "The method is supported, and the client is registered for any."),
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
