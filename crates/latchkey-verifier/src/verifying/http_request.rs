//! Requests and responses of the crate `http`, which axum and tower share.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::verifying::bearer::ClientCertificate;
use crate::{Refusal, RequestFacts};

/// The facts of a request.
pub(crate) fn facts<'a>(
    method: &'a Method,
    path: &'a str,
    headers: &'a HeaderMap,
    certificate: Option<&ClientCertificate>,
) -> RequestFacts<'a> {
    let facts =
        RequestFacts::new(method.as_str(), path).certificate(certificate.map(|certificate| certificate.0));
    let authorization = headers.get_all(AUTHORIZATION).iter();
    let facts = authorization.fold(facts, |facts, value| facts.authorization(value.as_bytes()));
    headers.get_all("dpop").iter().fold(facts, |facts, value| facts.dpop(value.as_bytes()))
}

/// The answer of a refusal.
pub(crate) fn answer<B: From<String>>(refusal: &Refusal) -> Response<B> {
    let mut response = Response::new(B::from(refusal.body()));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in refusal.headers() {
        // Each value consists of printable characters.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
