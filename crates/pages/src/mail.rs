//! Mail to people: the subject, the plain text and the HTML of each message. The HTML loads nothing, and
//! all styles come from the theme.

mod look;

use askama::Template;

use crate::texts::Language;
use crate::theme::Theme;
use look::Look;

/// What a message says. Links contain their code after `#`.
#[derive(Clone, Copy, Debug)]
pub enum MailView<'a> {
    Recovery {
        code: &'a str,
        link: &'a str,
        minutes: u64,
    },
    Verification {
        code: &'a str,
        link: &'a str,
        minutes: u64,
    },
    Invitation {
        link: &'a str,
        days: u64,
    },
    PasswordChanged {
        at: &'a str,
        /// The page that resets the password.
        recover: Option<&'a str>,
    },
    /// The person reads this at the earlier address, which the link `undo` restores.
    AddressChanged {
        undo: &'a str,
        hours: u64,
        at: &'a str,
    },
    AddressConfirmed {
        at: &'a str,
    },
    Test,
}

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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line, without a code, because telephones show subjects while they are locked.
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[must_use]
pub fn render_mail(common: &MailCommon<'_>, view: &MailView<'_>) -> RenderedMail {
    let mail = Mail::new(common, view);
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
    fn new(common: &MailCommon<'a>, view: &MailView<'a>) -> Self {
        let texts = &common.language.texts().mail;
        let tenant = &*one_line(common.tenant_name);
        let time = |unit: fn(&str) -> String, count: u64| unit(&count.to_string());
        let ignore = || texts.ignore.to_owned();
        let both = |minutes| {
            let expiry = (texts.both_expire)(&time(texts.minutes, minutes));
            vec![format!("{expiry} {}", texts.tell_nobody), ignore()]
        };
        let link = |lead: &str, button, url| Some(MailLink { lead: lead.to_owned(), button, url });
        let (subject, lead, code, link, closing) = match *view {
            MailView::Recovery { code, link: url, minutes } => (
                (texts.recovery)(tenant),
                (texts.recovery_text)(tenant),
                Some(code),
                link(texts.or_open, texts.recovery_button, url),
                both(minutes),
            ),
            MailView::Verification { code, link: url, minutes } => (
                (texts.verification)(tenant),
                (texts.verification_text)(tenant),
                Some(code),
                link(texts.or_open, texts.verification_button, url),
                both(minutes),
            ),
            MailView::Invitation { link: url, days } => (
                (texts.invitation)(tenant),
                (texts.invitation_text)(tenant),
                None,
                link(texts.open, texts.invitation_button, url),
                vec![(texts.link_expires)(&time(texts.days, days)), texts.not_expected.to_owned()],
            ),
            MailView::PasswordChanged { at, recover } => (
                (texts.password_changed)(tenant),
                (texts.password_changed_text)(tenant, at),
                None,
                recover.and_then(|url| link(texts.password_reset, texts.recovery_button, url)),
                vec![recover.map_or(texts.not_done, |_| texts.link_fails)(tenant)],
            ),
            MailView::AddressChanged { undo, hours, at } => (
                (texts.address_changed)(tenant),
                (texts.address_changed_text)(tenant, at),
                None,
                link(&(texts.address_undo)(&time(texts.hours, hours)), texts.address_undo_button, undo),
                vec![(texts.link_fails)(tenant)],
            ),
            MailView::AddressConfirmed { at } => (
                (texts.address_confirmed)(tenant),
                (texts.address_confirmed_text)(tenant, at),
                None,
                None,
                vec![(texts.not_done)(tenant)],
            ),
            MailView::Test => ((texts.test)(tenant), (texts.test_text)(tenant), None, None, vec![ignore()]),
        };
        let look = Look::new(common.theme.unwrap_or(&Theme::default()));
        Self { common: *common, tenant: tenant.to_owned(), look, subject, lead, code, link, closing }
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
