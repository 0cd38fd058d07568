//! Tests SQLite beyond the contract of every store: opening, reconciling, and several processes on one file.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

#[path = "../shared/audit_salts.rs"]
mod audit_salts;
#[path = "../shared/batches.rs"]
mod batches;
mod change_feed;
mod converging;
mod declared;
#[path = "../shared/earlier_schemas.rs"]
mod earlier_schemas;
#[path = "../shared/feeds.rs"]
mod feeds;
mod importing;
mod logouts;
mod mail;
#[path = "../shared/newer_columns.rs"]
mod newer_columns;
mod opening;
mod reconciling;
mod replicas;
mod revocations;
mod rings;
mod sandbox;
#[path = "../shared/settings_as_columns.rs"]
mod settings_as_columns;
#[path = "../shared/signing_out.rs"]
mod signing_out;
#[path = "../shared/replicas.rs"]
mod two_replicas;
mod unreadable;
#[path = "../shared/unreadable_rows.rs"]
mod unreadable_rows;
