//! Sets another password for the own account: asks for the present one and the new one.

use askama::Template;

use crate::page::{Common, page};
use crate::views::sign_in::SignInMessage;

/// Asks for the present and the new password.
#[derive(Template)]
#[template(path = "views/account_password.html")]
pub struct ChangePassword {
    /// The parts that all pages have.
    pub common: Common,
    /// The target of the form.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// How the person knows the account.
    pub account: String,
    /// Why the page is shown again.
    pub error: Option<ChangePasswordError>,
}

/// Why the password was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangePasswordError {
    /// The present password was not accepted, as at a sign-in.
    Present(SignInMessage),
    /// The new password is refused; the text gives the reason.
    Unfit(String),
    /// The operator's files declare the account.
    Declared,
}

impl ChangePassword {
    /// The error of the present password, or of the whole form.
    fn present_message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error.as_ref()? {
            ChangePasswordError::Present(SignInMessage::Busy) => texts.sign_in_busy,
            ChangePasswordError::Present(_) => texts.present_password_refused,
            ChangePasswordError::Declared => texts.password_declared,
            ChangePasswordError::Unfit(_) => return None,
        })
    }

    /// The error of the new password. Empty if there is none.
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
