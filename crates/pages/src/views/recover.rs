//! The page that asks for a message with which the person resets the password.

use askama::Template;

use crate::page::{Common, SealedForm, page};

/// The answer to the form is the same for every identifier, so that it does not reveal whether the
/// account exists.
#[derive(Template)]
#[template(path = "views/recover.html")]
pub struct Recover {
    pub common: Common,
    /// The form can also send `decision=back`.
    pub form: SealedForm,
    /// As typed at the sign-in.
    pub identifier: String,
}

page!(Recover, heading: recover);
