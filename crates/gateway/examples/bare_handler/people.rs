//! The steps of a sign-in: a page, the hash of a password, a code (which the handler does not
//! remember), and the claims about a person for an RS256 token.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, ContentType, LOCATION, SET_COOKIE};
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::State;
use crate::introspection::verify;

const CALLBACK: &str = "http://127.0.0.1:3001/callback";
const SALT: &[u8; 16] = b"salt of one user";

#[derive(Deserialize)]
pub(crate) struct SignIn {
    identifier: String,
    password: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    name: &'a str,
    given_name: &'a str,
    family_name: &'a str,
    locale: &'a str,
    email: &'a str,
    email_verified: bool,
}

/// Responds with a page if the browser has no session, otherwise with a code.
pub(crate) async fn authorize(request: HttpRequest) -> HttpResponse {
    let has_session =
        request.headers().get(COOKIE).is_some_and(|cookie| cookie.as_bytes().starts_with(b"session="));
    if !has_session {
        return HttpResponse::Ok()
            .insert_header((SET_COOKIE, "browser=b"))
            .content_type(ContentType::html())
            .body(r#"<input name="flow" value="f">"#);
    }
    let Some(code) = code() else { return HttpResponse::InternalServerError().finish() };
    HttpResponse::SeeOther().insert_header((LOCATION, format!("{CALLBACK}?code={code}&state=load"))).finish()
}

pub(crate) async fn sign_in(form: Form<SignIn>, state: Data<State>) -> HttpResponse {
    let hash = hash(&form.password);
    let is_right = hash.is_some_and(|hash| verify_slices_are_equal(&hash, &state.password).is_ok());
    let code = code().filter(|_| is_right && form.identifier == "ada@example.com");
    let Some(code) = code else { return HttpResponse::Unauthorized().finish() };
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((SET_COOKIE, "session=s"))
        .content_type(ContentType::html())
        .body(format!(r#"<a href="{CALLBACK}?code={code}&amp;state=load">"#))
}

pub(crate) async fn userinfo(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let token =
        request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.zip(state.public.as_ref()).and_then(|(token, key)| verify(key, token));
    let Some(claims) = claims else { return HttpResponse::Unauthorized().finish() };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Claims {
        sub: &claims.client_id,
        name: "Ada Lovelace",
        given_name: "Ada",
        family_name: "Lovelace",
        locale: "en",
        email: "ada@example.com",
        email_verified: true,
    })
}

/// Argon2id with 19 MiB and two passes, as OWASP recommends. The memory is reused.
pub(crate) fn hash(password: &str) -> Option<[u8; 32]> {
    thread_local! {
        static MEMORY: std::cell::RefCell<Vec<Block>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    let parameters = Params::new(19_456, 2, 1, None).ok()?;
    let mut hash = [0; 32];
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(parameters.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        argon2.hash_password_into_with_memory(password.as_bytes(), SALT, &mut hash, memory).ok()
    })?;
    Some(hash)
}

fn code() -> Option<String> {
    let mut code = [0; 32];
    aws_lc_rs::rand::fill(&mut code).ok()?;
    Some(URL_SAFE_NO_PAD.encode(code))
}
