//! What is SQLite's own: one file, with one writer and several readers.

mod change_feed;
mod grouped_uses;
mod pools;
mod schema;
mod search_terms;

#[cfg(test)]
mod query_plan_tests;

pub(crate) use change_feed::SqliteChangeFeed;
pub(crate) use pools::SqlitePools;
pub use pools::{open, open_read_only};
