//! The page that posts an answer to the client (OAuth 2.0 Form Post Response Mode). A script submits its
//! form; without script there is a button.

use askama::Template;

use crate::page::{Common, FormTarget, page};

/// Posts the answer to the client.
#[derive(Template)]
#[template(path = "views/form_post.html")]
pub struct FormPost {
    /// The parts that all pages have.
    pub common: Common,
    /// The client's redirect URI.
    pub to: String,
    /// The parameters of the answer, by name.
    pub fields: Vec<(String, String)>,
}

page!(FormPost, heading: continuing, target: FormTarget::Client);
