//! `GET /jwks`: the RSA key as a document that is built once. Responds with 304 if the caller
//! already has it (RFC 7517 §5, RFC 9110 §13.1.2).

use actix_web::http::header::{CACHE_CONTROL, ContentType, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{KEY_ID, State};

const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) struct Document {
    json: Bytes,
    tag: HeaderValue,
}

impl Document {
    pub(crate) fn from_pair(pair: &RsaKeyPair) -> Option<Self> {
        let public = pair.public_key();
        let modulus = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let exponent = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        let key = serde_json::json!({
            "kty": "RSA", "kid": KEY_ID, "use": "sig", "alg": "RS256", "n": modulus, "e": exponent
        });
        let json = Bytes::from(serde_json::json!({ "keys": [key] }).to_string());
        let tag = URL_SAFE_NO_PAD.encode(digest(&SHA256, &json));
        Some(Self { json, tag: HeaderValue::from_str(&format!("\"{tag}\"")).ok()? })
    }
}

pub(crate) async fn jwks(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let Some(Document { json, tag }) = &state.jwks else {
        return HttpResponse::NotFound().finish();
    };
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag.clone())).insert_header((CACHE_CONTROL, MAX_AGE));
    if known { response.finish() } else { response.insert_header(ContentType::json()).body(json.clone()) }
}
