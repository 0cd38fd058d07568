//! The files that pages load. The path of a file contains a hash of its content, so that browsers
//! can cache it forever.

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

/// `GET /assets/{hash}/{file}`: files that are the same for all tenants.
pub(super) async fn asset(raw: RawRequest) -> OAuthResult {
    let asset = raw.place("file").and_then(Asset::named).ok_or(ServerFailure::UnknownPath)?;
    Ok(file(&raw, raw.place("hash"), asset.hash(), asset.media_type(), asset.text()))
}

/// `GET /api/v1/tenant/{id}/oauth/theme/{hash}.css`: the style sheet of a tenant.
pub(super) async fn theme(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let requested =
        raw.place("file").and_then(|name| name.strip_suffix(".css")).ok_or(ServerFailure::UnknownPath)?;
    let theme = theme_of(&tenant).unwrap_or_default();
    Ok(file(&raw, Some(requested), &theme.hash(), "text/css; charset=utf-8", theme.css()))
}

/// `GET /api/v1/tenant/{id}/oauth/logo/{hash}`: a logo of the tenant. The hash of another tenant's
/// logo is 404.
pub(super) async fn logo(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let requested = raw.place("hash").unwrap_or_default();
    let shown =
        tenant.branding.logos().find(|logo| logo.hash() == requested).ok_or(ServerFailure::UnknownPath)?;
    let content =
        services.rows.logos.find_logo(&tenant.id, shown.hash()).await?.ok_or(ServerFailure::UnknownPath)?;
    // The rules refuse other content before it is stored.
    let format = ImageFormat::from_bytes(&content).ok_or(ServerFailure::UnknownPath)?;
    Ok(file(
        &raw,
        Some(requested),
        shown.hash(),
        format.media_type(),
        Bytes::from_owner(SharedBytes(content)),
    ))
}

/// Shares the bytes with the cache, so that a response copies nothing.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// During an upgrade, or while a change of the tenant propagates, a page may request the file with
/// another hash. It then gets this replica's file with a short cache time.
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
