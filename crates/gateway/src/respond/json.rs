//! JSON responses and their cache headers.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::no_store::no_store;
use super::{OAuthError, OAuthResult};

/// `ContentType::json()` copies the text for each response.
pub(crate) const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

/// For a response that may contain a token.
pub(crate) fn secret_json(body: &impl Serialize) -> OAuthResult {
    json(no_store(StatusCode::OK), body)
}

/// 201, for a response that contains a new secret.
pub(crate) fn created_secret_json(body: &impl Serialize) -> OAuthResult {
    json(no_store(StatusCode::CREATED), body)
}

/// For a response that contains a token.
pub(crate) fn secret_document(json: Vec<u8>) -> HttpResponse {
    no_store(StatusCode::OK).insert_header((CONTENT_TYPE, APPLICATION_JSON)).body(json)
}

/// Caches store the response for five minutes, which is also the default for key sets.
pub(crate) fn fresh_json(body: &impl Serialize) -> OAuthResult {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "public, max-age=300"));
    json(response, body)
}

fn json(mut response: HttpResponseBuilder, body: &impl Serialize) -> OAuthResult {
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, body).map_err(|error| OAuthError::fault(&error))?;
    Ok(response.insert_header((CONTENT_TYPE, APPLICATION_JSON)).body(bytes))
}
