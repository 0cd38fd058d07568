//! `POST /oauth/token`: parses the form, compares the digest of the secret or verifies the
//! assertion, signs and responds.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::introspection::Confirmation;
use crate::{State, proof, unix_time};

pub(crate) const ISSUER: &str = "http://127.0.0.1:3000/api/v1/tenant/bench";
const URL: &str = "http://127.0.0.1:3000/api/v1/tenant/bench/oauth/token";
const LIFETIME: u64 = 3600;

#[derive(Deserialize)]
pub(crate) struct Request {
    grant_type: String,
    #[serde(default)]
    scope: String,
    client_assertion: Option<String>,
    code: Option<String>,
    refresh_token: Option<String>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

pub(crate) async fn token(request: HttpRequest, form: Form<Request>, state: Data<State>) -> HttpResponse {
    let is_of_person = match form.grant_type.as_str() {
        "authorization_code" => form.code.is_some(),
        "refresh_token" => form.refresh_token.is_some(),
        _ => false,
    };
    if !is_of_person && form.grant_type != "client_credentials" {
        return HttpResponse::BadRequest().finish();
    }
    let client = match &form.client_assertion {
        Some(assertion) => state.assertion_key.authenticate(assertion),
        None => state.secret.authenticate(&request),
    };
    let Some(client) = client else {
        return HttpResponse::Unauthorized().finish();
    };
    // Without the header the token is not bound to a key.
    let jkt = request.headers().contains_key("dpop").then(|| proof::verify(&request, URL, None));
    let cnf = match jkt {
        Some(Some(jkt)) => Some(Confirmation { jkt }),
        Some(None) => return HttpResponse::BadRequest().finish(),
        None => None,
    };
    let token_type = if cnf.is_some() { "DPoP" } else { "Bearer" };
    let Some(token) = access_token(&state, &client, &form.scope, cnf) else {
        return HttpResponse::InternalServerError().finish();
    };
    // The ID token is signed like the access token.
    let id_token = is_of_person.then(|| access_token(&state, &client, "openid", None)).flatten();
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Token {
        access_token: &token,
        token_type,
        expires_in: LIFETIME,
        scope: &form.scope,
        id_token,
        refresh_token: is_of_person.then_some("lk_rt_of_the_bare_handler"),
    })
}

fn access_token(state: &State, client: &str, scope: &str, cnf: Option<Confirmation>) -> Option<String> {
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
        cnf,
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
