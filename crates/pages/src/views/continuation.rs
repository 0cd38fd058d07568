//! The page that continues to the client after a form. A redirect would not work, because browsers apply the
//! policy of forms to all redirects after one.

use askama::Template;

use crate::page::{Common, page};

/// The page that leads to the client by itself, and has a link.
#[derive(Template)]
#[template(path = "views/continuation.html")]
pub struct Continue {
    /// The parts that all pages have.
    pub common: Common,
    /// The client's address, with the answer.
    pub to: String,
}

page!(Continue, heading: continuing);
