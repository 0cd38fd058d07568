//! Starts with a store that an earlier start has filled: the time to the first token, and the resident memory
//! before any request except one for health, and after the first token.

use std::thread;
use std::time::Duration;

use super::Run;
use super::goals::{Bound, Figure};
use super::server::{Program, Server};
use super::spread::Spread;
use super::workload::Workload;
use crate::workspace::Failure;

/// A start takes a fraction of a second, so that more of them than rounds cost little.
const STARTS_PER_ROUND: u32 = 3;
/// The time is long enough for work that a start postpones, such as keys that are generated in advance.
const SETTLE: Duration = Duration::from_secs(5);
/// The goals are for the defaults with SQLite, as here.
const MEMORY: Bound = Bound::AtMost(20.0);
const RESTART: Bound = Bound::AtMost(80.0);

pub(super) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for program in &run.programs {
        let start = || start(run, program);
        // Fills the store.
        let mut server = start()?;
        server.await_token()?;
        server.stop()?;
        let (mut idle, mut after, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..run.options.rounds {
            let mut server = start()?;
            server.await_health()?;
            thread::sleep(SETTLE);
            idle.push(server.memory());
            server.await_token()?;
            after.push(server.memory());
            server.stop()?;
            for _ in 0..STARTS_PER_ROUND {
                let mut server = start()?;
                let (_, took) = server.await_token()?;
                times.push(took.as_secs_f64() * 1e3);
                server.stop()?;
            }
        }
        let goal = |bound| (!program.is_bare).then_some(bound);
        figures.extend(
            [
                ("idle memory, MiB", goal(MEMORY), idle),
                ("memory after the first token, MiB", None, after),
                ("restart to first token, ms", goal(RESTART), times),
            ]
            .map(|(what, bound, values)| Figure {
                subject: format!("{}: {what}", program.name),
                bound,
                value: Spread::from_figures(values.into_iter()),
            }),
        );
    }
    Ok(figures)
}

fn start(run: &Run<'_>, program: &Program) -> Result<Server, Failure> {
    Server::start(run.workspace, program, Workload::Rs256, &run.folder.join("warm").join(program.name))
}
