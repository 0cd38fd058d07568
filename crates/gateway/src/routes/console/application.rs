//! One application: its settings, its usage, its refusals and its permissions; and the response that the
//! token endpoint would give it.

use actix_web::http::StatusCode;
use administration::{
    ApplicationReading, ClientStep, ClientView, ExplainSettings, ExplainedCheck, ExplainedToken,
    ExplanationView, Refusal, UsagePeriod, UsageQuery, UsageView, as_answer,
};
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Badge, Column, Destination as Tab, Fact, Link, Meaning, Table, Value};
use registry::{Client, ClientId};
use values::Lifetime;

use super::applications::purpose;
use super::form::FormFields;
use super::shown::{codes, danger, declared_at, fact, outcome, status, success, table, time, used};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::explain::{ExplainedRequest, PresentedParts, advice_on, explain as explained};
use crate::page::{PageError, PageResult};
use crate::request::ServerFailure;
use crate::respond::Problem;

/// The days whose requested scopes are counted.
const ASKED: Lifetime = Lifetime::from_seconds(30 * 86_400);
/// The number of refusals on the page.
const REFUSALS: u32 = 20;

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None).await
}

/// Suspends the application, resumes it, revokes its tokens, or deletes it.
pub(super) async fn step(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let client = visit.client()?;
    let (step, done) = match fields.text("step") {
        "suspend" => (ClientStep::Suspend, "The application is suspended: it gets no tokens."),
        "resume" => (ClientStep::Resume, "The application gets tokens again."),
        "revoke-tokens" => (ClientStep::RevokeTokens, "All tokens that it was issued are revoked."),
        "delete" => match visit.check_danger(fields, client.as_str()) {
            Ok(()) => (ClientStep::Delete, ""),
            Err(Danger::Unproven) => return Ok(visit.ask_again("Applications")),
            Err(Danger::Unnamed(text)) => return shown(visit, Some(danger(text))).await,
        },
        _ => return shown(visit, None).await,
    };
    let stepped =
        visit.administrator().of(&visit.caller, &visit.tenant()).step::<Client>(&client, step).await;
    match outcome(stepped)? {
        Ok(_) if step == ClientStep::Delete => {
            let done = success(format!("The application {client} is deleted. Its id stays reserved."));
            let way = Link { name: "All applications".to_owned(), url: visit.path("/applications") };
            let blocks = vec![done, Block::Links(vec![way])];
            Ok(visit.show("Applications", client.as_str(), blocks))
        }
        Ok(_) => shown(visit, Some(success(done))).await,
        Err(refused) => shown(visit, Some(refused.alert())).await,
    }
}

async fn shown(visit: &ConsoleVisit<'_>, notice: Option<Block>) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let since = visit.now().saturating_sub(ASKED);
    let span = UsageQuery { since: Some(since), until: None, by: Some(UsagePeriod::Hour) };
    let read = administrator.of(&visit.caller, &tenant).read_application(&client, span, REFUSALS).await;
    let ApplicationReading { client: view, usage, refusals } = read.map_err(unseen)?;
    let mut blocks = Vec::from_iter(notice);
    let declared = declared_at(visit, &view.managed_by, Some(client.clone())).await;
    let mut facts = facts(&view, declared);
    if usage.is_none() {
        facts.push(codes("Scopes", &view.settings.scopes));
    }
    blocks.push(Block::Facts(facts));
    if let Some(usage) = usage {
        blocks.push(Block::Table(access(&view, &usage)));
        blocks.push(used(&last_day(usage)));
    }
    blocks.extend(refusals.map(|page| refused(&page.items)));
    if view.managed_by == "api" {
        blocks.extend(steps(visit, &view));
    }
    Ok(visit.show_part("Applications", client.to_string(), tabs(visit, &client, "Overview"), blocks))
}

/// The parts of an application.
pub(super) fn tabs(visit: &ConsoleVisit<'_>, client: &ClientId, current: &str) -> Vec<Tab> {
    let base = visit.application(client.as_str(), "");
    let parts = [("Overview", ""), ("Credentials", "/credentials"), ("Try it", "/try")];
    let tabs = parts.map(|(name, below)| Tab {
        link: Link { name: name.to_owned(), url: format!("{base}{below}") },
        is_current: name == current,
    });
    tabs.to_vec()
}

fn facts(view: &ClientView, managed_by: Value) -> Vec<Fact> {
    let settings = &view.settings;
    let mut facts = vec![
        fact("Name", settings.name.as_deref().unwrap_or_default()),
        Fact { label: "Status", value: status(&view.status) },
        Fact { label: "Managed by", value: managed_by },
        codes("APIs", &settings.audiences),
        codes("Grants", &settings.grant_types),
        fact("Authenticates by", &*settings.token_endpoint_auth_method),
        Fact { label: "Created", value: time(view.created_at) },
    ];
    if !purpose(view).is_empty() {
        facts.insert(1, fact("Kind", purpose(view)));
    }
    if let Some(description) = &settings.description {
        facts.insert(1, fact("Description", description.as_str()));
    }
    facts
}

/// The scopes that it may request, and how often it did.
fn access(view: &ClientView, usage: &UsageView) -> Table {
    let last_asked = |scope: &str| {
        let mut periods = usage.periods.iter().rev();
        periods.find(|period| period.sums.scopes_asked.contains_key(scope)).map(|period| period.start)
    };
    let row = |scope: &String| {
        let asked = usage.total.scopes_asked.get(scope).copied().unwrap_or_default();
        let last = last_asked(scope).map_or_else(|| Value::Text("not in 30 days".to_owned()), time);
        vec![Value::Code(scope.clone()), Value::Number(asked), last]
    };
    Table {
        caption: "Scopes, and how often they were asked for by name in 30 days".to_owned(),
        columns: vec![
            Column::from_heading("Scope"),
            Column::of_numbers("Requests"),
            Column::from_heading("Last asked for"),
        ],
        rows: view.settings.scopes.iter().map(row).collect(),
    }
}

/// The last 24 periods, which are hours.
fn last_day(mut usage: UsageView) -> UsageView {
    let surplus = usage.periods.len().saturating_sub(24);
    usage.periods.drain(..surplus);
    usage.total.issued = usage.periods.iter().map(|period| period.sums.issued).sum();
    usage.total.refused = usage.periods.iter().map(|period| period.sums.refused).sum();
    usage
}

/// The last refused requests, each with why and what to do.
fn refused(refusals: &[Refusal]) -> Block {
    let row = |refusal: &Refusal| {
        let client = refusal.client.as_ref().map_or("CLIENT", ClientId::as_str);
        let (detail, fix) = advice_on(&refusal.reason, &refusal.tenant, client);
        vec![
            time(refusal.at.into()),
            Value::Badge(Badge { meaning: Meaning::Danger, text: refusal.reason.clone() }),
            Value::Text(detail),
            Value::Text(fix),
            Value::Text(refusal.source.clone()),
            Value::Code(refusal.request_id.clone()),
        ]
    };
    let headings = ["Time", "Reason", "Why", "What to do", "From", "Request"];
    table("Last refused requests", headings, refusals.iter().map(row))
}

/// The actions on an application, the dangerous ones last.
fn steps(visit: &ConsoleVisit<'_>, view: &ClientView) -> Vec<Block> {
    let action = visit.application(&view.client_id, "");
    let token = visit.form_token();
    let button =
        |step: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("step", step);
    let service = match &*view.status {
        "active" => button("suspend", "Suspend").meaning(Meaning::Danger),
        _ => button("resume", "Resume"),
    };
    let confirm = Field::text("confirm", "Client id", "")
        .hint("Type it to delete the application with its credentials.");
    vec![
        Block::Heading("Service"),
        Block::Form(service),
        Block::Form(button("revoke-tokens", "Revoke all its tokens").meaning(Meaning::Danger)),
        Block::Form(button("delete", "Delete").meaning(Meaning::Danger).with(vec![confirm])),
    ]
}

/// The form for a request to explain.
pub(super) async fn try_it(visit: &ConsoleVisit<'_>) -> PageResult {
    let client = visit.client()?;
    visit.administrator().of(&visit.caller, &visit.tenant()).look::<Client>(&client).await.map_err(unseen)?;
    Ok(visit.show_part(
        "Applications",
        client.to_string(),
        tabs(visit, &client, "Try it"),
        vec![explain_form(visit, &client, &FormFields::read(b""))],
    ))
}

/// Explains the response of the token endpoint. Nothing is signed or changed, and the form asks for no
/// secret.
pub(super) async fn explain(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    administrator.of(&visit.caller, &tenant).look::<Client>(&client).await.map_err(unseen)?;
    let settings = ExplainSettings {
        scope: fields.given("scope").map(str::to_owned),
        resource: fields.words("resource"),
        ..ExplainSettings::default()
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
    blocks.extend(verdict(&view));
    Ok(visit.show_part("Applications", client.to_string(), tabs(visit, &client, "Try it"), blocks))
}

/// The cause is in the log. Without a secret the request cannot be refused for too many wrong ones.
fn unexplained(problem: Problem) -> PageError {
    let is_passing = problem.status == StatusCode::SERVICE_UNAVAILABLE;
    if is_passing { ServerFailure::Unavailable.into() } else { ServerFailure::Internal.into() }
}

fn explain_form(visit: &ConsoleVisit<'_>, client: &ClientId, fields: &FormFields) -> Block {
    let action = visit.application(client.as_str(), "/try");
    let scope = Input::Lines(fields.text("scope").to_owned());
    let inputs = vec![
        Field::new("scope", "Scopes", scope).hint("Without any it asks for all that it has."),
        Field::text("resource", "Resources", fields.text("resource"))
            .optional()
            .hint("Absolute URIs of APIs (RFC 8707)."),
    ];
    let form = HtmlForm::button(action, &visit.form_token(), "Explain").meaning(Meaning::Info);
    Block::Form(form.with(inputs))
}

/// The verdict first, and then each check.
fn verdict(view: &ExplanationView) -> Vec<Block> {
    let result = &view.result;
    let verdict = match &result.error {
        None => success(format!("It would get a token ({}).", result.status)),
        Some(error) => {
            let why = result.error_description.as_deref().unwrap_or_default();
            Block::Alert(Meaning::Danger, format!("It would be refused: {} {error}. {why}", result.status))
        }
    };
    let row = |check: &ExplainedCheck| {
        let meaning = match &*check.result {
            "passed" => Meaning::Success,
            "failed" => Meaning::Danger,
            _ => Meaning::Neutral,
        };
        vec![
            Value::Text(check.name.clone()),
            Value::Badge(Badge { meaning, text: check.result.replace('_', " ") }),
            Value::Text(check.detail.clone()),
            Value::Text(check.fix.clone().unwrap_or_default()),
        ]
    };
    let checks = view.checks.iter().chain(&view.credential.checks);
    let checks = table("Checks", ["Check", "Result", "Detail", "What to do"], checks.map(row));
    let pretty = |token: &ExplainedToken| as_answer(|| serde_json::to_string_pretty(&token.claims)).ok();
    let claims = view.token.as_ref().and_then(pretty);
    let claims = claims.map(|claims| Block::Code("Claims of the token".to_owned(), claims));
    [verdict, checks].into_iter().chain(claims).collect()
}
