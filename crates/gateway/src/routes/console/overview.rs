//! The overview of the platform and of a tenant: what needs attention, and what happened in a day.

use administration::{EditError, TenantStep, TenantView, UsageOf, UsagePeriod, UsageQuery, UsageView};
use pages::console::{Block, Form};
use pages::{Column, Fact, Link, Meaning, Table, Value};
use protocol::Lifetime;
use tenancy::Tenant;

use super::form::Fields;
use super::shown::{chart, code, fact, link, managed_by, outcome, status, time};
use super::visit::{Visit, unseen};
use crate::page_error::PageResult;
use crate::routes::admin::encoded;

const DAY: Lifetime = Lifetime::from_seconds(86_400);

/// What the platform's pages begin with.
pub(super) async fn of_platform(visit: &Visit<'_>) -> PageResult {
    let usage = usage(visit, UsageOf::Platform).await.map_err(unseen)?;
    let mut blocks = vec![Block::Links(vec![
        Link { name: "New tenant".to_owned(), url: visit.path("/tenants/new") },
        Link { name: "All tenants".to_owned(), url: visit.path("/tenants") },
    ])];
    blocks.extend(usage.as_ref().map(|usage| Block::Chart(chart(usage))));
    blocks.extend(
        usage.as_ref().map(|usage| busiest(usage, |tenant| format!("{}/t/{tenant}", visit.path("")))),
    );
    Ok(visit.show("Overview", "Overview", blocks))
}

/// What a tenant's pages begin with.
pub(super) async fn of_tenant(visit: &Visit<'_>) -> PageResult {
    page(visit, None).await
}

/// Suspends the tenant, resumes it, or begins and cancels its deletion.
pub(super) async fn step(visit: &Visit<'_>, fields: &Fields) -> PageResult {
    let step = match fields.text("step") {
        "suspend" => TenantStep::Suspend,
        "resume" => TenantStep::Resume,
        "delete" => TenantStep::ScheduleDeletion,
        "cancel-deletion" => TenantStep::CancelDeletion,
        _ => return page(visit, None).await,
    };
    let tenant = visit.tenant();
    if step == TenantStep::ScheduleDeletion && fields.text("confirm") != tenant.as_str() {
        let text = "Type the id of the tenant to delete it.".to_owned();
        return page(visit, Some((Meaning::Danger, text))).await;
    }
    let stepped = visit.administrator().step::<Tenant>(&visit.caller, &tenant, &(), step).await;
    let notice = match outcome(stepped)? {
        Ok(view) => (Meaning::Success, format!("The tenant is {} now.", view.status)),
        Err(refused) => (Meaning::Danger, refused.message.unwrap_or_default()),
    };
    page(visit, Some(notice)).await
}

async fn page(visit: &Visit<'_>, notice: Option<(Meaning, String)>) -> PageResult {
    let (administrator, tenant) = (visit.administrator(), visit.tenant());
    let view = permitted(administrator.look::<Tenant>(&visit.caller, &tenant, &()).await)?;
    let usage = usage(visit, UsageOf::Tenant(&tenant)).await.map_err(unseen)?;
    let mut blocks: Vec<_> = notice.map(|(meaning, text)| Block::Alert(meaning, text)).into_iter().collect();
    blocks.extend(view.as_ref().map(|view| Block::Facts(facts(view))));
    if let Some(usage) = &usage {
        blocks.push(Block::Chart(chart(usage)));
        blocks.push(busiest(usage, |client| visit.path(&format!("/applications/{}", segment(client)))));
    }
    if let Some(view) = view.as_ref().filter(|view| view.managed_by == "api") {
        blocks.extend(steps(visit, view));
    }
    Ok(visit.show("Overview", tenant.as_str(), blocks))
}

fn facts(view: &TenantView) -> Vec<Fact> {
    vec![
        fact("Name", view.settings.name.as_deref().unwrap_or_default()),
        Fact { label: "Status", value: status(&view.status) },
        Fact { label: "Managed by", value: managed_by(&view.managed_by) },
        code("Issuer", view.settings.issuer.as_deref().unwrap_or_default()),
        code("Token endpoint", &*view.token_endpoint),
        code("Key set", &*view.jwks_uri),
        Fact { label: "Created", value: time(view.created_at) },
    ]
}

/// What can be done to a tenant, the dangerous last.
fn steps(visit: &Visit<'_>, view: &TenantView) -> Vec<Block> {
    let (token, action) = (visit.form_token(), visit.path(""));
    let button = |step: &str, label: &str| Form::button(action.clone(), &token, label).sending("step", step);
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

async fn usage(visit: &Visit<'_>, of: UsageOf<'_>) -> Result<Option<UsageView>, EditError> {
    let since = visit.now().saturating_sub(DAY);
    let query = UsageQuery { since: Some(since), until: None, by: Some(UsagePeriod::Hour) };
    match visit.administrator().usage_of_known(&visit.caller, of, query).await {
        Ok(usage) => Ok(Some(usage)),
        Err(EditError::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the holder may see; none where it lacks the permission.
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
        columns: vec![Column::of("Name"), Column::of_numbers("Tokens")],
        rows,
    })
}

/// A name as a segment of a path.
pub(super) fn segment(name: &str) -> String {
    encoded(name).to_string()
}
