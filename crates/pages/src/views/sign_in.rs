//! The sign-in: identifier and password are on one page, so that password managers fill in both.

use askama::Template;

use crate::page::{Common, page};

/// Asks for identifier and password.
#[derive(Template)]
#[template(path = "views/sign_in.html")]
pub struct SignInPage {
    /// The parts that all pages have.
    pub common: Common,
    /// The target of the form.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// The identifier that the request suggests or the person has typed.
    pub identifier: String,
    /// Whether the person may choose a session that outlives the browser.
    pub offers_to_stay: bool,
    /// Why the page is shown again.
    pub error: Option<SignInMessage>,
}

/// Why a sign-in is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMessage {
    /// The single text for all refusals.
    Refused,
    /// The password was not checked, because too many others wait.
    Busy,
    /// The page was open for too long.
    Expired,
    /// The browser did not send back the cookie of the page.
    NoCookies,
}

impl SignInPage {
    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error? {
            SignInMessage::Refused => texts.sign_in_refused,
            SignInMessage::Busy => texts.sign_in_busy,
            SignInMessage::Expired => texts.sign_in_expired,
            SignInMessage::NoCookies => texts.no_cookies,
        })
    }

    /// Whether the sign-in was refused. The page does not say which of the two is wrong.
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
