//! The sign-in page. Identifier and password are on one page, so that password managers fill in
//! both.

use askama::Template;

use crate::page::{Common, SealedForm, page};

#[derive(Template)]
#[template(path = "views/sign_in.html")]
pub struct SignInPage {
    pub common: Common,
    pub form: SealedForm,
    /// From the request, or typed by the person.
    pub identifier: String,
    /// Whether to offer a session that outlives the browser.
    pub offers_to_stay: bool,
    /// Whether to offer a new password by mail, as `decision=recover`.
    pub offers_recovery: bool,
    /// `None` when the page is shown first.
    pub error: Option<SignInMessage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMessage {
    /// The same text for every refusal, so that it does not reveal whether the account exists.
    Refused,
    /// The password was not checked, because too many other sign-ins wait.
    Busy,
    Expired,
    /// The browser did not return the page's cookie.
    NoCookies,
    /// The person has set the password with a link.
    PasswordSet,
}

impl SignInPage {
    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error? {
            SignInMessage::Refused => texts.sign_in_refused,
            SignInMessage::Busy => texts.sign_in_busy,
            SignInMessage::Expired => texts.sign_in_expired,
            SignInMessage::NoCookies => texts.no_cookies,
            SignInMessage::PasswordSet => texts.password_set,
        })
    }

    fn is_success(&self) -> bool {
        self.error == Some(SignInMessage::PasswordSet)
    }

    /// The page marks both fields, because it must not reveal which of them is wrong.
    fn is_refused(&self) -> bool {
        self.error == Some(SignInMessage::Refused)
    }

    fn starts_at_identifier(&self) -> bool {
        self.error.is_none() && self.identifier.is_empty()
    }

    fn starts_at_password(&self) -> bool {
        self.error.is_none() && !self.identifier.is_empty()
    }
}

page!(SignInPage, heading: sign_in);
