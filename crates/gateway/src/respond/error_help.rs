//! The link from an error response to the section of its code in docs/errors.md (RFC 8288, relation
//! `help` of the HTML standard).

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LINK};

/// The path of the page.
const ERRORS_PATH: &str = "/docs/errors";

/// The code of an error response: that of RFC 6749, of a problem's `type`, or of the Thunder-compatible API.
#[derive(Clone, Copy)]
pub(crate) struct ErrorHelp(pub(crate) &'static str);

/// Adds the link to a response that has a code.
pub(crate) fn link_help<B>(response: &mut HttpResponse<B>, public_url: &str) {
    let Some(ErrorHelp(code)) = response.extensions().get::<ErrorHelp>().copied() else { return };
    if let Ok(link) = HeaderValue::try_from(help_link(public_url, code)) {
        response.headers_mut().insert(LINK, link);
    }
}

/// The value of the header. Its base is the public URL, since a proxy may serve this server below a path.
pub(crate) fn help_link(public_url: &str, code: &str) -> String {
    format!("<{}>; rel=\"help\"", error_help(public_url, code))
}

/// The address of the section of a code.
pub(crate) fn error_help(public_url: &str, code: &str) -> String {
    format!("{}{ERRORS_PATH}#{code}", public_url.trim_end_matches('/'))
}
