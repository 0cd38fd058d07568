//! The commands, a file each.

pub(crate) mod account;
mod account_import;
pub(crate) mod admin;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod client;
mod client_migration;
pub(crate) mod completion;
pub(crate) mod dev_cert;
pub(crate) mod doctor;
pub(crate) mod examples;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod profiles;
pub(crate) mod rollback;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod whoami;

// What they share.
mod arguments;
mod comparison;
mod new_files;
mod output;
mod parse;
mod print;
mod progress;
pub(crate) mod runner;
mod secret_input;
mod suggested;

pub(crate) use print::{print, report};

use std::future::Future;

use anyhow::Context as _;

/// Runs a command that needs the store.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // Requests are served by the gateway's own workers; what is left needs little.
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.context("the runtime cannot be started")?.block_on(work)
}
