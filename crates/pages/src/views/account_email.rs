//! The page that changes the email address of the person's account. Asks for the new address and the
//! current password.

use askama::Template;

use crate::page::{Common, page};
use crate::views::sign_in::SignInMessage;

#[derive(Template)]
#[template(path = "views/account_email.html")]
pub struct ChangeEmail {
    pub common: Common,
    pub action: String,
    /// The sealed form, which the server checks against cross-site requests.
    pub flow: String,
    /// The identifier that the person signs in with.
    pub account: String,
    /// The new address as typed, empty when the page is shown first.
    pub email: String,
    /// `None` when the page is shown first.
    pub error: Option<ChangeEmailError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeEmailError {
    /// The current password was refused, for the same reasons as at a sign-in.
    Present(SignInMessage),
    /// The new address is not an email address.
    Invalid,
    /// The account is in a configuration file, so its address cannot be changed here.
    Declared,
}

impl ChangeEmail {
    /// The error of the current password or of the whole form.
    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error? {
            ChangeEmailError::Present(SignInMessage::Busy) => texts.sign_in_busy,
            ChangeEmailError::Present(_) => texts.current_password_refused,
            ChangeEmailError::Declared => texts.email_declared,
            ChangeEmailError::Invalid => return None,
        })
    }

    /// Empty if the address has no error.
    fn invalid(&self) -> &'static str {
        if self.error == Some(ChangeEmailError::Invalid) { self.common.texts().email_invalid } else { "" }
    }

    fn is_refused(&self) -> bool {
        self.error == Some(ChangeEmailError::Present(SignInMessage::Refused))
    }
}

page!(ChangeEmail, heading: change_email);
