//! The resident memory of an idle program: before any request except one for its health, and after its first
//! token.

use std::thread;
use std::time::Duration;

use super::goals::{Bound, Figure};
use super::spread::Spread;
use super::warm_store::WarmStores;
use crate::workspace::Failure;

/// The time is long enough for work that a start postpones, such as keys that are generated in advance.
const SETTLE: Duration = Duration::from_secs(5);
const GOAL: Bound = Bound::AtMost(20.0);
/// The goal is for the defaults with SQLite, as here.
const STRETCH: Bound = Bound::AtMost(12.0);

pub(super) fn measure(stores: &WarmStores<'_>) -> Result<Vec<Figure>, Failure> {
    let programs = &stores.tools.programs;
    let mut idle = vec![Vec::new(); programs.len()];
    let mut after_token = idle.clone();
    for _ in 0..stores.tools.options.rounds {
        let mut servers = stores.start_all()?;
        for server in &mut servers {
            server.await_health()?;
        }
        thread::sleep(SETTLE);
        for (index, mut server) in servers.into_iter().enumerate() {
            idle[index].push(server.memory());
            server.await_token()?;
            after_token[index].push(server.memory());
            server.stop("")?;
        }
    }
    let figures = programs.iter().zip(idle).zip(after_token).flat_map(|(((name, _), idle), after)| {
        let (idle, after) = (Spread::from_figures(idle.into_iter()), Spread::from_figures(after.into_iter()));
        let mut figures = Figure::of_program(name, "idle memory, MiB", &[GOAL, STRETCH], &idle);
        figures.extend(Figure::of_program(name, "memory after the first token, MiB", &[], &after));
        figures
    });
    Ok(figures.collect())
}
