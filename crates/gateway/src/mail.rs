//! Letters as mail that a person reads, in the tenant's colours.

use administration::mail::Letter;
use pages::{Language, MailCommon, MailView, MomentValue, RenderedMail};
use tenancy::{Logo, Tenant};
use values::Timestamp;

use crate::page::{RECOVERY_PATH, theme_of};

/// The mail for one letter. `public_url` has no slash at its end. Durations are rounded up, from `now`.
#[must_use]
pub fn render_mail(tenant: &Tenant, public_url: &str, letter: &Letter, now: Timestamp) -> RenderedMail {
    let rest = |expires_at: Timestamp, unit: u64| {
        expires_at.seconds().saturating_sub(now.seconds()).div_ceil(unit).max(1)
    };
    let [minutes, hours, days] = [60, 3_600, 86_400].map(|unit| move |end| rest(end, unit));
    let text = |at: &Timestamp| MomentValue::at(at.seconds()).text();
    let theme = theme_of(tenant);
    let common = MailCommon {
        tenant_name: &tenant.name,
        theme: theme.as_ref(),
        has_logo: mail_logo(tenant).is_some(),
        language: Language::English,
        support: tenant.branding.support_url.as_deref(),
    };
    let recover = format!("{public_url}/api/v1/tenant/{}{RECOVERY_PATH}", tenant.id);
    let recover = (tenant.strategies.oidc && tenant.sign_in.recovery).then_some(&*recover);
    let view = |view| pages::render_mail(&common, &view);
    match letter {
        Letter::Recovery { code, link, expires_at } => {
            view(MailView::Recovery { code, link, minutes: minutes(*expires_at) })
        }
        Letter::Verification { code, link, expires_at } => {
            view(MailView::Verification { code, link, minutes: minutes(*expires_at) })
        }
        Letter::Invitation { link, expires_at } => {
            view(MailView::Invitation { link, days: days(*expires_at) })
        }
        Letter::PasswordChanged { at } => view(MailView::PasswordChanged { at: &text(at), recover }),
        Letter::AddressChanged { undo, expires_at, at } => {
            view(MailView::AddressChanged { undo, hours: hours(*expires_at), at: &text(at) })
        }
        Letter::AddressConfirmed { at } => view(MailView::AddressConfirmed { at: &text(at) }),
        Letter::Test => view(MailView::Test),
    }
}

/// The logo to attach to the mail, with the content ID `logo`.
#[must_use]
pub const fn mail_logo(tenant: &Tenant) -> Option<&Logo> {
    tenant.branding.logo.as_ref()
}

#[cfg(test)]
mod tests {
    use testkit::fixtures;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_801_396_801);

    fn after(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(NOW.seconds() + seconds)
    }

    fn text(name: &str, letter: &Letter) -> String {
        render_mail(&fixtures::tenant(name), "https://id.example.com/auth", letter, NOW)
            .text
            .replace('\n', " ")
    }

    #[test]
    fn rest_of_the_lifetime_is_rounded_up() {
        let (code, link) = (|| "7KQF2MXD".to_owned(), || "https://id.example.com/#code".to_owned());
        for (letter, said) in [
            (
                Letter::Recovery { code: code(), link: link(), expires_at: after(1_741) },
                "expire in 30 minutes.",
            ),
            (
                Letter::Verification { code: code(), link: link(), expires_at: after(60) },
                "expire in 1 minute.",
            ),
            (Letter::Verification { code: code(), link: link(), expires_at: NOW }, "expire in 1 minute."),
            (Letter::Invitation { link: link(), expires_at: after(6 * 86_400 + 1) }, "expires in 7 days."),
            (
                Letter::AddressChanged { undo: link(), expires_at: after(259_200), at: NOW },
                "within 72 hours:",
            ),
        ] {
            let text = text("acme", &letter);
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn mail_has_its_tenants_name_look_and_recovery_page() {
        let letter = Letter::PasswordChanged { at: NOW };
        for (name, other) in [("acme", "globex"), ("globex", "acme")] {
            let mut tenant = fixtures::tenant(name);
            tenant.strategies.oidc = true;
            tenant.branding.logo = Some(Logo::stored("light".to_owned()));
            tenant.branding.primary = values::Colour::rgb(0x7a, 0x1f, 0x5c);
            let RenderedMail { subject, text, html } =
                render_mail(&tenant, "https://id.example.com/auth", &letter, NOW);
            assert!(subject.contains(&tenant.name) && !html.contains(&*fixtures::tenant(other).name));
            assert!(text.contains("2027-01-31 12:00 UTC"), "{text}");
            let recover = format!("https://id.example.com/auth/api/v1/tenant/{name}/oauth/recover\n");
            assert!(text.contains(&recover) && html.contains("#7a1f5c"), "{text}");
            assert!(html.contains("cid:logo") && mail_logo(&tenant).is_some());
        }
        let mut tenant = fixtures::tenant("acme");
        for (oidc, recovery) in [(false, true), (true, false)] {
            (tenant.strategies.oidc, tenant.sign_in.recovery) = (oidc, recovery);
            let RenderedMail { text, html, .. } =
                render_mail(&tenant, "https://id.example.com", &letter, NOW);
            assert!(!text.contains("/oauth/recover") && !html.contains("cid:logo"), "{text}");
        }
    }
}
