//! The server: the platform with its parts, and the background work. The public modules are for the command
//! line.

// The compiler must nest more than 128 levels to lay out a future over the whole platform in a release build.
#![recursion_limit = "256"]

pub mod clock;
mod runtime;

// The store and the server's own secrets.
pub mod database;
pub mod file_access;
pub mod last_store;
pub mod reseal;
pub mod sealing;

// Applying the settings.
pub mod apply;
pub mod conflict_messages;
mod left_out;
mod names;
mod reload;
mod watch;

// Serving requests.
mod drain;
mod health;
mod jwks_fetcher;
mod operator_api;
pub mod platform;
mod secret_store_writer;
mod serve;
mod service_manager;
pub mod tls;

// Background work.
mod addresses;
mod audit_export;
mod background;
mod batch_writer;
mod credential_usage;
mod fetch_log;
mod housekeeping;
mod leaks;
mod logout_delivery;
mod lost_changes;
mod mail_delivery;
pub mod mail_servers;
mod periodic;
mod periodic_writer;
mod refusal_writer;
mod rotation;
mod secret_rotations;
mod usage_writer;

// The log.
mod json_lines;
mod log_lines;
pub mod logging;
mod terminal_lines;

#[cfg(test)]
mod simulation;

pub use operator_api::operator_api;
pub use runtime::block_on;
pub use serve::{Greet, serve};
