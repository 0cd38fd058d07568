//! The answer of an authorization request to the client.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use pages::{Continue, ErrorKind, ErrorPage, FormPost, Link};
use protocol::{AuthorizationError, ResponseMode};

use super::authorization::{Addressee, RefusedAuthorization};
use crate::options::BaseUrl;
use crate::page::{Opener, common_of, respond};
use crate::request::request_id;
use crate::respond::no_store;

/// Sends the browser back with an answer: by a redirect after a navigation, and by a page after a form,
/// because browsers apply the policy of forms to the redirects after one.
pub(super) fn send(
    to: &Addressee,
    outcome: Result<String, AuthorizationError>,
    is_after_form: bool,
    public_url: &BaseUrl,
) -> HttpResponse {
    let response = to.response(outcome);
    let common = || common_of(&to.tenant, Some(to.client.name.clone()), public_url);
    match (response.mode, is_after_form) {
        (ResponseMode::FormPost, _) => {
            let fields = response.parameters().into_iter();
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let page = FormPost { common: common(), to: response.redirect_uri.clone(), fields };
            respond(StatusCode::OK, &page, Opener::from_client(&to.client))
        }
        (ResponseMode::Query, true) => {
            let page = Continue { common: common(), to: response.location() };
            respond(StatusCode::OK, &page, Opener::from_client(&to.client))
        }
        // RFC 9700 §4.12: "The redirection response MUST NOT use 307".
        (ResponseMode::Query, false) => {
            no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, response.location())).finish()
        }
    }
}

/// Shows a refusal to the person, with a link back: "The authorization server MUST always authenticate the
/// user first … before redirecting" (RFC 9700 §4.11.2).
pub(super) fn show(refused: &RefusedAuthorization, public_url: &BaseUrl) -> HttpResponse {
    let RefusedAuthorization { to, error, .. } = refused;
    let back = to.response(Err(error.clone()));
    let page = ErrorPage {
        common: common_of(&to.tenant, Some(to.client.name.clone()), public_url),
        kind: ErrorKind::BadRequest,
        detail: Some(error.description.to_string()),
        code: Some(error.error.as_str()),
        request_id: request_id(),
        back: (back.mode == ResponseMode::Query)
            .then(|| Link { name: to.client.name.clone(), url: back.location() }),
    };
    respond(StatusCode::BAD_REQUEST, &page, Opener::from_client(&to.client))
}
