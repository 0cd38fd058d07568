//! Mail to people: the subject, the plain text and the HTML of each message. The HTML loads nothing, and
//! all styles come from the theme.

mod look;

use askama::Template;
use values::{Letter, LetterKind, Timestamp};

use crate::components::MomentValue;
use crate::texts::Language;
use crate::theme::Theme;
use look::Look;

#[derive(Clone, Copy, Debug)]
pub struct MailCommon<'a> {
    pub tenant_name: &'a str,
    /// `None` for the default theme.
    pub theme: Option<&'a Theme>,
    /// Whether the message contains the tenant's logo, as the part with the content ID `logo`.
    pub has_logo: bool,
    pub language: Language,
    /// The URL of the page where people get help.
    pub support: Option<&'a str>,
    /// The URL of the page that resets the password, if people can.
    pub recover: Option<&'a str>,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line, without a code, because telephones show subjects while they are locked.
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[must_use]
pub fn render_mail(common: &MailCommon<'_>, letter: &Letter) -> RenderedMail {
    let mail = Mail::new(common, letter);
    // As for pages: writing texts to a `String` does not fail.
    let html = mail.render().expect("texts can be written");
    RenderedMail { text: mail.text(), html, subject: mail.subject }
}

#[derive(Template)]
#[template(path = "mail/mail.html")]
struct Mail<'a> {
    common: MailCommon<'a>,
    /// The tenant's name in one line.
    tenant: String,
    look: Look,
    subject: String,
    lead: String,
    code: Option<&'a str>,
    link: Option<MailLink<'a>>,
    closing: Vec<String>,
}

struct MailLink<'a> {
    lead: String,
    button: &'static str,
    url: &'a str,
}

impl<'a> Mail<'a> {
    fn new(common: &MailCommon<'a>, letter: &'a Letter) -> Self {
        let texts = &common.language.texts().mail;
        let tenant = &*one_line(common.tenant_name);
        let at = &*MomentValue::at(letter.at.seconds()).text();
        // Rounded up.
        let left = |unit: fn(&str) -> String, seconds: u64| {
            let end = letter.link.as_ref().map_or(0, |(_, expires_at)| expires_at.seconds());
            unit(&end.saturating_sub(common.now.seconds()).div_ceil(seconds).max(1).to_string())
        };
        let with_code = || {
            let expiry = (texts.both_expire)(&left(texts.minutes, 60));
            vec![format!("{expiry} {}", texts.tell_nobody), texts.ignore.to_owned()]
        };
        let own = letter.link.as_ref().map(|(url, _)| &**url);
        let link = |lead: &str, button, url: Option<&'a str>| {
            url.map(|url| MailLink { lead: lead.to_owned(), button, url })
        };
        let (subject, lead, link, closing) = match letter.kind {
            LetterKind::Recovery => (
                texts.recovery,
                (texts.recovery_text)(tenant),
                link(texts.or_open, texts.recovery_button, own),
                with_code(),
            ),
            LetterKind::Verification => (
                texts.verification,
                (texts.verification_text)(tenant),
                link(texts.or_open, texts.verification_button, own),
                with_code(),
            ),
            LetterKind::Invitation => {
                let expiry = (texts.link_expires)(&left(texts.days, 86_400));
                let link = link(texts.open, texts.invitation_button, own);
                let closing = vec![expiry, texts.not_expected.to_owned()];
                (texts.invitation, (texts.invitation_text)(tenant), link, closing)
            }
            LetterKind::PasswordChanged => (
                texts.password_changed,
                (texts.password_changed_text)(tenant, at),
                link(texts.password_reset, texts.recovery_button, common.recover),
                vec![common.recover.map_or(texts.not_done, |_| texts.link_fails)(tenant)],
            ),
            LetterKind::AddressChanged => {
                let undo = (texts.address_undo)(&left(texts.hours, 3_600));
                let (lead, closing) = ((texts.address_changed_text)(tenant, at), (texts.link_fails)(tenant));
                (texts.address_changed, lead, link(&undo, texts.address_undo_button, own), vec![closing])
            }
            LetterKind::AddressConfirmed => {
                let lead = (texts.address_confirmed_text)(tenant, at);
                (texts.address_confirmed, lead, None, vec![(texts.not_done)(tenant)])
            }
            LetterKind::Test => (texts.test, (texts.test_text)(tenant), None, vec![texts.ignore.to_owned()]),
        };
        let look = Look::new(common.theme.unwrap_or(&Theme::default()));
        let (subject, code, tenant) = (subject(tenant), letter.code.as_deref(), tenant.to_owned());
        Self { common: *common, tenant, look, subject, lead, code, link, closing }
    }

    /// Groups of four, which people compare more easily.
    fn groups(&self) -> Vec<String> {
        let letters: Vec<char> = self.code.unwrap_or_default().chars().collect();
        letters.chunks(4).map(|group| group.iter().collect()).collect()
    }

    fn text(&self) -> String {
        let texts = self.common.language.texts();
        let mut paragraphs = vec![wrapped(&self.lead)];
        if let Some(code) = self.code {
            paragraphs.extend([wrapped(texts.mail.type_code), code.to_owned()]);
        }
        if let Some(MailLink { lead, url, .. }) = &self.link {
            paragraphs.extend([wrapped(lead), one_line(url)]);
        }
        paragraphs.extend(self.closing.iter().map(|paragraph| wrapped(paragraph)));
        paragraphs.extend(self.common.support.map(|url| format!("{}: {}", texts.support, one_line(url))));
        paragraphs.join("\n\n") + "\n"
    }
}

/// A line break in a name would begin another header, or a paragraph that the server did not write.
fn one_line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Lines of at most 76 characters, because some programs show plain text as it is.
fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        match line.chars().count() {
            0 => line.push_str(word),
            width if width + 1 + word.chars().count() <= 76 => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
