//! The forms on the page of one person.

use accounts::SignInCheck;
use administration::administrator::PersonReading;
use administration::documents::{ConsentView, EntityTag, SessionView};
use pages::console::{Block, Choice, Entry, Field, HtmlForm, Input};
use pages::{Fact, Meaning, browser_name};

use super::people::{identifier, inputs};
use super::person_page::Refused;
use super::shown::{RefusedForm, codes, confirmed, fact, time};
use super::visit::ConsoleVisit;

/// The most sessions and the most consents on the page.
const MOST: usize = 20;

pub(super) struct Forms<'v> {
    pub(super) visit: &'v ConsoleVisit<'v>,
    pub(super) action: String,
}

impl Forms<'_> {
    fn button(&self, step: &str, label: &str) -> HtmlForm {
        HtmlForm::button(self.action.clone(), &self.visit.form_token(), label).sending("step", step)
    }

    pub(super) fn sign_ins(&self, person: &PersonReading) -> Vec<Block> {
        let of = &self.visit.texts().people;
        let list = |heading, entries: Vec<Entry>, count: usize| {
            let none = (count == 0).then(|| Block::Text(self.visit.texts().shared.none.to_owned()));
            let more = count.saturating_sub(MOST);
            let more = (more > 0).then(|| Block::Text((of.more)(&more.to_string())));
            let parts = [Some(Block::Heading(heading)), none, Some(Block::Entries(entries)), more];
            parts.into_iter().flatten()
        };
        let sessions = person.sessions.iter().take(MOST).map(|found| self.session(found)).collect();
        let mut blocks: Vec<_> = list(of.sessions, sessions, person.sessions.len()).collect();
        if !person.sessions.is_empty() {
            blocks.push(Block::Form(self.button("end-sessions", of.end_sessions).meaning(Meaning::Danger)));
        }
        let consents = person.consents.iter().take(MOST).map(|found| self.consent(found)).collect();
        blocks.extend(list(of.consents, consents, person.consents.len()));
        blocks
    }

    fn session(&self, session: &SessionView) -> Entry {
        let (texts, shared) = (self.visit.request.texts(), &self.visit.texts().shared);
        let (of, labels) = (&self.visit.texts().people, &self.visit.texts().labels);
        let browser = browser_name(&session.user_agent, texts.browser_on);
        let end = self.button("end-session", of.end_session).meaning(Meaning::Danger);
        Entry {
            title: browser.unwrap_or_else(|| texts.unknown_browser.to_owned()),
            badge: None,
            line: vec![Fact { label: labels.last_used, value: time(session.last_seen_at) }],
            facts: vec![
                fact(labels.source, session.source.as_deref().unwrap_or(shared.unknown)),
                Fact { label: of.signed_in, value: time(session.authenticated_at) },
                Fact { label: of.expires, value: time(session.expires_at) },
            ],
            forms: vec![end.sending("session", &*session.session_id)],
        }
    }

    fn consent(&self, consent: &ConsentView) -> Entry {
        let (of, labels) = (&self.visit.texts().people, &self.visit.texts().labels);
        let shared = &self.visit.texts().shared;
        let remove = self.button("remove-consent", of.remove_consent).meaning(Meaning::Danger);
        Entry {
            title: consent.client_id.clone(),
            badge: None,
            line: vec![Fact { label: of.granted, value: time(consent.granted_at) }],
            facts: vec![
                codes(shared, labels.scopes, &consent.scopes),
                codes(shared, labels.apis, &consent.resources),
            ],
            forms: vec![remove.sending("client", &*consent.client_id)],
        }
    }

    /// With the current values, or with the values that were refused.
    fn edit(
        &self,
        PersonReading { account: view, grantable, .. }: &PersonReading,
        refused: Option<Refused<'_>>,
    ) -> Block {
        let of = &self.visit.texts().people;
        let settings = &view.settings;
        let (sent, refused) =
            refused.map_or((None, RefusedForm::default()), |(fields, refused)| (Some(fields), refused));
        let value = |name: &str| match (sent, name) {
            (Some(fields), name) => fields.text(name).to_owned(),
            (None, "name") => settings.claims.name.clone().unwrap_or_default(),
            (None, "email") => settings.email.clone().unwrap_or_default(),
            (None, "username") => settings.username.clone().unwrap_or_default(),
            (None, _) => settings.groups.join("\n"),
        };
        let mut fields = inputs(self.visit, value, &refused);
        let tag = EntityTag::from_document(view).to_string();
        // The person has read about the other change, and may save again.
        let is_stale = refused.message.as_deref() == Some(of.changed_meanwhile);
        let tag = sent.filter(|_| !is_stale).map_or(tag, |fields| fields.text("tag").to_owned());
        let verified = settings.email.as_deref().filter(|_| settings.email_verified).unwrap_or_default();
        let mut form = self.button("edit", of.save).meaning(Meaning::Info);
        form = form.sending("tag", tag).sending("verified", verified);
        if !grantable.is_empty() {
            let is_chosen = |name: &str| match sent {
                Some(fields) => fields.values("permission").any(|sent| sent == name),
                None => settings.permissions.iter().any(|held| held == name),
            };
            let text = |name: &str| (of.permission)(name).unwrap_or_default();
            let choice = |name: &&str| Choice::new(name, name, text(name), is_chosen(name));
            let choices = Input::Any(grantable.iter().map(choice).collect());
            let field = Field::new("permission", of.permissions, choices).hint(of.permissions_hint);
            fields.push(refused.at("/permissions", field));
            form = form.sending("grants", "yes");
        }
        Block::primary_fold(of.edit, sent.is_some(), vec![form.with(fields)])
    }

    /// What the administrator may change, the dangerous forms last.
    pub(super) fn manage(
        &self,
        person: &PersonReading,
        refused: Option<Refused<'_>>,
        unnamed: &str,
    ) -> Vec<Block> {
        let (of, view) = (&self.visit.texts().people, &person.account);
        let suspend = self.button("suspend", of.suspend).meaning(Meaning::Danger);
        let suspend = Block::Form(suspend.asking(of.suspend_question, of.suspend_now));
        let is_active = view.status == "active";
        let mut blocks = vec![Block::Heading(of.manage)];
        if !view.settings.permissions.iter().all(|held| person.grantable.contains(&&**held)) {
            blocks.push(Block::Note(Meaning::Info, of.beyond_reach.to_owned()));
            blocks.extend(is_active.then_some(suspend));
            return blocks;
        }
        let is_of_api = view.managed_by == "api";
        if is_of_api {
            blocks.push(self.edit(person, refused));
        }
        if is_of_api && person.checks.contains(&(SignInCheck::SignInOffered, true)) {
            blocks.push(Block::Form(self.button("link", of.make_link)));
            let sends_mail = self.visit.administrator().sends_mail();
            if view.password_changed_at.is_none() && view.settings.email.is_some() && sends_mail {
                blocks.push(Block::Form(self.button("invite", of.invite)));
            }
        }
        blocks.push(Block::Form(self.button("mail", of.show_mail)));
        blocks.push(Block::Form(self.button("unlock", of.unlock)));
        blocks.push(if is_active { suspend } else { Block::Form(self.button("resume", of.resume)) });
        if is_of_api {
            let delete = self.button("delete", of.delete).meaning(Meaning::Danger);
            let hint = (of.delete_hint)(identifier(view));
            blocks.push(confirmed(of.delete, delete, of.confirm, &hint, unnamed));
        }
        blocks
    }
}
