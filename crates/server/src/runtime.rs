//! Runs the asynchronous work of a command.

use std::future::Future;
use std::pin::Pin;

use anyhow::Context as _;

/// Runs work that waits for a store or a server.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut outcome = None;
    run_to_end(Box::pin(async { outcome = Some(work.await) }))?;
    outcome.context("the command did not finish")?
}

/// Without a type parameter, so that the runtime's code is compiled once and not for each command.
fn run_to_end(work: Pin<Box<dyn Future<Output = ()> + '_>>) -> anyhow::Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // The gateway has its own workers for requests; the rest needs little.
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(work);
    Ok(())
}
