//! The files that pages load. Each path contains the file's digest, so a copy never becomes stale.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::web::{Bytes, Data};
use pages::Asset;
use values::ImageFormat;

use crate::Services;
use crate::page::{passive, theme_of};
use crate::request::{RawRequest, ServerFailure};
use crate::respond::OAuthResult;

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");

/// `GET /assets/{hash}/{file}`: what belongs to no tenant.
pub(super) async fn asset(raw: RawRequest) -> OAuthResult {
    let asset = raw.place("file").and_then(Asset::named).ok_or(ServerFailure::UnknownPath)?;
    Ok(file(&raw, raw.place("hash"), asset.hash(), asset.media_type(), asset.text()))
}

/// `GET /api/v1/tenant/{id}/oauth/theme/{hash}.css`: the style of a tenant.
pub(super) async fn theme(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let requested =
        raw.place("file").and_then(|name| name.strip_suffix(".css")).ok_or(ServerFailure::UnknownPath)?;
    let theme = theme_of(&tenant).unwrap_or_default();
    Ok(file(&raw, Some(requested), &theme.hash(), "text/css; charset=utf-8", theme.css()))
}

/// `GET /api/v1/tenant/{id}/oauth/logo/{hash}`: a logo that the tenant shows. The digest of another tenant's
/// logo is unknown here.
pub(super) async fn logo(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let requested = raw.place("hash").unwrap_or_default();
    let shown =
        tenant.branding.logos().find(|logo| logo.hash() == requested).ok_or(ServerFailure::UnknownPath)?;
    let content =
        services.rows.logos.find_logo(&tenant.id, shown.hash()).await?.ok_or(ServerFailure::UnknownPath)?;
    // No rule lets anything else into a store.
    let format = ImageFormat::from_bytes(&content).ok_or(ServerFailure::UnknownPath)?;
    Ok(file(
        &raw,
        Some(requested),
        shown.hash(),
        format.media_type(),
        Bytes::from_owner(SharedBytes(content)),
    ))
}

/// The bytes that the cache holds, sent without a copy.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// While replicas of two versions serve, or while a change of a tenant propagates, a page may name a file by
/// another digest. It gets the file of this replica, and caches it for this time only.
fn file(
    raw: &RawRequest,
    requested: Option<&str>,
    hash: &str,
    media_type: &'static str,
    content: impl MessageBody + 'static,
) -> HttpResponse {
    let lifetime = if requested == Some(hash) { FOREVER } else { REVALIDATED };
    let tag = format!("\"{hash}\"");
    let is_known = raw.knows(&tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    passive(&mut response).insert_header((CACHE_CONTROL, lifetime)).insert_header((ETAG, tag));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, media_type)).body(content)
}
