//! The page that continues to the client after a form. The server cannot redirect, because browsers
//! apply `form-action` of the content security policy to redirects after a form.

use askama::Template;

use crate::page::{Common, page};

/// Continues automatically, and has a link if that fails.
#[derive(Template)]
#[template(path = "views/continuation.html")]
pub struct Continue {
    pub common: Common,
    /// The client's redirect URI with the answer.
    pub to: String,
}

page!(Continue, heading: continuing);
