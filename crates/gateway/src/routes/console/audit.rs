//! The audit: who changed what, when, and from which address, with the values before and after. The
//! export has the same records as JSON lines.

use std::collections::HashMap;

use accounts::AccountId;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use administration::audit::AuditRecord;
use administration::documents::{AuditView, Instant, as_answer};
use administration::edit::{EditError, FieldError};
use administration::kinds::Permission;
use administration::store::query::AuditQuery;
use futures_util::stream;
use pages::console::{Block, Field, HtmlForm};
use pages::{Change, Link, Value};
use tenancy::TenantId;

use super::shown::{empty, outcome, pager_of, table, time};
use super::tenants::ROWS;
use super::visit::{ConsoleVisit, VisitedPlace, unseen};
use crate::page::PageResult;
use crate::request::NDJSON;
use crate::respond::no_store;
use crate::routes::admin::encoded;

/// The filters in the address, as the admin API names them.
const FILTERS: [&str; 5] = ["actor", "action", "subject", "since", "until"];
/// Changed fields of a record on the page.
const FIELDS: usize = 5;
/// The records of an export, in parts of [`PART`].
const EXPORTED: u32 = 10_000;
const PART: u32 = 200;

/// The filters as the person typed them.
type Typed = [Option<String>; FILTERS.len()];

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    let (typed, cursor) = (typed(visit), visit.parameter("cursor"));
    let (texts, url) = (visit.texts(), visit.path("/audit"));
    let of = &texts.audit;
    let mut blocks = vec![Block::Form(search(visit, &url, &typed))];
    let found = match query(visit, &typed, ROWS) {
        Ok(query) => visit.administrator().audit(&visit.caller, query, cursor.as_deref()).await,
        Err(error) => Err(error),
    };
    match outcome(found)? {
        Ok(page) if page.items.is_empty() => blocks.push(empty(of.none, of.none_text, None)),
        Ok(page) => {
            let filters = || {
                let pairs = FILTERS.into_iter().zip(&typed);
                pairs.filter_map(|(name, value)| Some((name, value.as_deref()?)))
            };
            let pairs = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(filters()).finish();
            let export = Link { name: of.export.to_owned(), url: format!("{url}/export?{pairs}") };
            blocks.push(records(visit, &page.items).await?);
            blocks.extend(pager_of(visit, &url, filters(), page.next_cursor.as_deref()).map(Block::Pager));
            blocks.push(Block::Links(vec![export]));
        }
        Err(refused) => blocks.insert(0, refused.alert()),
    }
    Ok(visit.show(texts.frame.audit, texts.frame.audit, blocks))
}

/// The newest records that match, as a file. If the store fails in between, the connection breaks, so that
/// the file does not look complete.
pub(super) async fn export(visit: &ConsoleVisit<'_>) -> PageResult {
    let query = query(visit, &typed(visit), PART).map_err(unseen)?;
    let services = visit.request.services.clone();
    let caller = visit.caller.clone();
    let first = services.administrator.audit(&caller, query.clone(), None).await.map_err(unseen)?;
    let parts = stream::try_unfold((Some(first), EXPORTED / PART), move |(part, left)| {
        let (services, caller, query) = (services.clone(), caller.clone(), query.clone());
        async move {
            let Some(part) = part else { return Ok(None) };
            let mut lines = Vec::new();
            for record in &part.items {
                lines.extend(as_answer(|| serde_json::to_vec(record)).map_err(actix_web::Error::from)?);
                lines.push(b'\n');
            }
            let next = match part.next_cursor {
                Some(cursor) if left > 1 => {
                    let found = services.administrator.audit(&caller, query, Some(&cursor)).await;
                    Some(found.map_err(|error| ErrorInternalServerError(error.to_string()))?)
                }
                _ => None,
            };
            Ok::<_, actix_web::Error>(Some((Bytes::from(lines), (next, left - 1))))
        }
    });
    let mut response = no_store(StatusCode::OK);
    response.insert_header((CONTENT_TYPE, NDJSON));
    let name = format!("attachment; filename=\"audit-{}.jsonl\"", visit.tenant());
    Ok(response.insert_header((CONTENT_DISPOSITION, name)).streaming(parts))
}

fn typed(visit: &ConsoleVisit<'_>) -> Typed {
    FILTERS.map(|name| visit.parameter(name))
}

fn query(visit: &ConsoleVisit<'_>, typed: &Typed, limit: u32) -> Result<AuditQuery, EditError> {
    let tenant = (visit.place != VisitedPlace::Platform).then(|| visit.tenant());
    let [actor, action, subject, since, until] = typed.clone();
    let instant = |name, text: Option<String>| {
        let read = text.map(Instant::try_from);
        read.transpose().map_err(|_| FieldError::at(name, visit.texts().audit.time_wrong))
    };
    let [since, until] = [("/since", since), ("/until", until)].map(|(name, text)| instant(name, text));
    let wrong = |error| EditError::Invalid(vec![error]);
    let (since, until) = (since.map_err(wrong)?, until.map_err(wrong)?);
    let (since, until) = (since.map(|at| at.0), until.map(|at| at.0));
    Ok(AuditQuery { tenant, actor, action, subject, since, until, before: None, limit })
}

fn search(visit: &ConsoleVisit<'_>, url: &str, typed: &Typed) -> HtmlForm {
    let (of, labels) = (&visit.texts().audit, &visit.texts().labels);
    let fields = [
        (labels.actor, of.actor_hint),
        (of.action, of.action_hint),
        (of.subject, of.subject_hint),
        (of.since, of.time_hint),
        (of.until, of.time_hint),
    ];
    let fields = FILTERS.into_iter().zip(fields).zip(typed).map(|((name, (label, hint)), value)| {
        Field::text(name, label, value.as_deref().unwrap_or_default()).optional().hint(hint)
    });
    HtmlForm {
        fields: fields.collect(),
        ..HtmlForm::search(url.to_owned(), "", "", visit.texts().shared.search)
    }
}

async fn records(visit: &ConsoleVisit<'_>, records: &[AuditView]) -> PageResult<Block> {
    let (of, labels) = (&visit.texts().audit, &visit.texts().labels);
    let is_of_platform = visit.place == VisitedPlace::Platform;
    let names = names(visit, records).await?;
    let row = |AuditView { record, .. }: &AuditView| {
        let from = record.source.iter().chain(&record.credential).cloned().collect::<Vec<_>>();
        let tenant = is_of_platform.then(|| Value::Text(record.tenant.to_string()));
        let row = [
            time(record.at),
            actor(visit, record, &names),
            Value::Code(record.action.clone()),
            subject(visit, record, &names),
            Value::Text(from.join(", ")),
            changes(visit, record),
        ];
        row.into_iter().chain(tenant).collect()
    };
    let headings = [labels.time, labels.actor, of.action, of.subject, of.origin, of.fields];
    let records = records.iter().map(row);
    Ok(if is_of_platform {
        let [time, actor, action, subject, origin, fields] = headings;
        table(of.records, [time, actor, action, subject, origin, fields, labels.tenant], records)
    } else {
        table(of.records, headings, records)
    })
}

/// The names of the people in these records, if the reader may see accounts: of the page's tenant and of
/// the platform.
async fn names(
    visit: &ConsoleVisit<'_>,
    records: &[AuditView],
) -> PageResult<HashMap<String, (TenantId, String)>> {
    let mut ids: Vec<AccountId> = Vec::new();
    for AuditView { record, .. } in records {
        let texts = [record.actor.strip_prefix("account:"), Some(&*record.subject)];
        ids.extend(texts.into_iter().flatten().filter_map(|id| id.parse().ok()));
    }
    ids.sort_unstable();
    ids.dedup();
    let mut names = HashMap::new();
    let mut homes = vec![visit.tenant(), TenantId::platform()];
    homes.dedup();
    let may = |home: &TenantId| visit.caller.authority.holds_in(home, Permission::Accounts);
    for home in homes.into_iter().filter(|home| !ids.is_empty() && may(home)) {
        let found =
            visit.administrator().of(&visit.caller, &home).account_names(&ids).await.map_err(unseen)?;
        names.extend(found.into_iter().map(|(id, name)| (id.to_string(), (home.clone(), name))));
    }
    Ok(names)
}

fn person(visit: &ConsoleVisit<'_>, id: &str, names: &HashMap<String, (TenantId, String)>) -> Option<Value> {
    let (home, name) = names.get(id)?;
    let url = format!("{}/console/t/{home}/people/{id}", visit.request.public_url.path());
    Some(Value::Named(Link { name: name.clone(), url }, id.to_owned()))
}

fn actor(
    visit: &ConsoleVisit<'_>,
    record: &AuditRecord,
    names: &HashMap<String, (TenantId, String)>,
) -> Value {
    let id = record.actor.strip_prefix("account:");
    let command = record.actor.strip_prefix("cli:").map(|user| (visit.texts().audit.by_command)(user));
    let named = id.and_then(|id| person(visit, id, names)).or_else(|| command.map(Value::Text));
    named.unwrap_or_else(|| Value::Id(id.unwrap_or(&record.actor).to_owned()))
}

/// The changed row, with a link to its page if there is one.
fn subject(
    visit: &ConsoleVisit<'_>,
    record: &AuditRecord,
    names: &HashMap<String, (TenantId, String)>,
) -> Value {
    let subject = &*record.subject;
    let (kind, _) = record.action.split_once('.').unwrap_or((&record.action, ""));
    let home = format!("{}/console/t/{}", visit.request.public_url.path(), record.tenant);
    let client = subject.split_once('/').map_or(subject, |(client, _)| client);
    let application = |url| visit.application_link(&record.tenant, subject, url);
    match kind {
        "client" => application(format!("{home}/applications/{}", encoded(subject))),
        "secret" | "api_key" => application(format!("{home}/applications/{}/credentials", encoded(client))),
        _ => person(visit, subject, names).unwrap_or_else(|| Value::Id(subject.to_owned())),
    }
}

/// The first changed fields with their values. Never empty, because a narrow window would show a label
/// without a value.
fn changes(visit: &ConsoleVisit<'_>, record: &AuditRecord) -> Value {
    let texts = &visit.texts().audit;
    let (changed, _) = record.field_changes();
    if changed.is_empty() {
        return Value::Text(texts.all_fields.to_owned());
    }
    let more = changed.len().saturating_sub(FIELDS);
    let shown = changed.into_iter().take(FIELDS).map(|change| Change {
        field: change.field,
        before: change.before.unwrap_or_default(),
        after: change.after.unwrap_or_default(),
    });
    let more = (more > 0).then(|| Change {
        field: (texts.more_fields)(&more.to_string()),
        before: String::new(),
        after: String::new(),
    });
    Value::Changes(shown.chain(more).collect())
}
