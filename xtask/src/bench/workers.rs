//! Two workers on two cores against one worker on one, in RS256 tokens a second. The load needs a separate
//! core beside both. On fewer cores it would take CPU time from the second worker, which the figure measures.

use std::num::NonZero;
use std::thread::available_parallelism;

use super::algorithm::Algorithm;
use super::goals::{Bound, Figure};
use super::load::Generator;
use super::program::Program;
use super::request::Request;
use super::server::Server;
use super::setup::Setup;
use super::shared_tools::Tools;
use super::spread::Spread;
use super::workload::Transport;
use crate::workspace::Failure;

/// Beside the load's core.
const TWO_CORES: &str = "0,2";
const CONNECTIONS: u32 = 64;
const SUBJECT: &str = "two workers on two cores, of one on one";
const GOAL: Bound = Bound::AtLeast(1.9);

pub(super) fn measure(tools: &Tools<'_>, platform: Program<'_>) -> Result<Figure, Failure> {
    let figure = |value| Figure { subject: SUBJECT.to_owned(), bound: Some(GOAL), value };
    if available_parallelism().map_or(1, NonZero::get) < 3 {
        return Ok(figure(Err("needs three cores, one for the load")));
    }
    let one = Setup::new(Algorithm::Rs256, None)?;
    let two = Setup { workers: 2, cores: TWO_CORES, ..Setup::new(Algorithm::Rs256, None)? };
    let [one, two] = [(one, "one worker"), (two, "two workers")].map(|(setup, name)| {
        let folder = tools.folder.join(name);
        let mut server = Server::start(tools.workspace, platform, &setup, &folder)?;
        server.await_token()?;
        let load =
            Generator::new(&server, &Request::token(server.endpoints()), Transport::Http, tools, &folder)?;
        Ok::<_, Failure>((server, load))
    });
    let ((_one_server, one), (_two_server, two)) = (one?, two?);
    let mut ratios = Vec::new();
    for _ in 0..tools.options.rounds {
        let rate = |load: &Generator| load.run(tools.workspace, CONNECTIONS, tools.options.seconds);
        ratios.push(rate(&two)?.answered() / rate(&one)?.answered());
    }
    Ok(figure(Ok(Spread::from_figures(ratios.into_iter()))))
}
