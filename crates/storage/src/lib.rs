//! The platform's rows: the store traits of the domain crates over SQLite, and over PostgreSQL for several
//! replicas.
//!
//! A tenant's row has the tenant's id in its primary key, and every query of such rows names the tenant. The
//! statements of a table are in the file of its name, once for both engines. In reading order:

// Statements, transactions and rows of either engine.
mod database;
mod error;
mod row;
mod statement;
mod store_turns;
mod transaction;

pub use database::Database;

// How types are columns.
mod column;
mod columns;
mod rows;

// The tables, a file each.
mod accounts;
mod api_keys;
mod applications;
mod audit_records;
mod audit_stream;
mod authorizations;
mod change_feed;
mod change_log;
mod client_secrets;
mod clients;
mod console_sessions;
mod device_codes;
mod expiring;
mod generations;
mod idempotent_answers;
mod key_schedules;
mod leaked_credentials;
mod logos;
mod logouts;
mod notifications;
mod one_time;
mod pushed_requests;
mod refresh_families;
mod refusal_log;
mod reused_grants;
mod revocations;
mod rings;
mod sealed_items;
mod secret_rotations;
mod sessions;
mod signing_keys;
mod tenant_keys;
mod tenant_search;
mod tenants;
mod unreadable_rows;
mod usage_days;
mod usage_log;
mod used_identifiers;

pub use change_feed::{ChangeFeed, FeedNews};
pub use notifications::{LogConnection, NotifyingLog};
pub use rows::{LogReading, LoggedChange};

// A commit over all tables.
mod commit;
mod tenant_rows;

// Opening a database, of either engine, and copying it.
mod engine_error;
mod migrations;
mod open_error;
pub mod postgres;
pub mod sqlite;
pub mod store_copy;
mod store_mark;
mod upgrade;

pub use engine_error::EngineError;
pub use open_error::OpenError;
pub use upgrade::Upgrade;
