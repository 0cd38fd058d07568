//! The platform's rows: the store traits of the domain crates over SQLite, and over PostgreSQL for several replicas.
//!
//! A row that belongs to a tenant has the tenant's id in its primary key, and every query of such rows names it. The statements of a
//! table stand in the file of its name, once for both engines. In reading order:

mod database;
mod device_codes;
mod error;
mod row;
mod statement;
mod store_turns;
mod transaction;

mod column;
mod columns;
mod rows;

mod accounts;
mod clients;
mod refresh_families;
mod refusal_log;
mod signing_keys;
mod tenants;

mod api_keys;
mod applications;
mod audit_records;
mod authorizations;
mod change_log;
mod client_secrets;
mod console_sessions;
mod generations;
mod idempotent_answers;
mod key_schedules;
mod leaked_credentials;
mod logos;
mod pushed_requests;
mod revocations;
mod rings;
mod sealed_items;
mod secret_rotations;
mod sessions;
mod tenant_search;
mod usage_days;
mod usage_log;
mod used_identifiers;

mod commit;
mod tenant_rows;

mod engine_error;
mod logouts;
mod migrations;
mod open_error;
pub mod postgres;
pub mod sqlite;
pub mod store_copy;
mod upgrade;

pub use change_log::ChangeFeed;
pub use database::Database;
pub use engine_error::EngineError;
pub use open_error::OpenError;
pub use upgrade::Upgrade;
