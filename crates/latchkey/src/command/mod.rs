//! The commands, a file each.

mod apply;
mod check;
mod health;
mod key;
mod migrate;
mod plan;
mod print;
mod serve;

pub(crate) use apply::apply;
pub(crate) use check::check;
pub(crate) use health::health;
pub(crate) use key::new_sealing_key;
pub(crate) use migrate::migrate;
pub(crate) use plan::plan;
pub(crate) use print::{print, report};
pub(crate) use serve::serve;

use std::future::Future;

use crate::start_error::StartError;

/// Runs a command that needs the store.
fn block_on<T>(work: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // Requests are served by the gateway's own workers; what is left needs little.
    builder.worker_threads(1).enable_all().build().map_err(StartError::Runtime)?.block_on(work)
}
