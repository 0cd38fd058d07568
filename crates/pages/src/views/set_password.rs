//! The page that sets a password with a code. The code of a link is in its fragment, which browsers
//! do not send to the server. The page's script copies the code into the form. Without scripts the
//! person does. The person can also type the short code of a message.

use askama::Template;

use crate::page::{Common, page};

/// Asks for a new password, and for the code if the form does not have it yet.
#[derive(Template)]
#[template(path = "views/set_password.html")]
pub struct SetPassword {
    pub common: Common,
    pub action: String,
    /// The sealed form, which the server checks against cross-site requests.
    pub flow: String,
    pub way: SetPasswordWay,
    /// Empty until the form was sent once.
    pub code: String,
    /// `None` when the page is shown first.
    pub error: Option<SetPasswordError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPasswordWay {
    Link,
    /// The person asked for a message with this identifier, and types the code of the message. The
    /// form can also send `decision=again`.
    Code {
        identifier: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPasswordError {
    /// The link or the code is wrong, was already used, or has expired, or the person has tried too
    /// many codes. The page shows the same text for all of these reasons.
    Link,
    /// The password was refused, for this reason.
    Unfit(String),
    /// Too many passwords wait for hashing.
    Busy,
}

impl SetPassword {
    fn message(&self) -> Option<String> {
        let texts = self.common.texts();
        Some(match self.error.as_ref()? {
            SetPasswordError::Link if self.identifier().is_some() => texts.code_refused.to_owned(),
            SetPasswordError::Link => texts.password_link_refused.to_owned(),
            SetPasswordError::Unfit(why) => (texts.new_password_unfit)(why),
            SetPasswordError::Busy => texts.sign_in_busy.to_owned(),
        })
    }

    /// `None` if the person has opened a link.
    fn identifier(&self) -> Option<&str> {
        match &self.way {
            SetPasswordWay::Link => None,
            SetPasswordWay::Code { identifier } => Some(identifier),
        }
    }

    fn is_refused(&self) -> bool {
        self.error == Some(SetPasswordError::Link)
    }

    fn is_unfit(&self) -> bool {
        matches!(self.error, Some(SetPasswordError::Unfit(_)))
    }
}

page!(SetPassword, heading: set_password);
