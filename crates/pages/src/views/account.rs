//! The account of the person who is signed in: where it is signed in, and which applications may use it. All of it is one form, whose buttons
//! say what ends. One leads to the page for another password.

use askama::Template;

use crate::browser_name::browser_name;
use crate::page::{Common, page};
use crate::texts::With;
use crate::views::consent::ScopeLine;

/// Shows what a person can end.
#[derive(Template)]
#[template(path = "views/account.html")]
pub struct AccountPage {
    /// What all pages have.
    pub common: Common,
    /// Where the form leads. One of its fields says what ends: `decision` is `sign_out` or `sign_out_everywhere`, `session` names one of the
    /// other sessions, and `client` an application. The decision `password` asks for another password.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// How the person knows the account.
    pub account: String,
    /// Whether the person signs in with a password, and so can set another one.
    pub has_password: bool,
    /// What has just been done.
    pub notice: Option<AccountNotice>,
    /// The session of this browser.
    pub here: SessionEntry,
    /// The others, [`MOST`](Self::MOST) of them.
    pub elsewhere: Vec<SessionEntry>,
    /// How many are not among them.
    pub more_sessions: usize,
    /// What the person has allowed, [`MOST`](Self::MOST) of it.
    pub applications: Vec<AllowedApplication>,
    /// How many are not among them.
    pub more_applications: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    /// Another session has ended.
    SessionEnded,
    /// An application has no access any more.
    ApplicationEnded,
    /// The password is another one.
    PasswordChanged,
}

/// A session.
#[derive(Clone, Debug)]
pub struct SessionEntry {
    /// Its identifier.
    pub id: String,
    /// The browser, as it calls itself.
    pub user_agent: String,
    /// The address from which the person signed in, where it is known.
    pub source: Option<String>,
    /// When it began, for people.
    pub began: String,
    /// When it was used last, for people.
    pub last_seen: String,
}

/// An application that may use the account.
#[derive(Clone, Debug)]
pub struct AllowedApplication {
    /// Its client.
    pub client: String,
    /// The name of the client.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ScopeLine>,
    /// The APIs at which it may do it, where they are known.
    pub apis: Vec<String>,
    /// When the person allowed it, for people.
    pub allowed: String,
}

impl AccountPage {
    /// So many other sessions are shown, and so many applications: a page has 30 KB at most.
    pub const MOST: usize = 20;

    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.notice? {
            AccountNotice::SessionEnded => texts.session_ended,
            AccountNotice::ApplicationEnded => texts.application_ended,
            AccountNotice::PasswordChanged => texts.password_changed,
        })
    }

    fn browser(&self, session: &SessionEntry) -> String {
        browser_name(&session.user_agent).unwrap_or_else(|| self.common.texts().unknown_browser.to_owned())
    }

    fn details(&self, session: &SessionEntry) -> String {
        let texts = self.common.texts();
        let from = session.source.as_deref().map(texts.session_from);
        let times = [(texts.session_began)(&session.began), (texts.session_seen)(&session.last_seen)];
        from.into_iter().chain(times).collect::<Vec<_>>().join(" ")
    }

    fn sessions_not_shown(&self) -> Option<String> {
        more(self.more_sessions, self.common.texts().more_sessions)
    }

    fn applications_not_shown(&self) -> Option<String> {
        more(self.more_applications, self.common.texts().more_applications)
    }
}

fn more(count: usize, text: With) -> Option<String> {
    (count > 0).then(|| text(&count.to_string()))
}

page!(AccountPage, heading: account);
