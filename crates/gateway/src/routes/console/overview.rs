//! The overview of the platform or of a tenant: settings, the events of a day, and the next
//! changes. A second tab shows the advice.

use administration::administrator::{TenantReading, UsageQuery};
use administration::documents;
use administration::edit::{EditError, TenantStep};
use administration::kinds::Permission;
use administration::store::UsageOf;
use pages::console::{Block, HtmlForm};
use pages::{Badge, Column, ConsoleTexts, Fact, Link, Meaning, OverviewTexts, Table, Value};
use tenancy::{Tenant, TenantId};
use values::Lifetime;

use super::form::FormFields;
use super::frame::Head;
use super::shown::{code, danger, declared_at, fact, link, outcome, status, success, table, time, used};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::page::PageResult;

const DAY: Lifetime = Lifetime::from_seconds(86_400);

pub(super) async fn of_platform(visit: &ConsoleVisit<'_>) -> PageResult {
    let (administrator, texts) = (visit.administrator(), visit.texts());
    let of_tenant = |tenant: &str| format!("{}/t/{tenant}", visit.path(""));
    let mut ways = vec![Link { name: texts.overview.new_tenant.to_owned(), url: visit.path("/tenants/new") }];
    if visit.request.services.tokens.tenants.resolve(TenantId::PLATFORM).await.is_ok() {
        let name = texts.overview.platform_applications.to_owned();
        ways.push(Link { name, url: of_tenant(TenantId::PLATFORM) });
    }
    let mut blocks = vec![Block::Links(ways)];
    let usage = permitted(administrator.usage(&visit.caller, UsageOf::Platform, a_day(visit)).await)?;
    if let Some(usage) = &usage {
        blocks.push(used(&texts.shared, usage));
        blocks.push(busiest(texts, usage, of_tenant));
    }
    let state = permitted(administrator.status(&visit.caller).await)?;
    blocks.extend(
        state
            .iter()
            .flat_map(|state| [next_steps(visit, state, of_tenant), replicas(&texts.overview, state)]),
    );
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
    page(visit, None).await
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
            Err(Danger::Unnamed(text)) => return page(visit, Some(danger(text))).await,
        },
        "cancel-deletion" => (TenantStep::CancelDeletion, texts.deletion_cancelled),
        _ => return page(visit, None).await,
    };
    let tenant = visit.tenant();
    let stepped = visit.administrator().of(&visit.caller, &tenant).step::<Tenant>(&(), step).await;
    let notice = match outcome(stepped)? {
        Ok(_) => success(done),
        Err(refused) => refused.alert(),
    };
    page(visit, Some(notice)).await
}

async fn page(visit: &ConsoleVisit<'_>, notice: Option<Block>) -> PageResult {
    let tenant = visit.tenant();
    let read = visit.administrator().of(&visit.caller, &tenant).read_tenant(a_day(visit)).await;
    let TenantReading { tenant: view, usage, next_key_step_at } = read.map_err(unseen)?;
    let texts = visit.texts();
    let mut blocks = Vec::from_iter(notice);
    let next =
        next_key_step_at.map(|at| Fact { label: texts.overview.next_key_step, value: time(at.into()) });
    let declared = declared_at(visit, &view.managed_by, None).await;
    blocks.push(Block::Facts(facts(texts, &view, declared).into_iter().chain(next).collect()));
    if let Some(usage) = &usage {
        blocks.push(used(&texts.shared, usage));
        blocks.push(busiest(texts, usage, |client| visit.application(client, "")));
    }
    if visit.require_everywhere(Permission::Tenants).is_ok() && view.managed_by == "api" {
        blocks.extend(steps(visit, &view));
    }
    let (heading, id) = (visit.title().to_owned(), Some(tenant.to_string()));
    Ok(visit.show_under(Head { current: texts.frame.overview, heading, id, tabs: Vec::new() }, blocks))
}

fn facts(texts: &ConsoleTexts, view: &documents::TenantView, managed_by: Value) -> Vec<Fact> {
    let labels = &texts.labels;
    vec![
        fact(labels.name, view.settings.name.as_deref().unwrap_or_default()),
        Fact { label: labels.status, value: status(&texts.shared, &view.status) },
        Fact { label: labels.managed_by, value: managed_by },
        code(labels.issuer, view.settings.issuer.as_deref().unwrap_or_default()),
        code(labels.token_endpoint, &*view.token_endpoint),
        code(labels.key_set, &*view.jwks_uri),
        Fact { label: labels.created, value: time(view.created_at) },
    ]
}

/// The forms that change the tenant, the dangerous ones last.
fn steps(visit: &ConsoleVisit<'_>, view: &documents::TenantView) -> Vec<Block> {
    let (texts, labels) = (&visit.texts().overview, &visit.texts().labels);
    let (token, action) = (visit.form_token(), visit.path(""));
    let button =
        |step: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("step", step);
    let mut blocks = vec![Block::Heading(texts.manage)];
    let change = match &*view.status {
        "active" => Some(button("suspend", texts.suspend).meaning(Meaning::Danger)),
        "suspended" => Some(button("resume", texts.resume)),
        "deleting" => Some(button("cancel-deletion", texts.cancel_deletion)),
        _ => None,
    };
    blocks.extend(change.map(Block::Form));
    if view.status != "deleting" {
        let field = pages::console::Field::text("confirm", labels.tenant_id, "").hint(texts.delete_hint);
        let delete = button("delete", texts.delete).meaning(Meaning::Danger).with(vec![field]);
        blocks.push(Block::Form(delete));
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

fn busiest(texts: &ConsoleTexts, usage: &documents::UsageView, path: impl Fn(&str) -> String) -> Block {
    let rows = usage.busiest.iter().take(10);
    let rows = rows.map(|busy| vec![link(&*busy.id, path(&busy.id)), Value::Number(busy.issued)]).collect();
    Block::Table(Table {
        caption: texts.overview.busiest.to_owned(),
        columns: vec![Column::from_heading(texts.labels.name), Column::of_numbers(texts.overview.tokens)],
        rows,
    })
}
