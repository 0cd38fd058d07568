//! The page with the mail that a development server has caught.

use askama::Template;

use crate::components::MomentValue;
use crate::page::{Common, page};

#[derive(Template)]
#[template(path = "views/caught_mail.html")]
pub struct CaughtMailPage {
    pub common: Common,
    /// The newest message comes first.
    pub letters: Vec<ShownLetter>,
}

pub struct ShownLetter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub at: MomentValue,
    /// The path of the HTML part.
    pub html: String,
}

page!(CaughtMailPage, heading: caught_mail);
