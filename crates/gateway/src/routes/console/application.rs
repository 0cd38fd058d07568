//! The page of one application: settings, usage, refusals, permissions, and what the token endpoint
//! would answer it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use administration::administrator::{ApplicationReading, UsageQuery};
use administration::audit::refusals::Refusal;
use administration::documents;
use administration::documents::{ClientView, UsageView};
use administration::edit;
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Badge, Column, ConsoleTexts, Fact, Link, Meaning, Table, Value};
use registry::{Client, ClientId};
use values::Lifetime;

use super::applications::purpose;
use super::form::FormFields;
use super::frame::{Head, links};
use super::shown::{codes, danger, declared_at, fact, outcome, status, success, table, time, used};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::explain::{ExplainedRequest, PresentedParts, advice_on, explain as explained};
use crate::page::{PageError, PageResult};
use crate::request::ServerFailure;
use crate::respond::Problem;

/// The period for counting requested scopes: 30 days.
const ASKED: Lifetime = Lifetime::from_seconds(30 * 86_400);
/// Refusals on the page.
const REFUSALS: u32 = 20;

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None).await
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
            Err(Danger::Unnamed(text)) => return shown(visit, Some(danger(text))).await,
        },
        _ => return shown(visit, None).await,
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
        Ok(_) => shown(visit, Some(success(done))).await,
        Err(refused) => shown(visit, Some(refused.alert())).await,
    }
}

async fn shown(visit: &ConsoleVisit<'_>, notice: Option<Block>) -> PageResult {
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
    if let Some(usage) = usage {
        blocks.push(Block::Table(access(texts, &view, &usage)));
        blocks.push(used(&texts.shared, &last_day(usage)));
    }
    blocks.extend(refusals.map(|page| refused(texts, &page.items)));
    if view.managed_by == "api" {
        blocks.extend(steps(visit, &view));
    }
    Ok(visit.show_under(head(visit, &view, texts.frame.overview), blocks))
}

/// The head of the application's pages. `current` is the name of the tab.
pub(super) fn head(visit: &ConsoleVisit<'_>, view: &ClientView, current: &str) -> Head<'static> {
    let base = visit.application(&view.client_id, "");
    let frame = &visit.texts().frame;
    let parts = [(frame.overview, ""), (frame.credentials, "/credentials"), (frame.attempt, "/try")];
    let tabs = links(parts, current, |below| format!("{base}{below}"));
    let heading = view.settings.name.as_ref().unwrap_or(&view.client_id).clone();
    Head { current: frame.applications, heading, id: Some(view.client_id.clone()), tabs }
}

fn facts(texts: &ConsoleTexts, view: &ClientView, managed_by: Value) -> Vec<Fact> {
    let (settings, labels) = (&view.settings, &texts.labels);
    let mut facts = vec![
        fact(labels.name, settings.name.as_deref().unwrap_or_default()),
        Fact { label: labels.status, value: status(&texts.shared, &view.status) },
        Fact { label: labels.managed_by, value: managed_by },
        codes(&texts.shared, labels.apis, &settings.audiences),
        codes(&texts.shared, texts.application.grants, &settings.grant_types),
        fact(texts.application.authentication, &*settings.token_endpoint_auth_method),
        Fact { label: labels.created, value: time(view.created_at) },
    ];
    let purpose = purpose(&texts.applications, view);
    if !purpose.is_empty() {
        facts.insert(1, fact(labels.kind, purpose));
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
            Value::Code(refusal.request_id.clone()),
        ]
    };
    let headings = [labels.time, of.reason, labels.explanation, labels.what_to_do, labels.source, of.request];
    table(of.refusals, headings, refusals.iter().map(row))
}

/// The forms that change the application, the dangerous ones last.
fn steps(visit: &ConsoleVisit<'_>, view: &ClientView) -> Vec<Block> {
    let action = visit.application(&view.client_id, "");
    let token = visit.form_token();
    let texts = &visit.texts().application;
    let button =
        |step: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("step", step);
    let service = match &*view.status {
        "active" => button("suspend", texts.suspend).meaning(Meaning::Danger),
        _ => button("resume", texts.resume),
    };
    let confirm = Field::text("confirm", visit.texts().labels.client_id, "").hint(texts.delete_hint);
    vec![
        Block::Heading(texts.manage),
        Block::Form(service),
        Block::Form(button("revoke-tokens", texts.revoke_tokens).meaning(Meaning::Danger)),
        Block::Form(button("delete", texts.delete).meaning(Meaning::Danger).with(vec![confirm])),
    ]
}

/// Shows the form for explaining a request.
pub(super) async fn try_it(visit: &ConsoleVisit<'_>) -> PageResult {
    let client = visit.client()?;
    let read = visit.administrator().of(&visit.caller, &visit.tenant()).look::<Client>(&client).await;
    let application = read.map_err(unseen)?;
    let blocks = vec![explain_form(visit, &client, &FormFields::read(b""))];
    Ok(attempt_page(visit, &application, blocks))
}

/// Explains the response of the token endpoint. Signs and changes nothing. The form asks for no
/// secret.
pub(super) async fn explain(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let application =
        administrator.of(&visit.caller, &tenant).look::<Client>(&client).await.map_err(unseen)?;
    let settings = documents::ExplainSettings {
        scope: fields.given("scope").map(str::to_owned),
        resource: fields.words("resource"),
        ..documents::ExplainSettings::default()
    };
    let request = ExplainedRequest {
        services: &visit.request.services.tokens,
        tenant: &tenant,
        client: &client,
        settings: &settings,
        source: visit.request.raw.source(),
        now: visit.now(),
        public_url: administrator.public_url(),
        is_by_key: false,
    };
    let presented = PresentedParts { secret: None, assertion: None, dpop_proof: None, access_token: None };
    let view = explained(&request, presented).await.map_err(unexplained)?;
    let mut blocks = vec![explain_form(visit, &client, fields)];
    blocks.extend(verdict(visit.texts(), &view));
    Ok(attempt_page(visit, &application, blocks))
}

fn attempt_page(visit: &ConsoleVisit<'_>, application: &ClientView, blocks: Vec<Block>) -> HttpResponse {
    visit.show_under(head(visit, application, visit.texts().frame.attempt), blocks)
}

/// The cause is in the log. 429 cannot occur, because the form contains no secret.
fn unexplained(problem: Problem) -> PageError {
    let is_passing = problem.status == StatusCode::SERVICE_UNAVAILABLE;
    if is_passing { ServerFailure::Unavailable.into() } else { ServerFailure::Internal.into() }
}

fn explain_form(visit: &ConsoleVisit<'_>, client: &ClientId, fields: &FormFields) -> Block {
    let action = visit.application(client.as_str(), "/try");
    let texts = &visit.texts().attempt;
    let scope = Input::Lines(fields.text("scope").to_owned());
    let inputs = vec![
        Field::new("scope", visit.texts().labels.scopes, scope).hint(texts.scopes_hint),
        Field::text("resource", texts.resources, fields.text("resource"))
            .optional()
            .hint(texts.resources_hint),
    ];
    let form = HtmlForm::button(action, &visit.form_token(), texts.explain).meaning(Meaning::Info);
    Block::Form(form.with(inputs))
}

/// The result first, then each check.
fn verdict(texts: &ConsoleTexts, view: &documents::ExplanationView) -> Vec<Block> {
    let (of, result) = (&texts.attempt, &view.result);
    let verdict = match &result.error {
        None => success((of.issued)(&result.status.to_string())),
        Some(error) => {
            let why = result.error_description.as_deref().unwrap_or_default();
            danger((of.refused)(&format!("{} {error}", result.status), why))
        }
    };
    let row = |check: &documents::ExplainedCheck| {
        let meaning = match &*check.result {
            "passed" => Meaning::Success,
            "failed" => Meaning::Danger,
            _ => Meaning::Neutral,
        };
        vec![
            Value::English(check.name.clone()),
            Value::Badge(Badge {
                meaning,
                text: (of.results)(&check.result).unwrap_or(&check.result).to_owned(),
            }),
            Value::English(check.detail.clone()),
            Value::English(check.fix.clone().unwrap_or_default()),
        ]
    };
    let checks = view.checks.iter().chain(&view.credential.checks);
    let headings = [of.check, of.result, of.detail, texts.labels.what_to_do];
    let checks = table(of.checks, headings, checks.map(row));
    let pretty = |token: &documents::ExplainedToken| {
        documents::as_answer(|| serde_json::to_string_pretty(&token.claims)).ok()
    };
    let claims = view.token.as_ref().and_then(pretty);
    let claims = claims.map(|claims| Block::Code(of.claims.to_owned(), claims));
    [verdict, checks].into_iter().chain(claims).collect()
}
