//! The output of documents: tables and lines for people, or the API's JSON for programs. Secrets are shown
//! once.

mod confirm;
mod list;
mod plan_lines;
mod report;
mod secret;
mod snippet;
mod table;
mod time;

pub(crate) use crate::process::json;
pub(crate) use confirm::{ask, confirm};
pub(crate) use list::{ListArguments, name_next};
pub(crate) use plan_lines::{folded, plan_lines};
pub(crate) use report::{CellRow, CellRows, Layout, report};
pub(crate) use secret::{OneTimeOutput, OutputArguments};
pub(crate) use snippet::{SnippetLanguage, snippets, verifiers};
pub(crate) use table::{DocumentTable, details, details_of, table};
pub(crate) use time::readable;

pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
