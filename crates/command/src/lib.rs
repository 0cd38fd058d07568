//! The command line. Without a command it serves.

// The layout of a command's future over the whole platform is deeper than 128 in an optimised build.
#![recursion_limit = "256"]

mod command;

// The commands, one file for each.
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

// What they share.
mod admin_client;
mod arguments;
mod busy_server;
mod comparison;
mod copies;
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
