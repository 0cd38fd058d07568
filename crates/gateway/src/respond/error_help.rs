//! The link from an error response to the section of its code in docs/errors.md (RFC 8288, relation
//! `help` of the HTML standard).

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LINK};

const ERRORS_PATH: &str = "/docs/errors";

/// The anchor in docs/errors.md: an error code of RFC 6749, the code of a problem, or a code of the
/// Thunder-compatible API.
#[derive(Clone, Copy)]
pub(crate) struct ErrorHelp(pub(crate) &'static str);

/// Does nothing for a response without a code.
pub(crate) fn link_help<B>(response: &mut HttpResponse<B>, public_url: &str) {
    let Some(ErrorHelp(code)) = response.extensions().get::<ErrorHelp>().copied() else { return };
    if let Ok(link) = HeaderValue::try_from(help_link(public_url, code)) {
        response.headers_mut().insert(LINK, link);
    }
}

/// The value of the `Link` header. It starts with the public URL, because a proxy may serve this
/// server below a path.
pub(crate) fn help_link(public_url: &str, code: &str) -> String {
    format!("<{}>; rel=\"help\"", error_help(public_url, code))
}

pub(crate) fn error_help(public_url: &str, code: &str) -> String {
    format!("{}{ERRORS_PATH}#{code}", public_url.trim_end_matches('/'))
}
