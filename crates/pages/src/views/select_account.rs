//! The choice of an account: a client asks for it, or another tab has signed another person in meanwhile.

use askama::Template;

use crate::page::{Common, page};

/// Asks as whom to go on.
#[derive(Template)]
#[template(path = "views/select_account.html")]
pub struct SelectAccount {
    /// What all pages have.
    pub common: Common,
    /// Where the form leads. Its field `decision` is `continue` or `other`.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// The account that is signed in.
    pub account: String,
    /// The account that the person has typed, where it is another one.
    pub other: Option<String>,
}

impl SelectAccount {
    fn other_label(&self) -> String {
        let texts = self.common.texts();
        self.other.as_ref().map_or_else(|| texts.other_account.to_owned(), |name| (texts.sign_in_as)(name))
    }
}

page!(SelectAccount, heading: select_account);
