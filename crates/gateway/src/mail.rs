//! Letters as mail that a person reads, in the tenant's colours.

use pages::{Language, MailCommon, RenderedMail};
use tenancy::Tenant;
use values::{Letter, Timestamp};

use crate::page::{RECOVERY_PATH, theme_of};

/// The mail for one letter. `public_url` has no slash at its end. The caller attaches the tenant's logo with
/// the content ID `logo`.
#[must_use]
pub fn render_mail(tenant: &Tenant, public_url: &str, letter: &Letter, now: Timestamp) -> RenderedMail {
    let theme = theme_of(tenant);
    let recover = format!("{public_url}/api/v1/tenant/{}{RECOVERY_PATH}", tenant.id);
    let common = MailCommon {
        tenant_name: &tenant.name,
        theme: theme.as_ref(),
        has_logo: tenant.branding.logo.is_some(),
        language: Language::English,
        support: tenant.branding.support_url.as_deref(),
        recover: (tenant.strategies.oidc && tenant.sign_in.recovery).then_some(&recover),
        now,
    };
    pages::render_mail(&common, letter)
}

#[cfg(test)]
mod tests {
    use tenancy::Logo;
    use testkit::fixtures;
    use values::LetterKind;

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
        use LetterKind::{AddressChanged, Invitation, Recovery, Verification};
        for (kind, seconds, said) in [
            (Recovery, 1_741, "expire in 30 minutes."),
            (Verification, 60, "expire in 1 minute."),
            (Verification, 0, "expire in 1 minute."),
            (Invitation, 6 * 86_400 + 1, "expires in 7 days."),
            (AddressChanged, 259_200, "within 72 hours:"),
        ] {
            let link = Some(("https://id.example.com/#code".to_owned(), after(seconds)));
            let text = text("acme", &Letter { link, ..Letter::new(kind, NOW) });
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn mail_has_its_tenants_name_look_and_recovery_page() {
        let letter = Letter::new(LetterKind::PasswordChanged, NOW);
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
            assert!(html.contains("cid:logo"));
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
