//! The overview of the platform and of a tenant: its settings, the events of a day, and the next changes. Its
//! second part is the advice.

use administration::{
    EditError, KeyStepView, Permission, PlatformStatus, ReplicaView, TenantReading, TenantStep, TenantView,
    UsageOf, UsagePeriod, UsageQuery, UsageView,
};
use pages::console::{Block, HtmlForm};
use pages::{Badge, Column, Destination as Tab, Fact, Link, Meaning, Table, Value};
use tenancy::{Tenant, TenantId};
use values::Lifetime;

use super::form::FormFields;
use super::shown::{code, danger, declared_at, fact, link, outcome, status, success, table, time, used};
use super::visit::{ConsoleVisit, Danger, VisitedPlace, unseen};
use crate::page::PageResult;

const DAY: Lifetime = Lifetime::from_seconds(86_400);

/// The parts of the overview.
pub(super) fn tabs(visit: &ConsoleVisit<'_>, current: &str) -> Vec<Tab> {
    let tabs = [("Overview", ""), ("Advice", "/advice")].map(|(name, below)| Tab {
        link: Link { name: name.to_owned(), url: visit.path(below) },
        is_current: name == current,
    });
    tabs.to_vec()
}

/// The heading of the overview: the tenant, or the platform.
pub(super) fn heading(visit: &ConsoleVisit<'_>) -> String {
    match &visit.place {
        VisitedPlace::Platform => "Overview".to_owned(),
        VisitedPlace::Tenant(tenant) => tenant.to_string(),
    }
}

/// The first part of the platform's pages.
pub(super) async fn of_platform(visit: &ConsoleVisit<'_>) -> PageResult {
    let administrator = visit.administrator();
    let of_tenant = |tenant: &str| format!("{}/t/{tenant}", visit.path(""));
    let mut ways = vec![
        Link { name: "New tenant".to_owned(), url: visit.path("/tenants/new") },
        Link { name: "All tenants".to_owned(), url: visit.path("/tenants") },
    ];
    if visit.request.services.tokens.tenants.resolve(TenantId::PLATFORM).await.is_ok() {
        let name = "The platform's own applications".to_owned();
        ways.push(Link { name, url: of_tenant(TenantId::PLATFORM) });
    }
    let mut blocks = vec![Block::Links(ways)];
    let usage = permitted(administrator.usage(&visit.caller, UsageOf::Platform, a_day(visit)).await)?;
    if let Some(usage) = &usage {
        blocks.push(used(usage));
        blocks.push(busiest(usage, of_tenant));
    }
    let state = permitted(administrator.status(&visit.caller).await)?;
    blocks.extend(state.iter().flat_map(|state| [next_steps(visit, state, of_tenant), replicas(state)]));
    Ok(visit.show_part("Overview", heading(visit), tabs(visit, "Overview"), blocks))
}

/// When keys change next.
fn next_steps(visit: &ConsoleVisit<'_>, state: &PlatformStatus, path: impl Fn(&str) -> String) -> Block {
    let row = |step: &KeyStepView| {
        let is_due = step.due_at.0 <= visit.now();
        let badge = Badge { meaning: Meaning::Warning, text: "due now".to_owned() };
        let state = if is_due { Value::Badge(badge) } else { Value::Text("planned".to_owned()) };
        vec![link(&*step.tenant_id, path(&step.tenant_id)), time(step.due_at), state]
    };
    table("Next steps of signing keys", ["Tenant", "When", "State"], state.next_key_steps.iter().map(row))
}

fn replicas(state: &PlatformStatus) -> Block {
    let row = |replica: &ReplicaView| vec![Value::Code(replica.id.clone()), time(replica.counted_at)];
    let headings = ["Replica", "Last wrote counts"];
    table("Replicas that answered requests within a day", headings, state.replicas.iter().map(row))
}

/// The first part of a tenant's pages.
pub(super) async fn of_tenant(visit: &ConsoleVisit<'_>) -> PageResult {
    page(visit, None).await
}

/// Suspends the tenant, resumes it, or begins and cancels its deletion.
pub(super) async fn step(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let step = match fields.text("step") {
        "suspend" => TenantStep::Suspend,
        "resume" => TenantStep::Resume,
        "delete" => match visit.check_danger(fields, visit.tenant().as_str()) {
            Ok(()) => TenantStep::ScheduleDeletion,
            Err(Danger::Unproven) => return Ok(visit.ask_again("Overview")),
            Err(Danger::Unnamed(text)) => return page(visit, Some(danger(text))).await,
        },
        "cancel-deletion" => TenantStep::CancelDeletion,
        _ => return page(visit, None).await,
    };
    let tenant = visit.tenant();
    let stepped = visit.administrator().of(&visit.caller, &tenant).step::<Tenant>(&(), step).await;
    let notice = match outcome(stepped)? {
        Ok(view) => success(format!("The tenant is {} now.", view.status)),
        Err(refused) => refused.alert(),
    };
    page(visit, Some(notice)).await
}

async fn page(visit: &ConsoleVisit<'_>, notice: Option<Block>) -> PageResult {
    let tenant = visit.tenant();
    let read = visit.administrator().of(&visit.caller, &tenant).read_tenant(a_day(visit)).await;
    let TenantReading { tenant: view, usage, next_key_step_at } = read.map_err(unseen)?;
    let mut blocks = Vec::from_iter(notice);
    let next = next_key_step_at.map(|at| Fact { label: "Next step of signing keys", value: time(at.into()) });
    let declared = declared_at(visit, &view.managed_by, None).await;
    blocks.push(Block::Facts(facts(&view, declared).into_iter().chain(next).collect()));
    if let Some(usage) = &usage {
        blocks.push(used(usage));
        blocks.push(busiest(usage, |client| visit.application(client, "")));
    }
    if visit.require_everywhere(Permission::Tenants).is_ok() && view.managed_by == "api" {
        blocks.extend(steps(visit, &view));
    }
    Ok(visit.show_part("Overview", heading(visit), tabs(visit, "Overview"), blocks))
}

fn facts(view: &TenantView, managed_by: Value) -> Vec<Fact> {
    vec![
        fact("Name", view.settings.name.as_deref().unwrap_or_default()),
        Fact { label: "Status", value: status(&view.status) },
        Fact { label: "Managed by", value: managed_by },
        code("Issuer", view.settings.issuer.as_deref().unwrap_or_default()),
        code("Token endpoint", &*view.token_endpoint),
        code("Key set", &*view.jwks_uri),
        Fact { label: "Created", value: time(view.created_at) },
    ]
}

/// The actions on a tenant, the dangerous ones last.
fn steps(visit: &ConsoleVisit<'_>, view: &TenantView) -> Vec<Block> {
    let (token, action) = (visit.form_token(), visit.path(""));
    let button =
        |step: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("step", step);
    let mut blocks = vec![Block::Heading("Service")];
    let change = match &*view.status {
        "active" => Some(button("suspend", "Suspend the tenant").meaning(Meaning::Danger)),
        "suspended" => Some(button("resume", "Resume the tenant")),
        "deleting" => Some(button("cancel-deletion", "Cancel the deletion")),
        _ => None,
    };
    blocks.extend(change.map(Block::Form));
    if view.status != "deleting" {
        let field = pages::console::Field::text("confirm", "Id of the tenant", "")
            .hint("Type it to delete the tenant. The deletion can be cancelled until it is due.");
        let delete = button("delete", "Delete the tenant").meaning(Meaning::Danger).with(vec![field]);
        blocks.push(Block::Form(delete));
    }
    blocks
}

/// The last 24 hours.
fn a_day(visit: &ConsoleVisit<'_>) -> UsageQuery {
    UsageQuery { since: Some(visit.now().saturating_sub(DAY)), until: None, by: Some(UsagePeriod::Hour) }
}

/// The result, if the holder may see it. None if it lacks the permission.
pub(super) fn permitted<T>(result: Result<T, EditError>) -> PageResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(EditError::Forbidden(_)) => Ok(None),
        Err(error) => Err(unseen(error)),
    }
}

fn busiest(usage: &UsageView, path: impl Fn(&str) -> String) -> Block {
    let rows = usage.busiest.iter().take(10);
    let rows = rows.map(|busy| vec![link(&*busy.id, path(&busy.id)), Value::Number(busy.issued)]).collect();
    Block::Table(Table {
        caption: "Busiest today and yesterday".to_owned(),
        columns: vec![Column::from_heading("Name"), Column::of_numbers("Tokens")],
        rows,
    })
}
