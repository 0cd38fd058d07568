//! The page of a link for setting a password. The code is in the fragment of the link, which
//! browsers do not send to the server. The page's script copies the code into the form. Without
//! scripts the person does.

use askama::Template;

use crate::page::{Common, page};

/// Asks for a new password, and for the code of the link if the form does not have it yet.
#[derive(Template)]
#[template(path = "views/set_password.html")]
pub struct SetPassword {
    pub common: Common,
    pub action: String,
    /// The sealed form, which the server checks against cross-site requests.
    pub flow: String,
    /// Empty until the form was sent once.
    pub code: String,
    /// `None` when the page is shown first.
    pub error: Option<SetPasswordError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPasswordError {
    /// The link is wrong, was already used, or has expired. The page shows the same text for all of
    /// these reasons.
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
            SetPasswordError::Link => texts.password_link_refused.to_owned(),
            SetPasswordError::Unfit(why) => (texts.new_password_unfit)(why),
            SetPasswordError::Busy => texts.sign_in_busy.to_owned(),
        })
    }

    fn is_unfit(&self) -> bool {
        matches!(self.error, Some(SetPasswordError::Unfit(_)))
    }
}

page!(SetPassword, heading: set_password);
