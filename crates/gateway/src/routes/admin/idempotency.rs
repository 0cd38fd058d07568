//! `Idempotency-Key`: if a client repeats a creation because the response was lost, the row is
//! created only once (draft-ietf-httpapi-idempotency-key-header).

use actix_web::http::header::HeaderName;
use administration::administrator::Idempotency;

use crate::request::RawRequest;
use crate::respond::Problem;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key, and a digest of method, path and body that identifies the request.
pub(super) fn idempotency(raw: &RawRequest, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = raw.list(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let repeatable =
        Idempotency::from_key(key.into_owned(), [raw.method().as_bytes(), raw.path().as_bytes(), body]);
    let unfit = || Problem::invalid("Idempotency-Key must be 1 to 255 printable ASCII characters", vec![]);
    repeatable.map(Some).ok_or_else(unfit)
}
