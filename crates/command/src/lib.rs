//! The command line. Without a command it runs the server.

// The compiler must nest more than 128 levels to lay out a command's future in a release build.
#![recursion_limit = "256"]

mod command;

// The commands, with one module for each.
mod account;
mod account_import;
mod admin;
mod advise;
mod api_key;
mod apply;
mod audit;
mod backup;
mod check;
mod client;
mod client_credentials;
mod client_migration;
mod completion;
mod console;
mod dev;
mod dev_cert;
mod doctor;
mod explain;
mod health;
mod import;
mod init;
mod inspect;
mod key;
mod mail;
mod man;
mod migrate;
mod plan;
mod profiles;
mod prove;
mod refusals;
mod restore;
mod rollback;
mod secret;
mod serve;
mod store;
mod tenant;
mod tenant_move;
mod upgrade;
mod usage;

// Shared code.
mod admin_client;
mod arguments;
mod busy_server;
mod comparison;
mod copies;
#[cfg(test)]
mod documented_commands;
mod ended_credentials;
mod examples;
mod new_files;
mod output;
mod parse;
mod paths;
mod process;
mod progress;
mod report;
mod runner;
mod suggested;

pub use command::run;
