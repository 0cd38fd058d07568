//! `/dev/mail`: the messages that a development server has caught. Other servers do not have these paths.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpResponse, ResponseError as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pages::{CaughtLetter, CaughtMailPage, Common};

use super::public_route::{PublicRoute, get};
use crate::caught_mail::CaughtMail;
use crate::options::BaseUrl;
use crate::page::{Opener, common, passive, respond};
use crate::request::{RawRequest, ServerFailure};
use crate::respond::{OAuthError, no_store};

/// Messages contain styles, and the logo as a `data:` URL.
const POLICY: HeaderValue =
    HeaderValue::from_static("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");

pub(super) fn routes(caught: CaughtMail) -> [PublicRoute; 2] {
    let of_html = caught.clone();
    [
        get("/dev/mail", move |public_url: Data<BaseUrl>| {
            let page = page(&caught, &public_url);
            async move { page }
        }),
        get("/dev/mail/{message}", move |raw: RawRequest| {
            let mut letters = of_html.letters().into_iter();
            let found = letters.find(|letter| raw.place("message") == Some(&letter.id));
            async move {
                match found {
                    Some(letter) => html(&letter),
                    None => OAuthError::from(ServerFailure::UnknownPath).error_response(),
                }
            }
        }),
    ]
}

fn page(caught: &CaughtMail, public_url: &BaseUrl) -> HttpResponse {
    let common = Common { nonce: String::new(), ..common(public_url) };
    respond(StatusCode::OK, &CaughtMailPage { common, letters: caught.letters() }, Opener::Severed)
}

fn html(letter: &CaughtLetter) -> HttpResponse {
    let mut html = letter.html.clone();
    if let Some((media_type, picture)) = &letter.logo {
        let picture = BASE64_STANDARD.encode(&**picture);
        html = html.replace("cid:logo", &format!("data:{media_type};base64,{picture}"));
    }
    let mut response = no_store(StatusCode::OK);
    passive(&mut response).insert_header((CONTENT_SECURITY_POLICY, POLICY));
    response.insert_header(ContentType::html()).body(html)
}
