//! The platform's rows in SQLite: the store traits of the domain crates over one file, with one writer and several readers.
//!
//! A row that belongs to a tenant has the tenant's id in its primary key, and every query of such rows names it. In reading order:

mod database;
mod ended_secrets;
mod error;
mod schema;
mod statements;

mod client_store;
mod signing_key_store;
mod tenant_store;

mod applications;
mod audit_log;
mod commit;
mod generations;
mod idempotent_answers;
mod key_schedule;
mod sealed_items;
mod search_terms;
mod tenant_list;
mod tenant_rows;
mod usage_log;

mod change_feed;

#[cfg(test)]
mod query_plan_tests;

pub use change_feed::ChangeFeed;
pub use database::SqliteDatabase;
pub use error::OpenError;
