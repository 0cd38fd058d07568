//! The commands, a file each.

mod admin;
mod apply;
mod audit;
mod check;
mod client;
mod completion;
mod dev_cert;
mod health;
mod key;
mod migrate;
mod plan;
mod rollback;
mod secret;
mod serve;
mod tenant;

// What they share.
mod comparison;
mod output;
mod parse;
mod print;
mod progress;
mod session;

pub(crate) use admin::{AdminCommand, admin};
pub(crate) use apply::apply;
pub(crate) use audit::{AuditCommand, audit};
pub(crate) use check::check;
pub(crate) use client::{ClientCommand, client};
pub(crate) use completion::completion;
pub(crate) use dev_cert::{DevCertError, dev_cert};
pub(crate) use health::health;
pub(crate) use key::{KeyCommand, key};
pub(crate) use migrate::migrate;
pub(crate) use plan::{drift, plan};
pub(crate) use print::{print, report};
pub(crate) use rollback::{list_generations, rollback};
pub(crate) use secret::{SecretCommand, secret};
pub(crate) use serve::serve;
pub(crate) use tenant::{TenantCommand, tenant};

use std::future::Future;

use crate::start_error::StartError;

/// Runs a command that needs the store.
fn block_on<T>(work: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // Requests are served by the gateway's own workers; what is left needs little.
    builder.worker_threads(1).enable_all().build().map_err(StartError::Runtime)?.block_on(work)
}
