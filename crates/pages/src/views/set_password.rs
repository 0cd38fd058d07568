//! The page of a link with which a person sets a password. The code is the fragment of the link, which
//! browsers send to no server. The page's script puts it into the form; without script the person does.

use askama::Template;

use crate::page::{Common, page};

/// Asks for a password, and where the page does not have it for the code of the link.
#[derive(Template)]
#[template(path = "views/set_password.html")]
pub struct SetPassword {
    /// The parts that all pages have.
    pub common: Common,
    /// The target of the form.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// The code, once it was sent.
    pub code: String,
    /// Why the page is shown again.
    pub error: Option<SetPasswordError>,
}

/// Why no password is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPasswordError {
    /// The link is wrong, was used, or has expired: nothing distinguishes them.
    Link,
    /// The password is refused; the text gives the reason.
    Unfit(String),
    /// Too many passwords wait to be hashed.
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
