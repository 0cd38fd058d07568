//! The page with the mail that a development server has caught.

use std::sync::Arc;

use askama::Template;
use values::Timestamp;

use crate::page::{Common, page};

#[derive(Template)]
#[template(path = "views/caught_mail.html")]
pub struct CaughtMailPage {
    pub common: Common,
    /// The newest message comes first.
    pub letters: Vec<CaughtLetter>,
}

#[derive(Clone, Debug)]
pub struct CaughtLetter {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Media type and content of the picture `cid:logo` in `html`.
    pub logo: Option<(&'static str, Arc<Vec<u8>>)>,
    pub at: Timestamp,
}

page!(CaughtMailPage, heading: caught_mail);
