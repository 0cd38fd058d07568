//! `Idempotency-Key`: a creation that is sent again, because its answer was lost, is done once
//! (draft-ietf-httpapi-idempotency-key-header).

use actix_web::http::header::HeaderName;
use administration::Idempotency;
use aws_lc_rs::digest::{Context, SHA256};

use crate::raw_request::RawRequest;
use crate::respond::Problem;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The key, and what makes the request the same one: method, path and body.
pub(super) fn idempotency(raw: &RawRequest, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = raw.list(&KEY) else { return Ok(None) };
    let fits = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !fits {
        return Err(Problem::invalid("Idempotency-Key must be 1 to 255 printable ASCII characters", vec![]));
    }
    let mut digest = Context::new(&SHA256);
    for part in [raw.method().as_bytes(), raw.path().as_bytes(), body] {
        // A length before each part, so that no two requests are one text.
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut request = [0; 32];
    request.copy_from_slice(digest.finish().as_ref());
    Ok(Some(Idempotency { key, request }))
}
