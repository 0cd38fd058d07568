//! The page that changes the password or the email address of the person's account. Asks for the current
//! password and for the new value.

use askama::Template;

use crate::page::{Common, SealedForm, page};
use crate::views::form_error::FormError;

#[derive(Template)]
#[template(path = "views/change_own.html")]
pub struct ChangeOwn {
    pub common: Common,
    pub form: SealedForm,
    /// The identifier that the person signs in with.
    pub account: String,
    pub change: OwnChange,
    /// `None` when the page is shown first.
    pub error: Option<FormError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnChange {
    Password,
    /// The new address as typed, empty when the page is shown first.
    Email(String),
}

impl ChangeOwn {
    fn heading(&self) -> &'static str {
        let texts = self.common.texts();
        if self.change == OwnChange::Password { texts.change_password } else { texts.change_email }
    }

    fn explanation(&self) -> &'static str {
        let texts = self.common.texts();
        if self.change == OwnChange::Password { texts.change_password_text } else { texts.change_email_text }
    }

    /// The error of the current password or of the whole form.
    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match (self.error.as_ref()?, &self.change) {
            (FormError::Refused, _) => texts.current_password_refused,
            (FormError::Busy, _) => texts.sign_in_busy,
            (FormError::Declared, OwnChange::Password) => texts.password_declared,
            (FormError::Declared, OwnChange::Email(_)) => texts.email_declared,
            (FormError::Unfit(_), _) => return None,
        })
    }

    /// Empty if the new value has no error.
    fn unfit(&self) -> String {
        let texts = self.common.texts();
        match (&self.error, &self.change) {
            (Some(FormError::Unfit(why)), OwnChange::Password) => (texts.new_password_unfit)(why),
            (Some(FormError::Unfit(_)), OwnChange::Email(_)) => texts.email_invalid.to_owned(),
            _ => String::new(),
        }
    }

    fn is_refused(&self) -> bool {
        self.error == Some(FormError::Refused)
    }
}

page!(ChangeOwn);
