//! `POST /introspect`: authenticates the client, verifies an RS256 token with a key that is parsed
//! once, checks its expiry and returns its claims (RFC 7662 §2.2).

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::{State, unix_time};

#[derive(Deserialize)]
pub(crate) struct Request {
    token: String,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Claims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cnf: Option<Confirmation>,
}

/// The key that a token is bound to (RFC 9449 §6.1).
#[derive(Deserialize, Serialize)]
pub(crate) struct Confirmation {
    pub(crate) jkt: String,
}

/// An inactive token has no claims.
#[derive(Serialize)]
struct Answer {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(flatten)]
    claims: Option<Claims>,
}

pub(crate) async fn introspect(
    request: HttpRequest,
    form: Form<Request>,
    state: Data<State>,
) -> HttpResponse {
    let Some(client) = state.secret.authenticate(&request) else {
        return HttpResponse::Unauthorized().finish();
    };
    let Some(key) = &state.public else {
        return HttpResponse::NotFound().finish();
    };
    let claims = verify(key, &form.token).filter(|claims| claims.client_id == client);
    let token_type = claims.is_some().then_some("Bearer");
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Answer {
        active: claims.is_some(),
        token_type,
        claims,
    })
}

/// Ignores the header, because there is only one key with one algorithm.
pub(crate) fn verify(key: &ParsedPublicKey, token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, claims) = signed.split_once('.')?;
    key.verify_sig(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (claims.exp > unix_time()?).then_some(claims)
}
