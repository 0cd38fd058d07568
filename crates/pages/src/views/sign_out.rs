//! The page that asks whether to sign out, and the page that confirms it.

use askama::Template;

use crate::page::{Common, Link, SealedForm, page};

#[derive(Template)]
#[template(path = "views/sign_out.html")]
pub struct SignOut {
    pub common: Common,
    /// The form sends `decision`: `sign_out` or `stay`.
    pub form: SealedForm,
    /// The identifier that the person signs in with.
    pub account: Option<String>,
}

#[derive(Template)]
#[template(path = "views/signed_out.html")]
pub struct SignedOut {
    pub common: Common,
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
