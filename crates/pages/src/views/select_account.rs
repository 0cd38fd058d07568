//! The choice of an account: a client requests it, or another tab has signed in another person meanwhile.

use askama::Template;

use crate::page::{Common, page};

/// Asks with which account to continue.
#[derive(Template)]
#[template(path = "views/select_account.html")]
pub struct SelectAccount {
    /// The parts that all pages have.
    pub common: Common,
    /// The target of the form. Its field `decision` is `continue` or `other`.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// The account that is signed in.
    pub account: String,
    /// The account that the person has typed, if it is another one.
    pub other: Option<String>,
}

impl SelectAccount {
    fn other_label(&self) -> String {
        let texts = self.common.texts();
        self.other.as_ref().map_or_else(|| texts.other_account.to_owned(), |name| (texts.sign_in_as)(name))
    }
}

page!(SelectAccount, heading: select_account);
