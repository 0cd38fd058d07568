//! The account of the signed-in person: its sessions, and the applications that may use it. The page is one
//! form, whose buttons end them. One button leads to the page for another password.

use askama::Template;

use crate::browser_name::browser_name;
use crate::components::{Fact, MomentValue, Value};
use crate::page::{Common, page};
use crate::texts::With;
use crate::views::consent::{ScopeLine, services};

/// Shows the sessions and consents that a person can end.
#[derive(Template)]
#[template(path = "views/account.html")]
pub struct AccountPage {
    /// The parts that all pages have.
    pub common: Common,
    /// The target of the form. One of its fields names what ends: `decision` is `sign_out` or
    /// `sign_out_everywhere`, `session` names one of the other sessions, or several separated by blanks, and
    /// `client` an application. The decision `password` leads to the page for another password.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// The name of the person, where it is known.
    pub name: Option<String>,
    /// How the person knows the account.
    pub account: String,
    /// Whether the person signs in with a password, and so can set another one.
    pub has_password: bool,
    /// The link to the console, for an administrator.
    pub console: Option<String>,
    /// The last action.
    pub notice: Option<AccountNotice>,
    /// The session of this browser.
    pub here: SessionEntry,
    /// The other sessions, the last used first. [`MOST`](Self::MOST) groups of equal ones are shown.
    pub elsewhere: Vec<SessionEntry>,
    /// The consents of the person, at most [`MOST`](Self::MOST).
    pub applications: Vec<AllowedApplication>,
    /// How many are not among them.
    pub more_applications: usize,
}

/// The last action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    /// Another session has ended.
    SessionEnded,
    /// Several others have.
    SessionsEnded,
    /// An application has no access any more.
    ApplicationEnded,
    /// The password has changed.
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
    /// When it began.
    pub began: MomentValue,
    /// When it was used last.
    pub last_seen: MomentValue,
}

/// Sessions that a person cannot distinguish.
pub(crate) struct SessionGroup<'p> {
    browser: String,
    source: Option<&'p str>,
    /// When one of them was last used.
    last_seen: &'p MomentValue,
    count: usize,
    /// The sessions that the button ends: at most [`AccountPage::MOST`].
    ids: String,
}

/// An application that may use the account.
#[derive(Clone, Debug)]
pub struct AllowedApplication {
    /// Its client.
    pub client: String,
    /// The name of the client.
    pub name: String,
    /// Its permissions.
    pub scopes: Vec<ScopeLine>,
    /// The APIs at which it may do it, where they are known.
    pub apis: Vec<String>,
    /// When the person allowed it.
    pub allowed: MomentValue,
}

impl AccountPage {
    /// The most groups of sessions and the most applications that are shown, and the most sessions that one
    /// button ends.
    pub const MOST: usize = 20;

    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.notice? {
            AccountNotice::SessionEnded => texts.session_ended,
            AccountNotice::SessionsEnded => texts.sessions_ended,
            AccountNotice::ApplicationEnded => texts.application_ended,
            AccountNotice::PasswordChanged => texts.password_changed,
        })
    }

    fn facts(&self) -> Vec<Fact> {
        let texts = self.common.texts();
        let name = self.name.as_ref().map(|name| (texts.fact_name, name));
        let facts = name.into_iter().chain([(texts.fact_account, &self.account)]);
        facts.map(|(label, value)| Fact { label, value: Value::Text(value.clone()) }).collect()
    }

    fn facts_of(&self, application: &AllowedApplication) -> Vec<Fact> {
        services(&application.apis, self.common.texts().fact_services).into_iter().collect()
    }

    fn browser(&self, session: &SessionEntry) -> String {
        let texts = self.common.texts();
        browser_name(&session.user_agent, texts.browser_on)
            .unwrap_or_else(|| texts.unknown_browser.to_owned())
    }

    fn all_groups(&self) -> Vec<SessionGroup<'_>> {
        let mut groups: Vec<SessionGroup<'_>> = Vec::new();
        for session in &self.elsewhere {
            let (browser, source) = (self.browser(session), session.source.as_deref());
            let last_seen = &session.last_seen;
            let known = groups.iter_mut().find(|group| (&group.browser, group.source) == (&browser, source));
            let Some(group) = known else {
                groups.push(SessionGroup { browser, source, last_seen, count: 1, ids: session.id.clone() });
                continue;
            };
            if group.count < Self::MOST {
                group.ids = format!("{} {}", group.ids, session.id);
            }
            group.count += 1;
        }
        groups
    }

    fn groups(&self) -> Vec<SessionGroup<'_>> {
        let mut groups = self.all_groups();
        groups.truncate(Self::MOST);
        groups
    }

    fn end_label(&self, group: &SessionGroup<'_>) -> String {
        let texts = self.common.texts();
        match group.count {
            1 => texts.session_end.to_owned(),
            count => (texts.sessions_end)(&count.min(Self::MOST).to_string()),
        }
    }

    fn sessions_not_shown(&self) -> Option<String> {
        let left_out = self.all_groups().into_iter().skip(Self::MOST);
        more(left_out.map(|group| group.count).sum(), self.common.texts().more_sessions)
    }

    fn applications_not_shown(&self) -> Option<String> {
        more(self.more_applications, self.common.texts().more_applications)
    }
}

fn more(count: usize, text: With) -> Option<String> {
    (count > 0).then(|| text(&count.to_string()))
}

page!(AccountPage, heading: account);
