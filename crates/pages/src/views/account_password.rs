//! The page that changes the password of the person's account. Asks for the current and the new
//! password.

use askama::Template;

use crate::page::{Common, page};
use crate::views::sign_in::SignInMessage;

#[derive(Template)]
#[template(path = "views/account_password.html")]
pub struct ChangePassword {
    pub common: Common,
    pub action: String,
    /// The sealed form, which the server checks against cross-site requests.
    pub flow: String,
    /// The identifier that the person signs in with.
    pub account: String,
    /// `None` when the page is shown first.
    pub error: Option<ChangePasswordError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangePasswordError {
    /// The current password was refused, for the same reasons as at a sign-in.
    Present(SignInMessage),
    /// The new password was refused, for this reason.
    Unfit(String),
    /// The account is in a configuration file, so its password cannot be changed here.
    Declared,
}

impl ChangePassword {
    /// The error of the current password or of the whole form.
    fn present_message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error.as_ref()? {
            ChangePasswordError::Present(SignInMessage::Busy) => texts.sign_in_busy,
            ChangePasswordError::Present(_) => texts.current_password_refused,
            ChangePasswordError::Declared => texts.password_declared,
            ChangePasswordError::Unfit(_) => return None,
        })
    }

    /// Empty if the new password has no error.
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
