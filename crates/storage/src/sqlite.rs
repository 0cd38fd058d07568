//! The code for SQLite: one file, one writer and several readers.

mod change_feed;
mod groups;
mod pools;
mod schema;
mod search_terms;
mod walks;

#[cfg(test)]
mod query_plan_tests;

pub(crate) use change_feed::SqliteChangeFeed;
pub(crate) use groups::{GroupedWrite, Groups};
pub(crate) use pools::{SqlitePools, begin, schema_of};
pub(crate) use pools::{migrate, owner_options};
pub use pools::{open, open_read_only, open_waiting};
pub(crate) use schema::MIGRATOR;
