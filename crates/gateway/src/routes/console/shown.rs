//! Documents as blocks that several pages show alike.

use std::sync::Arc;

use actix_web::web;
use administration::{EditError, FieldError, Instant, Page, UsageView};
use pages::console::{Block, Field, HtmlForm};
use pages::{
    Badge, BarChart, ChartSlot, Column, Empty, Fact, Link, Meaning, MomentValue, Pager, Table, Value,
};

use registry::ClientId;

use super::visit::{ConsoleVisit, unseen};
use crate::page::{PageError, PageResult};

/// Why a form did nothing, for the page that shows it again.
#[derive(Debug, Default)]
pub(super) struct RefusedForm {
    /// The error of the whole form.
    pub(super) message: Option<String>,
    fields: Vec<FieldError>,
}

impl RefusedForm {
    /// The errors of an operation's answer. An error that no other input would change becomes a page of its
    /// own.
    pub(super) fn from_error(error: EditError) -> PageResult<Self> {
        match error {
            EditError::Invalid(fields) => {
                let message = fields.iter().map(FieldError::message).collect::<Vec<_>>().join(". ");
                Ok(Self { message: Some(message), fields })
            }
            EditError::Conflict(_)
            | EditError::LiveCredentials(_)
            | EditError::LimitReached(_)
            | EditError::InsufficientPrivilege(_)
            | EditError::Stale
            | EditError::Busy
            | EditError::IdempotencyKeyReused => {
                Ok(Self { message: Some(error.to_string()), fields: Vec::new() })
            }
            error => Err(unseen(error)),
        }
    }

    /// The error of the whole form.
    pub(super) fn alert(self) -> Block {
        danger(self.message.unwrap_or_default())
    }

    /// A field with what is wrong at this place of the document.
    pub(super) fn at(&self, pointer: &str, field: Field) -> Field {
        let is_there = |error: &&FieldError| {
            error.pointer.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self.fields.iter().find(is_there) {
            Some(error) => field.error(error.message()),
            None => field,
        }
    }
}

/// What a page says first of what was done.
pub(super) fn success(text: impl Into<String>) -> Block {
    Block::Alert(Meaning::Success, text.into())
}

pub(super) fn danger(text: String) -> Block {
    Block::Alert(Meaning::Danger, text)
}

/// A table without numbers.
pub(super) fn table<const N: usize>(
    caption: &str,
    headings: [&'static str; N],
    rows: impl Iterator<Item = Vec<Value>>,
) -> Block {
    let columns = headings.map(Column::from_heading).to_vec();
    Block::Table(Table { caption: caption.to_owned(), columns, rows: rows.collect() })
}

/// What stands in the place of rows.
pub(super) fn empty(title: &str, text: &str, action: Option<Link>) -> Block {
    Block::Empty(Empty { title: title.to_owned(), text: text.to_owned(), action })
}

/// A list in pages, with a search, and a form for a new row.
pub(super) struct List {
    pub(super) title: &'static str,
    pub(super) path: &'static str,
    pub(super) search: &'static str,
    pub(super) new: &'static str,
    /// What the page says without rows.
    pub(super) none: (&'static str, &'static str),
    /// What the rows are called in the middle of a sentence.
    pub(super) rows: &'static str,
}

impl List {
    /// The page of these rows. A malformed cursor and an impossible search are refused.
    pub(super) fn show<T>(
        self,
        visit: &ConsoleVisit<'_>,
        found: Result<Page<T>, EditError>,
        table: impl FnOnce(&[T]) -> Block,
    ) -> PageResult {
        let Self { title, path, search: label, new, none, rows } = self;
        let page = match outcome(found)? {
            Ok(page) => page,
            Err(refused) => return Ok(visit.show(title, title, vec![refused.alert()])),
        };
        let (url, search) = (visit.path(path), visit.parameter("search"));
        let new = Link { name: new.to_owned(), url: format!("{url}/new") };
        let mut blocks = vec![
            Block::Links(vec![new.clone()]),
            Block::Form(HtmlForm::search(url.clone(), label, search.as_deref().unwrap_or_default())),
        ];
        blocks.push(match &*page.items {
            [] => empty(none.0, none.1, Some(new)),
            items => table(items),
        });
        blocks.extend(unreadable(rows, &page));
        blocks.extend(pager(&url, search.as_deref(), page.next_cursor.as_deref()).map(Block::Pager));
        Ok(visit.show(title, title, blocks))
    }
}

/// Turns what an operation answered into its value, or into why it did nothing.
pub(super) fn outcome<T>(result: Result<T, EditError>) -> Result<Result<T, RefusedForm>, PageError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => RefusedForm::from_error(error).map(Err),
    }
}

pub(super) fn fact(label: &'static str, value: impl Into<String>) -> Fact {
    Fact { label, value: Value::Text(value.into()) }
}

pub(super) fn code(label: &'static str, value: impl Into<String>) -> Fact {
    Fact { label, value: Value::Code(value.into()) }
}

pub(super) fn codes(label: &'static str, values: &[String]) -> Fact {
    if values.is_empty() { fact(label, "none") } else { Fact { label, value: Value::Codes(values.to_vec()) } }
}

pub(super) fn moment(at: Instant) -> MomentValue {
    MomentValue::utc(at.0.to_rfc3339())
}

pub(super) fn time(at: Instant) -> Value {
    Value::Time(moment(at))
}

/// An instant, or a text where there is none.
pub(super) fn time_or(at: Option<Instant>, none: &str) -> Value {
    at.map_or_else(|| Value::Text(none.to_owned()), time)
}

pub(super) fn link(name: impl Into<String>, url: String) -> Value {
    Value::Link(Link { name: name.into(), url })
}

/// The status of a row or credential.
pub(super) fn status(status: &str) -> Value {
    let meaning = match status {
        "active" | "live" => Meaning::Success,
        "suspended" | "deleting" | "announced" | "retiring" => Meaning::Warning,
        _ => Meaning::Neutral,
    };
    Value::Badge(Badge { meaning, text: status.to_owned() })
}

/// Tells which interface declares a row, and whether the console can change it.
pub(super) fn managed_by(managed_by: &str) -> Value {
    let text = if managed_by == "api" { "API and console" } else { "the operator's files; read only here" };
    Value::Text(text.to_owned())
}

/// The file and line that declare the page's tenant or one of its clients.
pub(super) async fn declared_at(
    visit: &ConsoleVisit<'_>,
    managed_by: &str,
    client: Option<ClientId>,
) -> Value {
    let (tenant, find) = (visit.tenant(), Arc::clone(&visit.request.services.declared_at));
    let place = match managed_by {
        "api" => None,
        _ => web::block(move || find(&tenant, client.as_ref())).await.ok().flatten(),
    };
    place
        .map_or_else(|| self::managed_by(managed_by), |place| Value::Text(format!("{place}; read only here")))
}

/// Tokens and refusals by period.
pub(super) fn used(usage: &UsageView) -> Block {
    if usage.total.issued + usage.total.refused > 0 {
        return Block::Chart(chart(usage));
    }
    empty("No requests in 24 hours", "Tokens and refusals by hour are shown here, a minute after them.", None)
}

fn chart(usage: &UsageView) -> BarChart {
    let slots = usage.periods.iter().map(|period| {
        let start = period.start.0.to_rfc3339();
        let name = start.get(5..16).unwrap_or(&start).replace('T', " ");
        ChartSlot { name, counts: [period.sums.issued, period.sums.refused] }
    });
    BarChart {
        id: "usage".to_owned(),
        title: "Tokens and refusals by hour (UTC)".to_owned(),
        summary: format!("{} tokens issued, {} requests refused", usage.total.issued, usage.total.refused),
        slot: "Hour",
        series: ["Issued", "Refused"],
        slots: slots.collect(),
        numbers: "Show the numbers".to_owned(),
    }
}

/// An alert with the rows of a page that this version cannot read.
pub(super) fn unreadable<T>(rows: &str, page: &Page<T>) -> Option<Block> {
    let names = page.unreadable.join(", ");
    let text = format!("This version cannot read these {rows}, and the log says why: {names}");
    (!names.is_empty()).then_some(Block::Alert(Meaning::Danger, text))
}

/// The link to the next page of a list.
pub(super) fn pager(url: &str, search: Option<&str>, next: Option<&str>) -> Option<Pager> {
    let cursor = next?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(search) = search {
        query.append_pair("search", search);
    }
    query.append_pair("cursor", cursor);
    let next = Link { name: "Next page".to_owned(), url: format!("{url}?{}", query.finish()) };
    Some(Pager { label: "Pages".to_owned(), previous: None, next: Some(next) })
}
