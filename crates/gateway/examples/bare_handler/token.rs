//! The token endpoint: reads the form, compares the digest of the secret, signs and answers. Or answers each
//! request with the same token.

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::web::{Bytes, Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::{State, unix_time};

const ISSUER: &str = "http://127.0.0.1:3000/api/v1/tenant/bench";
const LIFETIME: u64 = 3600;

#[derive(Deserialize)]
pub(crate) struct Request {
    grant_type: String,
    #[serde(default)]
    scope: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: [&'a str; 1],
    client_id: &'a str,
    scope: &'a str,
    jti: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
}

#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
    scope: &'a str,
}

pub(crate) async fn token(request: HttpRequest, form: Form<Request>, state: Data<State>) -> HttpResponse {
    if form.grant_type != "client_credentials" {
        return HttpResponse::BadRequest().finish();
    }
    let Some(client) = state.secret.authenticate(&request) else {
        return HttpResponse::Unauthorized().finish();
    };
    match answer(&state, &client, &form.scope) {
        Some(json) => respond(json.into()),
        None => HttpResponse::InternalServerError().finish(),
    }
}

/// Reads the request without looking at it.
pub(crate) async fn fixed(_request: Bytes, state: Data<State>) -> HttpResponse {
    respond(state.answer.clone().unwrap_or_default())
}

pub(crate) fn fixed_answer(state: &State) -> Option<Bytes> {
    answer(state, "bench", "api:read").map(Bytes::from)
}

fn respond(json: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(ContentType::json())
        .body(json)
}

fn answer(state: &State, client: &str, scope: &str) -> Option<Vec<u8>> {
    let access_token = &access_token(state, client, scope)?;
    let token = Token { access_token, token_type: "Bearer", expires_in: LIFETIME, scope };
    serde_json::to_vec(&token).ok()
}

fn access_token(state: &State, client: &str, scope: &str) -> Option<String> {
    let now = unix_time()?;
    let mut jti = [0; 16];
    aws_lc_rs::rand::fill(&mut jti).ok()?;
    let jti = URL_SAFE_NO_PAD.encode(jti);
    let claims = Claims {
        iss: ISSUER,
        sub: client,
        aud: ["bench-api"],
        client_id: client,
        scope,
        jti: &jti,
        iat: now,
        nbf: now,
        exp: now + LIFETIME,
    };
    let mut token = String::with_capacity(1024);
    URL_SAFE_NO_PAD.encode_string(&state.header, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&claims).ok()?, &mut token);
    let signature = state.signer.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Some(token)
}
