//! The audit: the actor, change, time and address of each action.

use administration::{AuditQuery, AuditView};
use pages::Value;
use pages::console::{Block, Field, HtmlForm};

use super::shown::{empty, outcome, pager, table, time};
use super::tenants::ROWS;
use super::visit::{ConsoleVisit, VisitedPlace};
use crate::page::PageResult;

pub(super) async fn of_platform(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit).await
}

pub(super) async fn of_tenant(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit).await
}

async fn shown(visit: &ConsoleVisit<'_>) -> PageResult {
    let (actor, cursor) = (visit.parameter("search"), visit.parameter("cursor"));
    let tenant = match &visit.place {
        VisitedPlace::Platform => None,
        VisitedPlace::Tenant(tenant) => Some(tenant.clone()),
    };
    let query = AuditQuery {
        tenant,
        actor: actor.clone(),
        action: None,
        subject: None,
        since: None,
        until: None,
        before: None,
        limit: ROWS,
    };
    let found = visit.administrator().audit(&visit.caller, query, cursor.as_deref()).await;
    let url = visit.path("/audit");
    let mut search = HtmlForm::search(url.clone(), "By whom", actor.as_deref().unwrap_or_default());
    search.fields =
        search.fields.into_iter().map(|field: Field| field.hint("As client:platform/ops.")).collect();
    let mut blocks = vec![Block::Form(search)];
    match outcome(found)? {
        Ok(page) if page.items.is_empty() => {
            blocks.push(empty("No records", "Each change is a record here.", None));
        }
        Ok(page) => {
            blocks.push(records(&page.items));
            blocks.extend(pager(&url, actor.as_deref(), page.next_cursor.as_deref()).map(Block::Pager));
        }
        Err(refused) => blocks.insert(0, refused.alert()),
    }
    Ok(visit.show("Audit", "Audit", blocks))
}

fn records(records: &[AuditView]) -> Block {
    let row = |AuditView { record, .. }: &AuditView| {
        let from = record.source.iter().chain(&record.credential).cloned().collect::<Vec<_>>();
        vec![
            time(record.at),
            Value::Text(record.actor.clone()),
            Value::Text(record.action.clone()),
            Value::Text(record.tenant.to_string()),
            Value::Text(record.subject.clone()),
            Value::Text(from.join(", ")),
            shown_changes(changed(&record.action, &record.detail)),
        ]
    };
    let headings = ["Time", "Who", "What", "Tenant", "Row", "From", "Changed"];
    table("Records, the newest first", headings, records.iter().map(row))
}

/// A row on a phone shows no label without a value.
fn shown_changes(changed: Vec<String>) -> Value {
    if changed.is_empty() { Value::Text("the row as a whole".to_owned()) } else { Value::Codes(changed) }
}

/// The names of the changed fields, and how many there are beyond the first ones. All fields of a new row are
/// new.
fn changed(action: &str, detail: &serde_json::Value) -> Vec<String> {
    const FIRST: usize = 5;
    let names = detail.as_object().filter(|_| !action.ends_with(".added")).into_iter().flatten();
    let mut names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
    let more = names.len().saturating_sub(FIRST);
    names.truncate(FIRST);
    names.extend((more > 0).then(|| format!("and {more} more")));
    names
}
