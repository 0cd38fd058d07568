//! The account page: the sessions of the signed-in person, and the applications with access. A
//! button opens the page that changes the password.

use askama::Template;

use crate::browser_name::browser_name;
use crate::components::{Fact, MomentValue, Value};
use crate::page::{Common, SealedForm, page};
use crate::texts::With;
use crate::views::consent::{ScopeLine, services};

#[derive(Template)]
#[template(path = "views/account.html")]
pub struct AccountPage {
    pub common: Common,
    /// The target of the form. The form sends one of these fields:
    /// - `decision`: `sign_out`, `sign_out_everywhere`, `password` or `email` for the page that
    ///   changes it, or `verify` for a message to the address.
    /// - `session`: another session to end, or several separated by blanks.
    /// - `client`: an application whose access to revoke.
    pub form: SealedForm,
    pub name: Option<String>,
    /// The identifier that the person signs in with.
    pub account: String,
    /// Whether to show the button that changes the password.
    pub has_password: bool,
    pub email: Option<AccountEmail>,
    /// Whether the server can send mail to the person, so that an address can be verified.
    pub offers_mail: bool,
    /// Only for an administrator.
    pub console: Option<String>,
    pub notice: Option<AccountNotice>,
    /// The session of this browser.
    pub here: SessionEntry,
    /// The most recently used session first. The page shows [`MOST`](Self::MOST) groups of sessions
    /// that look equal.
    pub elsewhere: Vec<SessionEntry>,
    /// At most [`MOST`](Self::MOST).
    pub applications: Vec<AllowedApplication>,
    /// The number of applications that are not in the list.
    pub more_applications: usize,
}

#[derive(Clone, Debug)]
pub struct AccountEmail {
    pub address: String,
    pub is_verified: bool,
}

/// The result of the last action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    SessionEnded,
    SessionsEnded,
    ApplicationEnded,
    PasswordChanged,
    EmailVerified,
    EmailChanged,
}

#[derive(Clone, Debug)]
pub struct SessionEntry {
    pub id: String,
    pub user_agent: String,
    /// The address from which the person signed in.
    pub source: Option<String>,
    pub began: MomentValue,
    pub last_seen: MomentValue,
}

/// Sessions that look equal to the person.
pub(crate) struct SessionGroup<'p> {
    browser: String,
    source: Option<&'p str>,
    /// The latest use of any of the sessions.
    last_seen: &'p MomentValue,
    count: usize,
    /// The sessions that the button ends, at most [`AccountPage::MOST`].
    ids: String,
}

#[derive(Clone, Debug)]
pub struct AllowedApplication {
    pub client: String,
    pub name: String,
    pub scopes: Vec<ScopeLine>,
    /// Empty in consents that do not name the APIs.
    pub apis: Vec<String>,
    pub allowed: MomentValue,
}

impl AccountPage {
    /// The maximum number of groups and of applications on the page, and of sessions that one
    /// button ends.
    pub const MOST: usize = 20;

    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.notice? {
            AccountNotice::SessionEnded => texts.session_ended,
            AccountNotice::SessionsEnded => texts.sessions_ended,
            AccountNotice::ApplicationEnded => texts.application_ended,
            AccountNotice::PasswordChanged => texts.password_changed,
            AccountNotice::EmailVerified => texts.email_verified,
            AccountNotice::EmailChanged => texts.email_changed,
        })
    }

    fn can_verify(&self) -> bool {
        self.email.as_ref().is_some_and(|email| !email.is_verified)
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
