//! The end of a session: the question, and the confirmation.

use askama::Template;

use crate::page::{Common, Link, page};

/// Asks whether to end the session.
#[derive(Template)]
#[template(path = "views/sign_out.html")]
pub struct SignOut {
    /// What all pages have.
    pub common: Common,
    /// The target of the form. Its field `decision` is `sign_out` or `stay`.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// How the person knows the account.
    pub account: Option<String>,
}

/// Says that there is no session any more.
#[derive(Template)]
#[template(path = "views/signed_out.html")]
pub struct SignedOut {
    /// What all pages have.
    pub common: Common,
    /// The link back for the person.
    pub back: Option<Link>,
}

impl SignOut {
    fn heading(&self) -> String {
        let texts = self.common.texts();
        let tenant = self.common.tenant_name.as_ref();
        tenant.map_or_else(|| texts.sign_out.to_owned(), |tenant| (texts.sign_out_of)(tenant))
    }
}

page!(SignOut);
page!(SignedOut, heading: signed_out);
