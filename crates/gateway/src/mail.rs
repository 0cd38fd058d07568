//! The texts of mail to people.

use administration::mail::Letter;
use tenancy::{Logo, Tenant};
use values::Timestamp;

pub struct RenderedMail {
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[must_use]
pub fn render_mail(tenant: &Tenant, _public_url: &str, letter: &Letter, _now: Timestamp) -> RenderedMail {
    let text = format!("{}\n{}\n", tenant.name, letter.link().unwrap_or_default());
    RenderedMail { subject: letter.kind().as_str().to_owned(), html: format!("<pre>{text}</pre>"), text }
}

#[must_use]
pub fn mail_logo(tenant: &Tenant) -> Option<&Logo> {
    tenant.branding.logo.as_ref()
}
