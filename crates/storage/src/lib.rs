//! The platform's tables: implements the store traits of the domain crates with SQLite, and with PostgreSQL
//! for several replicas.
//!
//! The primary key of a tenant's row begins with the tenant's id, and every query of such rows names the
//! tenant. The statements of a table are in the file with the table's name, for both engines. In reading
//! order:

// Statements, transactions and rows, for both engines.
mod database;
mod error;
mod row;
mod statement;
mod store_turns;
mod transaction;

pub use database::Database;

// The mapping of types to columns.
mod column;
mod columns;
mod rows;

// One file for each table.
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
mod lost_changes;
mod mail;
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
pub use lost_changes::{LostChanges, SeenChange};
pub use notifications::{LogConnection, NotifyingLog};
pub use rows::{LogReading, LoggedChange};

// Commits over all tables.
mod commit;
mod tenant_rows;

// Opening and copying databases of either engine.
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
