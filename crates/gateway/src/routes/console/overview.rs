//! The overview of the platform or of a tenant: settings, the events of a day, and the next
//! changes. A second tab shows the advice.

use administration::administrator::{TenantReading, UsageQuery};
use administration::documents;
use administration::edit::{EditError, TenantStep};
use administration::kinds::Permission;
use administration::store::UsageOf;
use pages::console::{Block, HtmlForm};
use pages::{Badge, Column, ConsoleTexts, Fact, Link, Meaning, OverviewTexts, Step, Table, Value};
use tenancy::{Tenant, TenantId};
use values::Lifetime;

use super::form::FormFields;
use super::frame::Head;
use super::shown::{confirmed, copied, declared_at, fact, link, outcome, status, success, table, time, used};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::page::PageResult;

const DAY: Lifetime = Lifetime::from_seconds(86_400);
/// How long a tenant counts as new.
const NEW: Lifetime = Lifetime::from_seconds(7 * 86_400);

pub(super) async fn of_platform(visit: &ConsoleVisit<'_>) -> PageResult {
    let (administrator, texts) = (visit.administrator(), visit.texts());
    let of = &texts.overview;
    let of_tenant = |tenant: &str| format!("{}/t/{tenant}", visit.path(""));
    let new = Link { name: of.new_tenant.to_owned(), url: visit.path("/tenants/new") };
    let mut blocks = Vec::new();
    let tenants = permitted(administrator.tenants(&visit.caller, None, None, 2).await)?;
    let is_new = tenants.is_some_and(|page| page.items.iter().all(|row| row.id == TenantId::PLATFORM));
    if is_new {
        let first = Step { is_done: false, link: new.clone(), text: of.first_tenant.to_owned() };
        blocks.push(Block::Steps(of.first_steps.to_owned(), vec![first]));
    }
    let mut ways = if is_new { Vec::new() } else { vec![new] };
    if visit.request.services.tokens.tenants.resolve(TenantId::PLATFORM).await.is_ok() {
        let name = of.platform_applications.to_owned();
        ways.push(Link { name, url: of_tenant(TenantId::PLATFORM) });
    }
    blocks.push(Block::Links(ways));
    let usage = permitted(administrator.usage(&visit.caller, UsageOf::Platform, a_day(visit)).await)?;
    if let Some(usage) = &usage {
        blocks.push(used(&texts.shared, usage));
        blocks.extend(busiest(texts, usage, |tenant| link(tenant, of_tenant(tenant))));
    }
    let state = permitted(administrator.status(&visit.caller).await)?;
    if let Some(state) = &state {
        blocks.extend((!state.next_key_steps.is_empty()).then(|| next_steps(visit, state, of_tenant)));
        blocks.extend((!state.replicas.is_empty()).then(|| replicas(of, state)));
    }
    Ok(visit.show(texts.frame.overview, texts.frame.overview, blocks))
}

fn next_steps(
    visit: &ConsoleVisit<'_>,
    state: &documents::PlatformStatus,
    path: impl Fn(&str) -> String,
) -> Block {
    let (texts, labels) = (&visit.texts().overview, &visit.texts().labels);
    let row = |step: &documents::KeyStepView| {
        let is_due = step.due_at.0 <= visit.now();
        let badge = Badge { meaning: Meaning::Warning, text: texts.due_now.to_owned() };
        let state = if is_due { Value::Badge(badge) } else { Value::Text(texts.planned.to_owned()) };
        vec![link(&*step.tenant_id, path(&step.tenant_id)), time(step.due_at), state]
    };
    let headings = [labels.tenant, texts.due, labels.status];
    table(texts.key_steps, headings, state.next_key_steps.iter().map(row))
}

fn replicas(texts: &OverviewTexts, state: &documents::PlatformStatus) -> Block {
    let row =
        |replica: &documents::ReplicaView| vec![Value::Code(replica.id.clone()), time(replica.counted_at)];
    let headings = [texts.replica, texts.last_report];
    table(texts.replicas, headings, state.replicas.iter().map(row))
}

pub(super) async fn of_tenant(visit: &ConsoleVisit<'_>) -> PageResult {
    page(visit, None, "").await
}

/// Suspends or resumes the tenant, or starts or cancels its deletion.
pub(super) async fn step(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let texts = &visit.texts().overview;
    let (step, done) = match fields.text("step") {
        "suspend" => (TenantStep::Suspend, texts.suspended),
        "resume" => (TenantStep::Resume, texts.resumed),
        "delete" => match visit.check_danger(fields, visit.tenant().as_str()) {
            Ok(()) => (TenantStep::ScheduleDeletion, texts.deletion_scheduled),
            Err(Danger::Unproven) => return Ok(visit.ask_again(visit.texts().frame.overview)),
            Err(Danger::Unnamed(text)) => return page(visit, None, &text).await,
        },
        "cancel-deletion" => (TenantStep::CancelDeletion, texts.deletion_cancelled),
        _ => return of_tenant(visit).await,
    };
    let tenant = visit.tenant();
    let stepped = visit.administrator().of(&visit.caller, &tenant).step::<Tenant>(&(), step).await;
    let notice = match outcome(stepped)? {
        Ok(_) => success(done),
        Err(refused) => refused.alert(),
    };
    page(visit, Some(notice), "").await
}

/// `unnamed` is the error if the typed name does not confirm the deletion.
async fn page(visit: &ConsoleVisit<'_>, notice: Option<Block>, unnamed: &str) -> PageResult {
    let tenant = visit.tenant();
    let read = visit.administrator().of(&visit.caller, &tenant).read_tenant(a_day(visit)).await;
    let TenantReading { tenant: view, usage, next_key_step_at } = read.map_err(unseen)?;
    let texts = visit.texts();
    let mut blocks = Vec::from_iter(notice);
    let next =
        next_key_step_at.map(|at| Fact { label: texts.overview.next_key_step, value: time(at.into()) });
    let declared = declared_at(visit, &view.managed_by, None).await;
    if view.managed_by != "api" {
        blocks.push(Block::Note(Meaning::Info, texts.overview.declared.to_owned()));
    }
    blocks.extend(first_steps(visit, &view, usage.as_ref()).await?);
    blocks.push(Block::Facts(facts(texts, &view, declared).into_iter().chain(next).collect()));
    if let Some(usage) = &usage {
        blocks.push(used(&texts.shared, usage));
        let of_client = |client: &str| visit.application_link(&tenant, client, visit.application(client, ""));
        blocks.extend(busiest(texts, usage, of_client));
    }
    if visit.require_everywhere(Permission::Tenants).is_ok() && view.managed_by == "api" {
        blocks.extend(steps(visit, &view, unnamed));
    }
    let (heading, id) = (visit.title().to_owned(), Some(tenant.to_string()));
    Ok(visit.show_under(Head { current: texts.frame.overview, heading, id, tabs: Vec::new() }, blocks))
}

/// What to do next on a tenant that has issued no token today and is less than a week old.
async fn first_steps(
    visit: &ConsoleVisit<'_>,
    view: &documents::TenantView,
    usage: Option<&documents::UsageView>,
) -> PageResult<Option<Block>> {
    let is_new = visit.now() < view.created_at.0 + NEW;
    if !is_new || usage.is_none_or(|usage| usage.total.issued > 0) {
        return Ok(None);
    }
    let of_tenant = visit.tenant();
    let found = visit.administrator().of(&visit.caller, &of_tenant).clients(None, None, 1).await;
    let Some(clients) = permitted(found)? else { return Ok(None) };
    let of = &visit.texts().overview;
    let client = clients.items.first();
    let attempt = client.map_or_else(
        || visit.path("/applications"),
        |client| visit.application(&client.client_id, "/credentials"),
    );
    let step = |is_done, name: &str, url, text: &str| Step {
        is_done,
        link: Link { name: name.to_owned(), url },
        text: text.to_owned(),
    };
    let create = visit.path("/applications/new");
    let mut steps = vec![
        step(client.is_some(), visit.texts().applications.new, create, of.first_application),
        step(false, of.get_token, attempt, of.first_token),
    ];
    if visit.row.as_ref().is_some_and(|tenant| tenant.strategies.oidc)
        && visit.require_here(Permission::Accounts).is_ok()
    {
        steps.push(step(false, of.add_people, visit.path("/people/new"), of.first_person));
    }
    Ok(Some(Block::Steps(of.first_steps.to_owned(), steps)))
}

fn facts(texts: &ConsoleTexts, view: &documents::TenantView, managed_by: Value) -> Vec<Fact> {
    let labels = &texts.labels;
    vec![
        fact(labels.name, view.settings.name.as_deref().unwrap_or_default()),
        Fact { label: labels.status, value: status(&texts.shared, &view.status) },
        Fact { label: labels.managed_by, value: managed_by },
        copied(labels.issuer, view.settings.issuer.as_deref().unwrap_or_default()),
        copied(labels.token_endpoint, &view.token_endpoint),
        copied(labels.key_set, &view.jwks_uri),
        Fact { label: labels.created, value: time(view.created_at) },
    ]
}

/// The forms that change the tenant, the dangerous ones last.
fn steps(visit: &ConsoleVisit<'_>, view: &documents::TenantView, unnamed: &str) -> Vec<Block> {
    let (texts, labels) = (&visit.texts().overview, &visit.texts().labels);
    let (token, action) = (visit.form_token(), visit.path(""));
    let button =
        |step: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("step", step);
    let mut blocks = vec![Block::Heading(texts.manage)];
    let change = match &*view.status {
        "active" => {
            let suspend = button("suspend", texts.suspend).meaning(Meaning::Danger);
            Some(suspend.asking(texts.suspend_question, texts.suspend_now))
        }
        "suspended" => Some(button("resume", texts.resume)),
        "deleting" => Some(button("cancel-deletion", texts.cancel_deletion)),
        _ => None,
    };
    blocks.extend(change.map(Block::Form));
    if view.status != "deleting" {
        let delete = button("delete", texts.delete).meaning(Meaning::Danger);
        blocks.push(confirmed(texts.delete, delete, labels.tenant_id, texts.delete_hint, unnamed));
    }
    blocks
}

fn a_day(visit: &ConsoleVisit<'_>) -> UsageQuery {
    UsageQuery {
        since: Some(visit.now().saturating_sub(DAY)),
        until: None,
        by: Some(documents::UsagePeriod::Hour),
    }
}

/// `None` if the owner of the session lacks the permission.
pub(super) fn permitted<T>(result: Result<T, EditError>) -> PageResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(EditError::Forbidden(_)) => Ok(None),
        Err(error) => Err(unseen(error)),
    }
}

/// Without the tenant `platform`, whose tokens are those of administration. `None` if nobody was active.
fn busiest(
    texts: &ConsoleTexts,
    usage: &documents::UsageView,
    named: impl Fn(&str) -> Value,
) -> Option<Block> {
    let rows = usage.busiest.iter().filter(|busy| busy.id != TenantId::PLATFORM).take(10);
    let rows: Vec<_> = rows.map(|busy| vec![named(&busy.id), Value::Number(busy.issued)]).collect();
    let columns = vec![Column::from_heading(texts.labels.name), Column::of_numbers(texts.overview.tokens)];
    let caption = texts.overview.busiest.to_owned();
    (!rows.is_empty()).then_some(Block::Table(Table { caption, columns, rows }))
}
