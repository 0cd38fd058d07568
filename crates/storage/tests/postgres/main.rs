//! What a PostgreSQL database does beyond the contract of every store: opening, the wall between tenants, several replicas, and a
//! server that goes away.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

#[path = "../shared/batches.rs"]
mod batches;
mod belongings;
mod change_feed;
mod failing;
mod foreign_rows;
mod forwarder;
mod leaders;
mod migrating;
mod newer_columns;
mod opening;
mod replicas;
mod rings;
mod row_level_security;
mod sandbox;
#[path = "../shared/settings_of_clients.rs"]
mod settings_of_clients;
#[path = "../shared/settings_of_tenants.rs"]
mod settings_of_tenants;
#[path = "../shared/signing_out.rs"]
mod signing_out;
mod statements;
mod turns;
mod two_tenants;

/// What says where the server is.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES_URL";
