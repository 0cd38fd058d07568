//! The page that asks for the account to continue with. A client can request the question. It also
//! appears if another person has signed in in another tab.

use askama::Template;

use crate::page::{Common, SealedForm, page};

#[derive(Template)]
#[template(path = "views/select_account.html")]
pub struct SelectAccount {
    pub common: Common,
    /// The form sends `decision`: `continue` or `other`.
    pub form: SealedForm,
    /// The signed-in account.
    pub account: String,
    /// The account that the person typed, if it is not the signed-in account.
    pub other: Option<String>,
}

impl SelectAccount {
    fn other_label(&self) -> String {
        let texts = self.common.texts();
        self.other.as_ref().map_or_else(|| texts.other_account.to_owned(), |name| (texts.sign_in_as)(name))
    }
}

page!(SelectAccount, heading: select_account);
