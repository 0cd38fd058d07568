//! Another password for the own account: the present one and the new one.

use askama::Template;

use crate::page::{Common, page};
use crate::views::sign_in::SignInMessage;

/// Asks for the present password and for another one.
#[derive(Template)]
#[template(path = "views/account_password.html")]
pub struct ChangePassword {
    /// What all pages have.
    pub common: Common,
    /// Where the form leads.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// How the person knows the account.
    pub account: String,
    /// Why the page is shown again.
    pub error: Option<ChangePasswordError>,
}

/// Why the password is the same as before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangePasswordError {
    /// The present password was not accepted, as at a sign-in.
    Present(SignInMessage),
    /// The new password may not be one; the text says why.
    Unfit(String),
    /// The operator's files declare the account.
    Declared,
}

impl ChangePassword {
    /// What is wrong with the present password, or with all of the form.
    fn present_message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error.as_ref()? {
            ChangePasswordError::Present(SignInMessage::Busy) => texts.sign_in_busy,
            ChangePasswordError::Present(_) => texts.present_password_refused,
            ChangePasswordError::Declared => texts.password_declared,
            ChangePasswordError::Unfit(_) => return None,
        })
    }

    /// What is wrong with the new password; empty where nothing is.
    fn new_message(&self) -> String {
        match &self.error {
            Some(ChangePasswordError::Unfit(why)) => (self.common.texts().new_password_unfit)(why),
            _ => String::new(),
        }
    }

    fn is_refused(&self) -> bool {
        self.error == Some(ChangePasswordError::Present(SignInMessage::Refused))
    }
}

page!(ChangePassword, heading: change_password);
