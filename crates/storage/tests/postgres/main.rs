//! Tests PostgreSQL beyond the contract of every store: opening, row level security, several replicas, and an
//! unreachable server.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

mod added_columns;
#[path = "../shared/audit_salts.rs"]
mod audit_salts;
#[path = "../shared/batches.rs"]
mod batches;
mod belongings;
mod change_feed;
mod conflicts;
#[path = "../shared/earlier_schemas.rs"]
mod earlier_schemas;
mod failing;
#[path = "../shared/feeds.rs"]
mod feeds;
mod foreign_rows;
#[expect(dead_code, reason = "shared with the tests of replicas")]
mod forwarder;
mod leaders;
mod migrating;
#[path = "../shared/newer_columns.rs"]
mod newer_columns;
mod opening;
mod pooler;
mod proofs;
mod replicas;
mod rings;
mod row_level_security;
mod sandbox;
#[path = "../shared/settings_as_columns.rs"]
mod settings_as_columns;
#[path = "../shared/signing_out.rs"]
mod signing_out;
mod statements;
mod turns;
#[path = "../shared/replicas.rs"]
mod two_replicas;
mod two_tenants;
#[path = "../shared/unreadable_rows.rs"]
mod unreadable_rows;

/// The environment variable with the URL of the server.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES_URL";
