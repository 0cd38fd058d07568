//! JSON answers and how long they may be kept.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ContentType, PRAGMA};
use serde::Serialize;

use super::OAuthError;

/// An answer that may hold a token: "Cache-Control: no-store" and "Pragma: no-cache" (RFC 6749 §5.1).
pub(crate) fn secret_json(body: &impl Serialize) -> Result<HttpResponse, OAuthError> {
    json(body, "no-store")
}

/// An answer that may be kept for five minutes, as a key set by default.
pub(crate) fn fresh_json(body: &impl Serialize) -> Result<HttpResponse, OAuthError> {
    json(body, "public, max-age=300")
}

fn json(body: &impl Serialize, cache_control: &'static str) -> Result<HttpResponse, OAuthError> {
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, body).map_err(|error| OAuthError::fault(&error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::json()).insert_header((CACHE_CONTROL, cache_control));
    if cache_control == "no-store" {
        response.insert_header((PRAGMA, "no-cache"));
    }
    Ok(response.body(bytes))
}
