//! `POST /api/v1/admin/report-signatures`: signs the digest of a report of the command line with
//! the platform's token key. The statement has its own `typ` and no `sub`, `aud` or `exp`, so that
//! no verifier accepts it as a token.

use actix_web::http::StatusCode;
use administration::documents::schema::JsonSchema;
use administration::kinds::Permission::Tenants;
use grants::GrantError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use crate::documents::{self, ReportDigest};
use crate::openapi::HttpMethod::Post;
use crate::openapi::Operation;
use crate::request::{JSON, ServerFailure};
use crate::respond::ResponseDocument;

/// The signed statement about a report.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReportStatement {
    /// The issuer of the tenant `platform`.
    pub iss: String,
    /// The time of the signature, in seconds.
    pub iat: u64,
    /// The version of the server.
    pub version: String,
    /// SHA-256 of the report, in hexadecimal digits.
    pub sha256: String,
}

impl ReportStatement {
    pub const TYP: &str = "latchkey-report+jwt";
}

/// The signature of a report.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportSignature")]
pub struct SignatureReading {
    /// A JWS in compact form (RFC 7515 §7.1).
    pub jws: String,
}

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Post, "/api/v1/admin/report-signatures", Tenants, sign)
            .named("sign_report", "Sign the digest of a report with the platform's key.")
            .body::<ReportDigest>(JSON, None)
            .answer::<SignatureReading>(
                "200",
                "The payload of jws contains iss, iat, the server's version and the digest",
            )
            .error("400", "sha256 is not a valid digest")
            .request_example(
                || json!({ "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" }),
            )
            .answer_example(|| json!({ "jws": "eyJ0eXAiOiJsYXRjaGtleS1yZXBvcnQrand0Iiwi…" })),
    ]
}

async fn sign(mut request: AdminRequest<()>) -> Answer {
    let ReportDigest { sha256 } = documents::read(&request.raw.json().await?, ReportDigest::read)?;
    let (services, now) = (&request.tokens, request.caller.now);
    let platform = services.tenants.resolve(TenantId::PLATFORM).await?;
    let key =
        services.engine.existing_signing_key(&platform, now).await?.ok_or(ServerFailure::Unavailable)?;
    let statement = ReportStatement {
        iss: platform.issuer.to_string(),
        iat: now.seconds(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sha256: sha256.clone(),
    };
    let jws = key.sign(ReportStatement::TYP, &statement).map_err(GrantError::from)?;
    request.administrator.note_signed_report(&request.caller, sha256).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&SignatureReading { jws })
}
