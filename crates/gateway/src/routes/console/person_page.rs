//! The page of one person: facts, why the person cannot sign in, and the forms.

use accounts::{AccountId, SignInCheck};
use administration::administrator::PersonReading;
use administration::documents::{
    AccountSettings, AccountView, Instant, MailMessage, MailView, PasswordLinkView,
};
use administration::rules::RecoveryObstacle;
use pages::console::Block;
use pages::{Badge, Fact, Meaning, PeopleTexts, Value};

use super::form::FormFields;
use super::frame::Head;
use super::people::name;
use super::person_forms::Forms;
use super::shown::{RefusedForm, codes, declared_at, fact, status, table, time, time_or};
use super::visit::{ConsoleVisit, unseen};
use crate::page::PageResult;
use crate::request::ServerFailure;
use crate::routes::admin::{decoded, encoded};

/// A form that was sent, and why it was refused.
pub(super) type Refused<'f> = (&'f FormFields, RefusedForm);

/// What the page shows of the last action.
#[derive(Default)]
pub(super) struct Answered<'f> {
    pub(super) blocks: Vec<Block>,
    pub(super) refused: Option<Refused<'f>>,
    /// The error of a deletion for which another name was typed.
    pub(super) unnamed: String,
}

impl Answered<'_> {
    pub(super) fn with(blocks: Vec<Block>) -> Self {
        Self { blocks, ..Self::default() }
    }
}

pub(super) async fn shown(visit: &ConsoleVisit<'_>, answered: Answered<'_>) -> PageResult {
    let Answered { mut blocks, refused, unnamed } = answered;
    let (tenant, account) = (visit.tenant(), account(visit)?);
    let read = visit.administrator().of(&visit.caller, &tenant).read_person(&account).await;
    let person = read.map_err(unseen)?;
    let view = &person.account;
    let declared = declared_at(visit, &view.managed_by, None).await;
    let texts = visit.texts();
    blocks.push(Block::Facts(facts(visit, view, declared)));
    blocks.extend(sign_in_checks(visit, &person));
    let forms = Forms { visit, action: visit.person(&view.account_id) };
    blocks.extend(forms.sign_ins(&person));
    blocks.extend(forms.manage(&person, refused, &unnamed));
    let (heading, id) = (name(view).to_owned(), Some(view.account_id.clone()));
    Ok(visit.show_under(Head { current: texts.frame.people, heading, id, tabs: Vec::new() }, blocks))
}

pub(super) fn account(visit: &ConsoleVisit<'_>) -> PageResult<AccountId> {
    let named = decoded(&visit.request.raw, "account").and_then(|id| AccountId::parse(&id).ok());
    named.ok_or_else(|| ServerFailure::UnknownPath.into())
}

/// A link to set a password, which is shown once.
pub(super) fn link_blocks(of: &PeopleTexts, link: &PasswordLinkView) -> [Block; 2] {
    let until = Fact { label: of.link_expires, value: time(link.expires_at) };
    [Block::Code(of.link_now.to_owned(), link.link.clone()), Block::Facts(vec![until])]
}

/// Why the person gets no mail, and what became of the latest messages.
pub(super) fn mail_blocks(visit: &ConsoleVisit<'_>, mail: &MailView) -> Vec<Block> {
    let (of, shared) = (&visit.texts().people, &visit.texts().shared);
    let why = mail.recovery_obstacles.iter().filter_map(|name| RecoveryObstacle::text_of(name));
    let limited = mail.is_limited.then(|| of.mail_limited.to_owned());
    let notes = why.map(|why| (of.no_recovery)(why)).chain(limited);
    let mut blocks: Vec<_> = notes.map(|text| Block::Note(Meaning::Warning, text)).collect();
    let code = |name: &str| Value::Codes(vec![name.to_owned()]);
    let row = |message: &MailMessage| {
        vec![
            code(&message.letter),
            time(message.created_at),
            message.outcome.as_deref().map_or_else(|| Value::Text(of.waits.to_owned()), code),
            time_or(message.next_attempt_at, shared.none),
            Value::Text(message.answer.clone()),
        ]
    };
    let headings = [of.message, visit.texts().labels.created, of.result, of.next_attempt, of.mail_answer];
    blocks.push(match mail.messages.as_slice() {
        [] => Block::Note(Meaning::Info, of.no_mail.to_owned()),
        messages => table(of.mail, headings, messages.iter().map(row)),
    });
    blocks
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

impl ConsoleVisit<'_> {
    pub(super) fn person(&self, account: &str) -> String {
        self.path(&format!("/people/{}", encoded(account)))
    }
}
