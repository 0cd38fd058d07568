//! The time from a restart to the first token, with a store that an earlier start has filled.

use super::goals::{Bound, Figure};
use super::spread::Spread;
use super::warm_store::WarmStores;
use crate::workspace::Failure;

/// A start takes a fraction of a second, so that more of them than rounds cost little.
const PER_ROUND: u32 = 3;
const GOAL: Bound = Bound::AtMost(80.0);
const STRETCH: Bound = Bound::AtMost(40.0);

/// Starts all programs in turn, again and again, and returns each one's times in milliseconds.
pub(super) fn measure(stores: &WarmStores<'_>) -> Result<Vec<(&'static str, Spread)>, Failure> {
    let programs = &stores.tools.programs;
    let mut times = vec![Vec::new(); programs.len()];
    for _ in 0..stores.tools.options.rounds * PER_ROUND {
        for (index, times) in times.iter_mut().enumerate() {
            let mut server = stores.start(index)?;
            let (_, took) = server.await_token()?;
            times.push(took.as_secs_f64() * 1e3);
            server.stop("")?;
        }
    }
    let times = programs.iter().zip(times);
    Ok(times.map(|(&(name, _), times)| (name, Spread::from_figures(times.into_iter()))).collect())
}

pub(super) fn figures(times: &[(&'static str, Spread)]) -> impl Iterator<Item = Figure> {
    let goals = &[GOAL, STRETCH];
    times
        .iter()
        .flat_map(|(name, times)| Figure::of_program(name, "restart to first token, ms", goals, times))
}
