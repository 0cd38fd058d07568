//! `GET /resource`: verifies an ES256 token with a key that is parsed once, its DPoP proof, and
//! that the token is bound to the key of the proof (RFC 9449 §7.1).

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::State;
use crate::introspection::verify;
use crate::proof;

const URL: &str = "http://127.0.0.1:3000/api/v1/protected-resource";

#[derive(Serialize)]
struct Answer<'a> {
    data: &'a str,
    client_id: &'a str,
    scope: &'a str,
}

pub(crate) async fn resource(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let token =
        request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("DPoP "));
    let (Some(token), Some(key)) = (token, &state.public) else {
        return HttpResponse::Unauthorized().finish();
    };
    let claims = verify(key, token);
    let jkt = proof::verify(&request, URL, Some(token));
    match claims {
        Some(claims) if jkt.is_some() && claims.cnf.as_ref().map(|cnf| &cnf.jkt) == jkt.as_ref() => {
            HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Answer {
                data: "Protected resource data",
                client_id: &claims.client_id,
                scope: &claims.scope,
            })
        }
        _ => HttpResponse::Unauthorized().finish(),
    }
}
