//! Blocks that several pages share.

use std::sync::Arc;

use actix_web::web;
use administration::documents::{Instant, Page, UsageView};
use administration::edit::{EditError, FieldError};
use pages::console::{Block, Field, HtmlForm};
use pages::{
    Badge, BarChart, ChartSlot, Column, Empty, Fact, Link, Meaning, MomentValue, Pager, SharedTexts, Table,
    Value,
};

use registry::ClientId;

use super::visit::{ConsoleVisit, unseen};
use crate::page::{PageError, PageResult};

/// Errors of a form that is shown again.
#[derive(Debug, Default)]
pub(super) struct RefusedForm {
    /// The error of the whole form.
    pub(super) message: Option<String>,
    fields: Vec<FieldError>,
}

impl RefusedForm {
    /// If another input could not prevent the error, it is returned as an error page.
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

    pub(super) fn alert(self) -> Block {
        danger(self.message.unwrap_or_default())
    }

    /// The blocks below the error, if there is one.
    pub(super) fn above(&self, blocks: impl IntoIterator<Item = Block>) -> Vec<Block> {
        self.message.clone().map(danger).into_iter().chain(blocks).collect()
    }

    /// Adds the errors at this place of the document to a field.
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

pub(super) fn success(text: impl Into<String>) -> Block {
    Block::Alert(Meaning::Success, text.into())
}

pub(super) fn danger(text: String) -> Block {
    Block::Alert(Meaning::Danger, text)
}

pub(super) fn table<const N: usize>(
    caption: &str,
    headings: [&'static str; N],
    rows: impl Iterator<Item = Vec<Value>>,
) -> Block {
    let columns = headings.map(Column::from_heading).to_vec();
    Block::Table(Table { caption: caption.to_owned(), columns, rows: rows.collect() })
}

pub(super) fn empty(title: &str, text: &str, action: Option<Link>) -> Block {
    Block::Empty(Empty { title: title.to_owned(), text: text.to_owned(), action })
}

/// A list in pages, with a search, and a link to the form for a new row.
pub(super) struct List {
    pub(super) title: &'static str,
    pub(super) path: &'static str,
    pub(super) search: &'static str,
    pub(super) new: &'static str,
    /// Title and text of an empty list.
    pub(super) none: (&'static str, &'static str),
    /// The warning about rows that this version cannot read.
    pub(super) unreadable: fn(&str) -> String,
}

impl List {
    /// A malformed cursor or an invalid search is shown as an error.
    pub(super) fn show<T>(
        self,
        visit: &ConsoleVisit<'_>,
        found: Result<Page<T>, EditError>,
        table: impl FnOnce(&[T]) -> Block,
    ) -> PageResult {
        let Self { title, path, search: label, new, none, unreadable: warning } = self;
        let page = match outcome(found)? {
            Ok(page) => page,
            Err(refused) => return Ok(visit.show(title, title, vec![refused.alert()])),
        };
        let (url, search) = (visit.path(path), visit.parameter("search"));
        let new = Link { name: new.to_owned(), url: format!("{url}/new") };
        let mut blocks = vec![
            Block::Links(vec![new.clone()]),
            Block::Form(HtmlForm::search(
                url.clone(),
                label,
                search.as_deref().unwrap_or_default(),
                visit.texts().shared.search,
            )),
        ];
        blocks.push(match &*page.items {
            [] => empty(none.0, none.1, Some(new)),
            items => table(items),
        });
        blocks.extend(unreadable(warning, &page));
        blocks.extend(pager(visit, &url, search.as_deref(), page.next_cursor.as_deref()).map(Block::Pager));
        Ok(visit.show(title, title, blocks))
    }
}

/// Separates errors that the form can show (inner) from error pages (outer).
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

pub(super) fn copied(label: &'static str, value: &str) -> Fact {
    Fact { label, value: Value::Copied(value.to_owned()) }
}

/// A folded form that asks for the name of the row. `unnamed` is the error if another name was typed.
pub(super) fn confirmed(summary: &str, form: HtmlForm, label: &str, hint: &str, unnamed: &str) -> Block {
    let field = Field::text("confirm", label, "").hint(hint).error(unnamed.to_owned());
    Block::fold(summary, !unnamed.is_empty(), vec![form.with(vec![field])], Vec::new())
}

pub(super) fn codes(texts: &SharedTexts, label: &'static str, values: &[String]) -> Fact {
    if values.is_empty() {
        fact(label, texts.none)
    } else {
        Fact { label, value: Value::Codes(values.to_vec()) }
    }
}

pub(super) fn moment(at: Instant) -> MomentValue {
    MomentValue::utc(at.0.to_rfc3339())
}

pub(super) fn time(at: Instant) -> Value {
    Value::Time(moment(at))
}

pub(super) fn time_or(at: Option<Instant>, none: &str) -> Value {
    at.map_or_else(|| Value::Text(none.to_owned()), time)
}

pub(super) fn link(name: impl Into<String>, url: String) -> Value {
    Value::Link(Link { name: name.into(), url })
}

pub(super) fn status(texts: &SharedTexts, status: &str) -> Value {
    Value::Badge(badge_of(texts, status))
}

/// A row by its name, with its id below.
pub(super) fn named(name: Option<&str>, id: &str, url: String) -> Value {
    let name = name.filter(|name| !name.is_empty()).unwrap_or(id).to_owned();
    Value::Named(Link { name, url }, id.to_owned())
}

pub(super) fn badge_of(texts: &SharedTexts, status: &str) -> Badge {
    let meaning = match status {
        "active" | "live" => Meaning::Success,
        "suspended" | "deleting" | "announced" | "retiring" => Meaning::Warning,
        _ => Meaning::Neutral,
    };
    Badge { meaning, text: (texts.status)(status).unwrap_or(status).to_owned() }
}

/// Whether a row belongs to the API or to configuration files, which the console cannot change.
pub(super) fn managed_by(texts: &SharedTexts, managed_by: &str) -> Value {
    let text = if managed_by == "api" { texts.managed_by_api } else { texts.managed_by_files };
    Value::Text(text.to_owned())
}

/// File and line that declare the page's tenant, or one of its clients.
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
    let texts = &visit.texts().shared;
    match place {
        Some(place) => Value::Text((texts.declared_at)(&place)),
        None => self::managed_by(texts, managed_by),
    }
}

/// The numbers of tokens and refusals over time.
pub(super) fn used(texts: &SharedTexts, usage: &UsageView) -> Block {
    if usage.total.issued + usage.total.refused > 0 {
        return Block::Chart(chart(texts, usage));
    }
    empty(texts.no_requests, texts.no_requests_text, None)
}

fn chart(texts: &SharedTexts, usage: &UsageView) -> BarChart {
    let slots = usage.periods.iter().map(|period| {
        let start = period.start.0.to_rfc3339();
        let name = start.get(5..16).unwrap_or(&start).replace('T', " ");
        ChartSlot { name, counts: [period.sums.issued, period.sums.refused] }
    });
    BarChart {
        id: "usage".to_owned(),
        title: texts.chart.to_owned(),
        summary: (texts.chart_summary)(&usage.total.issued.to_string(), &usage.total.refused.to_string()),
        slot: texts.hour,
        series: [texts.issued, texts.refused],
        slots: slots.collect(),
        numbers: texts.numbers.to_owned(),
    }
}

/// A warning with the ids of rows that this version cannot read. `None` if there are none.
pub(super) fn unreadable<T>(text: fn(&str) -> String, page: &Page<T>) -> Option<Block> {
    let ids = page.unreadable.join(", ");
    (!ids.is_empty()).then(|| Block::Alert(Meaning::Danger, text(&ids)))
}

pub(super) fn pager(
    visit: &ConsoleVisit<'_>,
    url: &str,
    search: Option<&str>,
    next: Option<&str>,
) -> Option<Pager> {
    pager_of(visit, url, search.map(|search| ("search", search)), next)
}

/// As [`pager`], for a list with several filters.
pub(super) fn pager_of<'f>(
    visit: &ConsoleVisit<'_>,
    url: &str,
    filters: impl IntoIterator<Item = (&'static str, &'f str)>,
    next: Option<&str>,
) -> Option<Pager> {
    let (texts, cursor) = (&visit.texts().shared, next?);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filters).append_pair("cursor", cursor);
    let next = Link { name: texts.next_page.to_owned(), url: format!("{url}?{}", query.finish()) };
    Some(Pager { label: texts.pages.to_owned(), previous: None, next: Some(next) })
}
