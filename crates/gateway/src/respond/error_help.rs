//! The link from an error response to the section of its code in docs/errors.md (RFC 8288, relation `help` of the HTML standard).

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LINK};

/// The path of the page.
const ERRORS_PATH: &str = "/docs/errors";

/// The code of an error response: that of RFC 6749, of a problem's `type`, or of the Thunder-compatible API.
#[derive(Clone, Copy)]
pub(crate) struct ErrorHelp(pub(crate) &'static str);

/// Adds the link to a response that has a code. The base is the public URL: a listener for administration does not serve the page, and a
/// proxy may serve this server below a path.
pub(crate) fn link_help<B>(response: &mut HttpResponse<B>, public_url: &str) {
    let Some(ErrorHelp(code)) = response.extensions().get::<ErrorHelp>().copied() else { return };
    if let Ok(link) = HeaderValue::try_from(format!("<{public_url}{ERRORS_PATH}#{code}>; rel=\"help\"")) {
        response.headers_mut().insert(LINK, link);
    }
}
