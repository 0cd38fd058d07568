//! The page of one person: facts, why the person cannot sign in, sessions, consents, and what an
//! administrator can change.

use accounts::{Account, AccountId, SignInCheck};
use administration::administrator::PersonReading;
use administration::documents::{
    AccountSettings, AccountView, ConsentView, EntityTag, Instant, PasswordLinkView, SessionView,
};
use administration::edit::account::Step;
use administration::edit::{EditError, SignInEnd};
use pages::console::{Block, Choice, Entry, Field, Fold, HtmlForm, Input};
use pages::{Badge, Fact, Link, Meaning, PeopleTexts, Value, browser_name};
use registry::ClientId;
use serde_json::json;

use super::form::FormFields;
use super::frame::Head;
use super::people::{identifier, inputs, name, no_identifier};
use super::shown::{
    RefusedForm, codes, danger, declared_at, fact, outcome, status, success, table, time, time_or,
};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::page::PageResult;
use crate::request::ServerFailure;
use crate::routes::admin::{decoded, encoded};

/// The most sessions and the most consents on the page.
const MOST: usize = 20;

/// A form that was sent, and why it was refused.
type Refused<'f> = (&'f FormFields, RefusedForm);

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, Vec::new(), None).await
}

pub(super) async fn step(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (tenant, account, of) = (visit.tenant(), account(visit)?, &visit.texts().people);
    let within = visit.administrator().of(&visit.caller, &tenant);
    let ended = |text| move |()| vec![success(text)];
    let taken = |text| move |_| vec![success(text)];
    let done = match fields.text("step") {
        "suspend" => within.step::<Account>(&account, Step::Suspend).await.map(taken(of.suspended)),
        "resume" => within.step::<Account>(&account, Step::Resume).await.map(taken(of.resumed)),
        "unlock" => within.step::<Account>(&account, Step::Unlock).await.map(taken(of.unlocked)),
        "link" => within.make_password_link(&account).await.map(|link| link_blocks(of, &link).to_vec()),
        "end-sessions" => within.end_sign_ins(&account, &SignInEnd::All).await.map(ended(of.sessions_ended)),
        "end-session" => match fields.text("session").parse() {
            Ok(session) => {
                let end = SignInEnd::Session(session);
                within.end_sign_ins(&account, &end).await.map(ended(of.session_ended))
            }
            Err(_) => Err(EditError::NotFound("session")),
        },
        "remove-consent" => match ClientId::parse(fields.text("client")) {
            Ok(client) => {
                let end = SignInEnd::Consent(client);
                within.end_sign_ins(&account, &end).await.map(ended(of.consent_removed))
            }
            Err(_) => Err(EditError::NotFound("consent")),
        },
        "edit" => return edit(visit, &account, fields).await,
        "delete" => return delete(visit, &account, fields).await,
        _ => return page(visit).await,
    };
    match outcome(done)? {
        Ok(blocks) => shown(visit, blocks, None).await,
        Err(refused) => shown(visit, vec![refused.alert()], None).await,
    }
}

/// Refused if the account has changed since the form was shown.
async fn edit(visit: &ConsoleVisit<'_>, account: &AccountId, fields: &FormFields) -> PageResult {
    let (tenant, of) = (visit.tenant(), &visit.texts().people);
    let email = fields.given("email");
    let mut patch = json!({
        "claims": { "name": fields.given("name") },
        "email": email,
        // A new address is not verified.
        "email_verified": email.is_some() && email == fields.given("verified"),
        "username": fields.given("username"),
        "groups": fields.lines("groups"),
    });
    if fields.given("grants").is_some() {
        patch["permissions"] = fields.values("permission").collect();
    }
    let mut caller = visit.caller.clone();
    caller.if_match = Some(fields.text("tag").to_owned());
    let edited = if email.is_none() && fields.given("username").is_none() {
        Err(no_identifier(visit))
    } else {
        visit.administrator().of(&caller, &tenant).patch_account(account, &patch).await
    };
    let edited = edited.map_err(|error| match error {
        EditError::Stale => EditError::Conflict(of.changed_meanwhile.to_owned()),
        error => error,
    });
    match outcome(edited)? {
        Ok(view) => {
            let mut blocks = vec![success(of.saved)];
            if let Some(link) = &view.password_link {
                blocks.push(Block::Note(Meaning::Warning, of.password_removed.to_owned()));
                blocks.extend(link_blocks(of, link));
            }
            shown(visit, blocks, None).await
        }
        Err(refused) => {
            let alert = danger(refused.message.clone().unwrap_or_default());
            shown(visit, vec![alert], Some((fields, refused))).await
        }
    }
}

async fn delete(visit: &ConsoleVisit<'_>, account: &AccountId, fields: &FormFields) -> PageResult {
    let (tenant, texts) = (visit.tenant(), visit.texts());
    let (of, people) = (&texts.people, texts.frame.people);
    let within = visit.administrator().of(&visit.caller, &tenant);
    let view = within.look::<Account>(account).await.map_err(unseen)?;
    match visit.check_danger(fields, identifier(&view)) {
        Ok(()) => {}
        Err(Danger::Unproven) => return Ok(visit.ask_again(people)),
        Err(Danger::Unnamed(text)) => return shown(visit, vec![danger(text)], None).await,
    }
    match outcome(within.step::<Account>(account, Step::Delete).await)? {
        Ok(_) => {
            let way = Link { name: of.all.to_owned(), url: visit.path("/people") };
            let blocks = vec![success((of.deleted)(name(&view))), Block::Links(vec![way])];
            Ok(visit.show(people, name(&view), blocks))
        }
        Err(refused) => shown(visit, vec![refused.alert()], None).await,
    }
}

/// A link to set a password, which is shown once.
pub(super) fn link_blocks(of: &PeopleTexts, link: &PasswordLinkView) -> [Block; 2] {
    let until = Fact { label: of.link_expires, value: time(link.expires_at) };
    [Block::Code(of.link_now.to_owned(), link.link.clone()), Block::Facts(vec![until])]
}

async fn shown(visit: &ConsoleVisit<'_>, mut blocks: Vec<Block>, refused: Option<Refused<'_>>) -> PageResult {
    let (tenant, account) = (visit.tenant(), account(visit)?);
    let read = visit.administrator().of(&visit.caller, &tenant).read_person(&account).await;
    let person = read.map_err(unseen)?;
    let view = &person.account;
    let declared = declared_at(visit, &view.managed_by, None).await;
    let texts = visit.texts();
    blocks.push(Block::Facts(facts(visit, view, declared)));
    blocks.extend(sign_in_checks(visit, &person));
    let forms = Forms { visit, action: visit.person(&view.account_id, "") };
    blocks.extend(forms.sign_ins(&person));
    let is_within_reach = view.settings.permissions.iter().all(|held| person.grantable.contains(&&**held));
    blocks.push(Block::Heading(texts.people.manage));
    if !is_within_reach {
        blocks.push(Block::Note(Meaning::Info, texts.people.beyond_reach.to_owned()));
    }
    if view.managed_by == "api" && is_within_reach {
        blocks.push(forms.edit(&person, refused));
    }
    blocks.extend(forms.steps(&person, is_within_reach).into_iter().map(Block::Form));
    let (heading, id) = (name(view).to_owned(), Some(view.account_id.clone()));
    Ok(visit.show_under(Head { current: texts.frame.people, heading, id, tabs: Vec::new() }, blocks))
}

fn account(visit: &ConsoleVisit<'_>) -> PageResult<AccountId> {
    let named = decoded(&visit.request.raw, "account").and_then(|id| AccountId::parse(&id).ok());
    named.ok_or_else(|| ServerFailure::UnknownPath.into())
}

fn facts(visit: &ConsoleVisit<'_>, view: &AccountView, managed_by: Value) -> Vec<Fact> {
    let texts = visit.texts();
    let (of, labels, shared) = (&texts.people, &texts.labels, &texts.shared);
    let AccountSettings { email, email_verified, username, external_id, groups, permissions, .. } =
        &view.settings;
    let shown_email = if *email_verified { of.verified } else { of.not_verified };
    let email = email.as_ref().map(|email| fact(of.email, shown_email(email)));
    let username = username.as_ref().map(|username| fact(of.username, &**username));
    let external_id = external_id.as_ref().map(|id| fact(of.external_id, &**id));
    let facts = [
        Fact { label: labels.status, value: status(shared, &view.status) },
        Fact { label: labels.managed_by, value: managed_by },
        codes(shared, of.groups, groups),
        codes(shared, of.permissions, permissions),
        Fact { label: of.password_set, value: time_or(view.password_changed_at, shared.none) },
        Fact { label: labels.created, value: time(view.created_at) },
        Fact { label: labels.changed, value: time(view.updated_at) },
    ];
    [email, username, external_id].into_iter().flatten().chain(facts).collect()
}

/// "Why can this person not sign in?": what a sign-in checks in its order, the first failure in red.
fn sign_in_checks(visit: &ConsoleVisit<'_>, person: &PersonReading) -> [Block; 3] {
    let of = &visit.texts().people;
    let failed = person.checks.iter().position(|(_, passes)| !passes);
    let until = |at: Option<Instant>| at.map(|at| at.0.to_rfc3339()).unwrap_or_default();
    let row = |(at, (check, passes)): (usize, &(SignInCheck, bool))| {
        let (meaning, text) = match passes {
            true => (Meaning::Success, of.passed),
            false if failed == Some(at) => (Meaning::Danger, of.failed),
            false => (Meaning::Warning, of.failed),
        };
        let fix = match check {
            _ if *passes => String::new(),
            SignInCheck::Throttling => {
                let throttling = &person.throttling;
                (of.throttled)(&throttling.failures.to_string(), &until(throttling.until))
            }
            check => (of.fix)(check.name()).unwrap_or_default().to_owned(),
        };
        let name = (of.check)(check.name()).unwrap_or_default().to_owned();
        vec![Value::Text(name), Value::Badge(Badge { meaning, text: text.to_owned() }), Value::Text(fix)]
    };
    let mut rows: Vec<_> = person.checks.iter().enumerate().map(row).collect();
    // After the account is found, and before its own limit.
    let unknown = Badge { meaning: Meaning::Neutral, text: of.depends.to_owned() };
    let sources = [Value::Text(of.sources.to_owned()), Value::Badge(unknown)];
    rows.insert(3, sources.into_iter().chain([Value::Text(of.sources_text.to_owned())]).collect());
    let verdict = match failed {
        None => Block::Note(Meaning::Success, of.can_sign_in.to_owned()),
        Some(_) => Block::Note(Meaning::Danger, of.cannot_sign_in.to_owned()),
    };
    let headings = [of.check_heading, of.result, visit.texts().labels.what_to_do];
    [Block::Heading(of.why), verdict, table(of.checks, headings, rows.into_iter())]
}

struct Forms<'v> {
    visit: &'v ConsoleVisit<'v>,
    action: String,
}

impl Forms<'_> {
    fn button(&self, step: &str, label: &str) -> HtmlForm {
        HtmlForm::button(self.action.clone(), &self.visit.form_token(), label).sending("step", step)
    }

    fn sign_ins(&self, person: &PersonReading) -> Vec<Block> {
        let of = &self.visit.texts().people;
        let more = |count: usize| {
            let more = count.saturating_sub(MOST);
            (more > 0).then(|| Block::Text((of.more)(&more.to_string())))
        };
        let none = |is_empty: bool| is_empty.then(|| Block::Text(self.visit.texts().shared.none.to_owned()));
        let mut blocks = vec![Block::Heading(of.sessions)];
        blocks.extend(none(person.sessions.is_empty()));
        blocks.push(Block::Entries(
            person.sessions.iter().take(MOST).map(|found| self.session(found)).collect(),
        ));
        blocks.extend(more(person.sessions.len()));
        if !person.sessions.is_empty() {
            blocks.push(Block::Form(self.button("end-sessions", of.end_sessions).meaning(Meaning::Danger)));
        }
        blocks.push(Block::Heading(of.consents));
        blocks.extend(none(person.consents.is_empty()));
        blocks.push(Block::Entries(
            person.consents.iter().take(MOST).map(|found| self.consent(found)).collect(),
        ));
        blocks.extend(more(person.consents.len()));
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
            let choice = |name: &&str| Choice {
                value: (*name).to_owned(),
                label: (*name).to_owned(),
                text: (of.permission)(name).unwrap_or_default().to_owned(),
                is_chosen: is_chosen(name),
            };
            let choices = Input::Any(grantable.iter().map(choice).collect());
            let field = Field::new("permission", of.permissions, choices).hint(of.permissions_hint);
            fields.push(refused.at("/permissions", field));
            form = form.sending("grants", "yes");
        }
        let (summary, is_open) = (of.edit.to_owned(), sent.is_some());
        Block::Fold(Fold {
            summary,
            is_primary: true,
            is_open,
            forms: vec![form.with(fields)],
            entries: Vec::new(),
        })
    }

    /// The dangerous ones last.
    fn steps(&self, person: &PersonReading, is_within_reach: bool) -> Vec<HtmlForm> {
        let (of, view) = (&self.visit.texts().people, &person.account);
        let is_of_api = view.managed_by == "api";
        let offers_sign_in =
            person.checks.iter().any(|(check, passes)| *check == SignInCheck::SignInOffered && *passes);
        let link = self.button("link", of.make_link);
        let unlock = self.button("unlock", of.unlock);
        let status = match &*view.status {
            "active" => {
                let suspend = self.button("suspend", of.suspend).meaning(Meaning::Danger);
                Some(suspend.asking(of.suspend_question, of.suspend))
            }
            _ => is_within_reach.then(|| self.button("resume", of.resume)),
        };
        let confirm = Field::text("confirm", of.confirm, "").hint(&(of.delete_hint)(identifier(view)));
        let delete = self.button("delete", of.delete).meaning(Meaning::Danger).with(vec![confirm]);
        let forms = [
            (is_of_api && offers_sign_in && is_within_reach).then_some(link),
            is_within_reach.then_some(unlock),
            status,
            (is_of_api && is_within_reach).then_some(delete),
        ];
        forms.into_iter().flatten().collect()
    }
}

impl ConsoleVisit<'_> {
    pub(super) fn person(&self, account: &str, below: &str) -> String {
        self.path(&format!("/people/{}{below}", encoded(account)))
    }
}
