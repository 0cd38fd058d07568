//! `GET …/.well-known/jwks.json`: a tenant's public keys (RFC 7517 §5) as a prebuilt document.
//! Records which verifiers fetch it, so that a new key can wait until they have it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Data};
use keys::JwkSet;
use keys::life_cycle::JwksCacheLifetime;
use tenancy::{Tenant, TenantError};
use values::Timestamp;

use crate::Services;
use crate::request::RawRequest;
use crate::respond::{APPLICATION_JSON, OAuthResult};

pub(crate) async fn jwks(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let now = (services.clock)();
    let tenant = services.tokens.tenants.resolve_key_publisher(raw.tenant_or_default(), now).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let ring = services.keys.ring(&tenant, now).await?;
    let set = ring.jwk_set(now);
    if set.keys.is_empty() {
        // The tenant was suspended before it had a key. A verifier that caches an empty set would
        // refuse the tenant's first tokens after it is resumed.
        return Err(TenantError::Unknown.into());
    }
    record_fetch(&services, &raw, &tenant, &set, now);
    let known = raw.knows(&set.etag);
    Ok(answer(&set, known, cache_control(ring.cache_lifetime(&tenant, now))))
}

/// All responses share one copy of the document.
fn answer(set: &JwkSet, known: bool, cache_control: HeaderValue) -> HttpResponse {
    let mut response = if known {
        HttpResponse::new(StatusCode::NOT_MODIFIED)
    } else {
        HttpResponse::with_body(StatusCode::OK, BoxBody::new(set.json.clone()))
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_maybe_shared(set.etag.clone()) {
        headers.insert(ETAG, tag);
    }
    headers.insert(CACHE_CONTROL, cache_control);
    if !known {
        headers.insert(CONTENT_TYPE, APPLICATION_JSON);
    }
    response
}

/// A verifier that gets 304 already has the set. A verifier that sends HEAD may not have it.
fn record_fetch(services: &Services, raw: &RawRequest, tenant: &Tenant, set: &JwkSet, now: Timestamp) {
    if raw.method() == Method::HEAD.as_str() {
        return;
    }
    if let Some(newest) = set.keys.iter().map(|key| key.kid).max() {
        services.jwks_fetches.note(&tenant.id, raw.user_agent(), &raw.source(), newest, now);
    }
}

/// Maximum number of different header values in memory per worker. Most tenants have the default
/// durations.
const KEPT: usize = 1024;

/// Reuses the header value of equal durations.
fn cache_control(JwksCacheLifetime { max_age, stale }: JwksCacheLifetime) -> HeaderValue {
    thread_local! {
        static WRITTEN: RefCell<BTreeMap<(u64, u64), HeaderValue>> = RefCell::default();
    }
    let spans = (max_age.seconds(), stale.seconds());
    WRITTEN.with_borrow_mut(|written| {
        if let Some(value) = written.get(&spans) {
            return value.clone();
        }
        if written.len() >= KEPT {
            written.clear();
        }
        let text = format!("public, max-age={}, stale-while-revalidate={}", spans.0, spans.1);
        let value = HeaderValue::from_maybe_shared(Bytes::from(text));
        let value = value.unwrap_or_else(|_| HeaderValue::from_static("no-cache"));
        written.entry(spans).or_insert(value).clone()
    })
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use keys::{KeyId, KeyPool, SigningKey};
    use protocol::SigningAlgorithm;
    use tenancy::TenantId;

    use super::*;

    #[tokio::test]
    async fn all_responses_share_one_document_in_memory() {
        let algorithm = SigningAlgorithm::ES256;
        let spec = keys::KeySpec { algorithm: algorithm.into(), rsa_size: keys::RsaSize::default() };
        let document = KeyPool::new(0).take(&TenantId::parse("acme").unwrap(), spec).await.unwrap();
        let key = SigningKey::parse(KeyId::numbered(1), algorithm, document.expose()).unwrap();
        let set = JwkSet::new(vec![key.jwk.clone()]);
        let body = |known| {
            let answer = answer(&set, known, HeaderValue::from_static("no-cache"));
            answer.into_body().try_into_bytes().unwrap()
        };
        for _ in 0..2 {
            let body = body(false);
            assert_eq!((body.as_ptr(), body.len()), (set.json.as_ptr(), set.json.len()));
        }
        assert!(body(true).is_empty());
    }

    #[test]
    fn cache_control_supports_any_number_of_lifetimes() {
        let span = values::Lifetime::from_seconds;
        for _ in 0..2 {
            for max_age in 0..3000 {
                let value = cache_control(JwksCacheLifetime { max_age: span(max_age), stale: span(60) });
                let expected = format!("public, max-age={max_age}, stale-while-revalidate=60");
                assert_eq!(value.to_str().unwrap(), expected);
            }
        }
    }
}
