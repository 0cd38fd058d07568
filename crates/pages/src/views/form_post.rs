//! The page that posts an answer to the client (OAuth 2.0 Form Post Response Mode). A script
//! submits the form. Without scripts the person presses a button.

use askama::Template;

use crate::page::{Common, FormTarget, page};

#[derive(Template)]
#[template(path = "views/form_post.html")]
pub struct FormPost {
    pub common: Common,
    pub to: String,
    pub fields: Vec<(String, String)>,
}

page!(FormPost, heading: continuing, target: FormTarget::Client);
