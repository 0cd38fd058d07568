//! JSON responses and their lifetime in caches.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::no_store::no_store;
use super::{OAuthError, OAuthResult};

/// `ContentType::json()` makes a copy of this text for each response.
pub(crate) const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A response that may hold a token.
pub(crate) fn secret_json(body: &impl Serialize) -> OAuthResult {
    json(no_store(StatusCode::OK), body)
}

/// A response to a request that has created something secret.
pub(crate) fn created_secret_json(body: &impl Serialize) -> OAuthResult {
    json(no_store(StatusCode::CREATED), body)
}

/// A document that holds a token.
pub(crate) fn secret_document(json: Vec<u8>) -> HttpResponse {
    no_store(StatusCode::OK).insert_header((CONTENT_TYPE, APPLICATION_JSON)).body(json)
}

/// A response that caches store for five minutes, like a key set by default.
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
