//! The audit: who changed what, when, and from which address.

use administration::documents::AuditView;
use administration::store::query::AuditQuery;
use pages::console::{Block, Field, HtmlForm};
use pages::{AuditTexts, ConsoleTexts, Value};

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
    let texts = visit.texts();
    let (of, wanted) = (&texts.audit, actor.as_deref().unwrap_or_default());
    let mut search = HtmlForm::search(url.clone(), texts.labels.actor, wanted, texts.shared.search);
    search.fields = search.fields.into_iter().map(|field: Field| field.hint(of.actor_hint)).collect();
    let mut blocks = vec![Block::Form(search)];
    match outcome(found)? {
        Ok(page) if page.items.is_empty() => {
            blocks.push(empty(of.none, of.none_text, None));
        }
        Ok(page) => {
            blocks.push(records(texts, &page.items));
            blocks
                .extend(pager(visit, &url, actor.as_deref(), page.next_cursor.as_deref()).map(Block::Pager));
        }
        Err(refused) => blocks.insert(0, refused.alert()),
    }
    Ok(visit.show(texts.frame.audit, texts.frame.audit, blocks))
}

fn records(texts: &ConsoleTexts, records: &[AuditView]) -> Block {
    let (of, labels) = (&texts.audit, &texts.labels);
    let row = |AuditView { record, .. }: &AuditView| {
        let from = record.source.iter().chain(&record.credential).cloned().collect::<Vec<_>>();
        vec![
            time(record.at),
            Value::Text(record.actor.clone()),
            Value::Text(record.action.clone()),
            Value::Text(record.tenant.to_string()),
            Value::Text(record.subject.clone()),
            Value::Text(from.join(", ")),
            shown_changes(of, changed(of, &record.action, &record.detail)),
        ]
    };
    let headings = [labels.time, labels.actor, of.action, labels.tenant, of.subject, of.origin, of.fields];
    table(of.records, headings, records.iter().map(row))
}

/// Never empty, because a narrow window would show a label without a value.
fn shown_changes(texts: &AuditTexts, changed: Vec<String>) -> Value {
    if changed.is_empty() { Value::Text(texts.all_fields.to_owned()) } else { Value::Codes(changed) }
}

/// The names of the changed fields, and the number of further ones. Empty for a new row, in which
/// all fields are new.
fn changed(texts: &AuditTexts, action: &str, detail: &serde_json::Value) -> Vec<String> {
    const FIRST: usize = 5;
    let names = detail.as_object().filter(|_| !action.ends_with(".added")).into_iter().flatten();
    let mut names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
    let more = names.len().saturating_sub(FIRST);
    names.truncate(FIRST);
    names.extend((more > 0).then(|| (texts.more_fields)(&more.to_string())));
    names
}
