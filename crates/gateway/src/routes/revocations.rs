//! `GET …/oauth/revocations`: the signed revocations of a tenant, for verifiers that check tokens themselves
//! (docs/revocation.md). The feed of a suspended tenant is served as long as its keys are: verifiers must
//! learn that its tokens are invalid.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::web::{Bytes, Data};
use tenancy::TenantError;

use crate::Services;
use crate::request::{RawRequest, ServerFailure};
use crate::respond::OAuthResult;

/// The time for which a replica trusts its own copy.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=10");
/// RFC 7515 §9.2.1, RFC 7519 §10.3.1.
const JWT: HeaderValue = HeaderValue::from_static("application/jwt");

pub(crate) async fn revocations(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let now = (services.clock)();
    let tenant = services.tokens.tenants.resolve_key_publisher(raw.tenant_or_default(), now).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    // A tenant without a key has issued nothing. Signing would create its first key because of a stranger's
    // request.
    let key = services.tokens.engine.existing_signing_key(&tenant, now).await?.ok_or(TenantError::Unknown)?;
    let feed = services
        .tokens
        .engine
        .revocation_feed(&tenant, &key, now)
        .await?
        .ok_or(ServerFailure::Unavailable)?;
    let is_known = raw.knows(&feed.etag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, &*feed.etag)).insert_header((CACHE_CONTROL, FRESH));
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((CONTENT_TYPE, JWT)).body(Bytes::from_owner(Arc::clone(&feed.jws))))
}
