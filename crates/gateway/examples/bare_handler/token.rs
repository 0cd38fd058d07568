//! The token endpoint: reads the form, compares the digest of the secret, signs and answers.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Form};
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
    let Some(token) = access_token(&state, &client, &form.scope) else {
        return HttpResponse::InternalServerError().finish();
    };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Token {
        access_token: &token,
        token_type: "Bearer",
        expires_in: LIFETIME,
        scope: &form.scope,
    })
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
