//! The page that goes on to the client after a form. A redirect would not do: browsers apply the policy of forms to all redirects that
//! follow a form.

use askama::Template;

use crate::page::{Common, page};

/// Goes on to the client by itself, and has a link.
#[derive(Template)]
#[template(path = "views/continuation.html")]
pub struct Continue {
    /// What all pages have.
    pub common: Common,
    /// The client's address, with the answer.
    pub to: String,
}

page!(Continue, heading: continuing);
