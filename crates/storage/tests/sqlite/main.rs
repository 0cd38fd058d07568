//! What a database file does beyond the contract of every store: opening, reconciling, and several processes on one file.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

#[path = "../shared/batches.rs"]
mod batches;
mod change_feed;
mod converging;
mod declared;
mod importing;
mod logouts;
mod newer_columns;
mod opening;
mod reconciling;
mod replicas;
mod revocations;
mod rings;
#[path = "../shared/settings_of_clients.rs"]
mod settings_of_clients;
#[path = "../shared/settings_of_tenants.rs"]
mod settings_of_tenants;
#[path = "../shared/signing_out.rs"]
mod signing_out;
