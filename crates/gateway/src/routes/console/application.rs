//! The page of one application: settings, usage, refusals and permissions.

use administration::administrator::{ApplicationReading, UsageQuery};
use administration::audit::refusals::Refusal;
use administration::documents;
use administration::documents::{ClientView, UsageView};
use administration::edit;
use pages::console::{Block, HtmlForm};
use pages::{Badge, Column, ConsoleTexts, Fact, Link, Meaning, Table, Value};
use registry::{Client, ClientId};
use url::form_urlencoded;
use values::Lifetime;

use super::applications::{health, kind};
use super::form::FormFields;
use super::frame::{Head, links};
use super::shown::{codes, confirmed, declared_at, fact, outcome, success, table, time, used};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::explain::advice_on;
use crate::page::PageResult;

/// The period for counting requested scopes: 30 days.
const ASKED: Lifetime = Lifetime::from_seconds(30 * 86_400);
/// Refusals on the page.
const REFUSALS: u32 = 20;

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None, "").await
}

/// Suspends, resumes or deletes the application, or revokes its tokens.
pub(super) async fn step(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (client, frame) = (visit.client()?, &visit.texts().frame);
    let texts = &visit.texts().application;
    let (step, done) = match fields.text("step") {
        "suspend" => (edit::client::Step::Suspend, texts.suspended),
        "resume" => (edit::client::Step::Resume, texts.resumed),
        "revoke-tokens" => (edit::client::Step::RevokeTokens, texts.tokens_revoked),
        "delete" => match visit.check_danger(fields, client.as_str()) {
            Ok(()) => (edit::client::Step::Delete, ""),
            Err(Danger::Unproven) => return Ok(visit.ask_again(frame.applications)),
            Err(Danger::Unnamed(text)) => return shown(visit, None, &text).await,
        },
        _ => return page(visit).await,
    };
    let stepped =
        visit.administrator().of(&visit.caller, &visit.tenant()).step::<Client>(&client, step).await;
    match outcome(stepped)? {
        Ok(_) if step == edit::client::Step::Delete => {
            let done = success((texts.deleted)(client.as_str()));
            let name = texts.all_applications.to_owned();
            let way = Link { name, url: visit.path("/applications") };
            let blocks = vec![done, Block::Links(vec![way])];
            Ok(visit.show(frame.applications, client.as_str(), blocks))
        }
        Ok(_) => shown(visit, Some(success(done)), "").await,
        Err(refused) => shown(visit, Some(refused.alert()), "").await,
    }
}

/// `notice` is the result of an action. `unnamed` is the error if the typed name does not confirm the
/// deletion.
pub(super) async fn shown(visit: &ConsoleVisit<'_>, notice: Option<Block>, unnamed: &str) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let since = visit.now().saturating_sub(ASKED);
    let span = UsageQuery { since: Some(since), until: None, by: Some(documents::UsagePeriod::Hour) };
    let read = administrator.of(&visit.caller, &tenant).read_application(&client, span, REFUSALS).await;
    let ApplicationReading { client: view, usage, refusals } = read.map_err(unseen)?;
    let texts = visit.texts();
    let mut blocks = Vec::from_iter(notice);
    let declared = declared_at(visit, &view.managed_by, Some(client.clone())).await;
    let mut facts = facts(texts, &view, declared);
    if usage.is_none() {
        facts.push(codes(&texts.shared, texts.labels.scopes, &view.settings.scopes));
    }
    blocks.push(Block::Facts(facts));
    blocks.push(Block::Links(actions(visit, &view)));
    if let Some(usage) = usage {
        blocks.push(Block::Table(access(texts, &view, &usage)));
        blocks.push(used(&texts.shared, &last_day(usage)));
    }
    blocks.extend(refusals.map(|page| refused(texts, &page.items)));
    if view.managed_by == "api" {
        blocks.extend(steps(visit, &view, unnamed));
    }
    Ok(visit.show_under(head(visit, &view, texts.frame.general), blocks))
}

/// Links to the forms that change or copy the application.
fn actions(visit: &ConsoleVisit<'_>, view: &ClientView) -> Vec<Link> {
    let (texts, id) = (&visit.texts().application, &view.client_id);
    let edit = Link { name: texts.edit.to_owned(), url: visit.application(id, "/edit") };
    let like = form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    let url = format!("{}?like={like}", visit.path("/applications/new"));
    let copy = Link { name: texts.copy.to_owned(), url };
    (view.managed_by == "api").then_some(edit).into_iter().chain([copy]).collect()
}

/// The application in the path, as [`find_by_id`].
pub(super) async fn find(visit: &ConsoleVisit<'_>) -> PageResult<ClientView> {
    find_by_id(visit, &visit.client()?).await
}

/// 404 for an application that the owner of the session may not see.
pub(super) async fn find_by_id(visit: &ConsoleVisit<'_>, client: &ClientId) -> PageResult<ClientView> {
    visit.administrator().of(&visit.caller, &visit.tenant()).look::<Client>(client).await.map_err(unseen)
}

/// The head of the application's pages. `current` is the name of the tab.
pub(super) fn head(visit: &ConsoleVisit<'_>, view: &ClientView, current: &str) -> Head<'static> {
    let base = visit.application(&view.client_id, "");
    let frame = &visit.texts().frame;
    let parts = [(frame.general, ""), (frame.credentials, "/credentials"), (frame.attempt, "/try")];
    let tabs = links(parts, current, |below| format!("{base}{below}"));
    let heading = view.settings.name.as_ref().unwrap_or(&view.client_id).clone();
    Head { current: frame.applications, heading, id: Some(view.client_id.clone()), tabs }
}

fn facts(texts: &ConsoleTexts, view: &ClientView, managed_by: Value) -> Vec<Fact> {
    let (settings, labels, of) = (&view.settings, &texts.labels, &texts.application);
    let method = &*settings.token_endpoint_auth_method;
    let mut facts = vec![
        fact(labels.name, settings.name.as_deref().unwrap_or_default()),
        Fact { label: labels.status, value: health(texts, view) },
        Fact { label: labels.managed_by, value: managed_by },
        codes(&texts.shared, labels.apis, &settings.audiences),
        codes(&texts.shared, of.grants, &settings.grant_types),
        fact(of.authentication, (of.methods)(method).unwrap_or(method)),
        Fact { label: labels.created, value: time(view.created_at) },
    ];
    if !settings.redirect_uris.is_empty() {
        let uris = Value::Codes(settings.redirect_uris.clone());
        facts.insert(6, Fact { label: (texts.edit.label)("redirect_uris").unwrap_or_default(), value: uris });
    }
    let kind = kind(texts, view);
    if !kind.is_empty() {
        facts.insert(1, fact(labels.kind, kind));
    }
    if let Some(description) = &settings.description {
        facts.insert(1, fact(labels.description, description.as_str()));
    }
    facts
}

/// The scopes that the application may request, and how often it did.
fn access(texts: &ConsoleTexts, view: &ClientView, usage: &UsageView) -> Table {
    let of = &texts.application;
    let last_asked = |scope: &str| {
        let mut periods = usage.periods.iter().rev();
        periods.find(|period| period.sums.scopes_asked.contains_key(scope)).map(|period| period.start)
    };
    let row = |scope: &String| {
        let asked = usage.total.scopes_asked.get(scope).copied().unwrap_or_default();
        let last = last_asked(scope).map_or_else(|| Value::Text(of.not_requested.to_owned()), time);
        vec![Value::Code(scope.clone()), Value::Number(asked), last]
    };
    Table {
        caption: of.scope_requests.to_owned(),
        columns: vec![
            Column::from_heading(texts.labels.scope),
            Column::of_numbers(of.requests),
            Column::from_heading(of.last_requested),
        ],
        rows: view.settings.scopes.iter().map(row).collect(),
    }
}

/// Keeps the last 24 periods, which are hours.
fn last_day(mut usage: UsageView) -> UsageView {
    let surplus = usage.periods.len().saturating_sub(24);
    usage.periods.drain(..surplus);
    usage.total.issued = usage.periods.iter().map(|period| period.sums.issued).sum();
    usage.total.refused = usage.periods.iter().map(|period| period.sums.refused).sum();
    usage
}

/// The latest refused requests with reasons and advice.
fn refused(texts: &ConsoleTexts, refusals: &[Refusal]) -> Block {
    let (of, labels) = (&texts.application, &texts.labels);
    let row = |refusal: &Refusal| {
        let client = refusal.client.as_ref().map_or("CLIENT", ClientId::as_str);
        let (detail, fix) = advice_on(&refusal.reason, &refusal.tenant, client);
        vec![
            time(refusal.at.into()),
            Value::Badge(Badge { meaning: Meaning::Danger, text: refusal.reason.clone() }),
            Value::English(detail),
            Value::English(fix),
            Value::Text(refusal.source.clone()),
            Value::Id(refusal.request_id.clone()),
        ]
    };
    let headings = [labels.time, of.reason, labels.explanation, labels.what_to_do, labels.source, of.request];
    table(of.refusals, headings, refusals.iter().map(row))
}

/// The forms that change the application, the dangerous ones last.
fn steps(visit: &ConsoleVisit<'_>, view: &ClientView, unnamed: &str) -> Vec<Block> {
    let (action, token) = (visit.application(&view.client_id, ""), visit.form_token());
    let (texts, id) = (&visit.texts().application, visit.texts().labels.client_id);
    let button =
        |step: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("step", step);
    let danger = |step: &str, label: &str| button(step, label).meaning(Meaning::Danger);
    let service = match &*view.status {
        "active" => danger("suspend", texts.suspend).asking(texts.suspend_question, texts.suspend_now),
        _ => button("resume", texts.resume),
    };
    let revoke = danger("revoke-tokens", texts.revoke_tokens);
    let delete = danger("delete", texts.delete);
    vec![
        Block::Heading(texts.manage),
        Block::Form(service),
        Block::Form(revoke.asking(texts.revoke_question, texts.revoke_now)),
        confirmed(texts.delete, delete, id, texts.delete_hint, unnamed),
    ]
}
