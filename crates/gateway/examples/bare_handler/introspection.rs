//! Introspection: authenticates the client, verifies an RS256 token with a key that is parsed once,
//! checks its end and repeats its claims (RFC 7662 §2.2). Forward authentication: does the same with
//! the token of the request, for one audience.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::web::{Data, Form, Query};
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
struct Claims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    client_id: String,
    scope: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
}

#[derive(Deserialize)]
pub(crate) struct Demand {
    audience: String,
    scope: String,
}

/// The claims are absent for a token that is not active.
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

pub(crate) async fn forward_auth(
    request: HttpRequest,
    demand: Query<Demand>,
    state: Data<State>,
) -> HttpResponse {
    let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer "));
    let claims = token.zip(state.public.as_ref()).and_then(|(token, key)| verify(key, token));
    match claims {
        Some(claims) if claims.aud.contains(&demand.audience) && claims.scope == demand.scope => {
            HttpResponse::Ok()
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header(("x-auth-tenant", "bench"))
                .insert_header(("x-auth-subject", claims.sub))
                .insert_header(("x-auth-client", claims.client_id))
                .insert_header(("x-auth-scope", claims.scope))
                .finish()
        }
        _ => HttpResponse::Unauthorized().finish(),
    }
}

/// There is one key of one algorithm, so the header has no effect.
fn verify(key: &ParsedPublicKey, token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, claims) = signed.split_once('.')?;
    key.verify_sig(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (claims.exp > unix_time()?).then_some(claims)
}
