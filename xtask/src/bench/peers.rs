//! Other token servers, which `bench --peers` measures in the rounds of the platform: oidc-provider with its
//! clients in memory, and with its clients in Redis.

mod comparison;
pub(super) mod oidc_provider;
mod plot;

use std::fs;
use std::path::{Path, PathBuf};

use super::LOAD_CORE;
use super::contest::Outcome;
use super::program::Program;
use super::spread::Spread;
use super::workload::Workload;
use crate::clients;
use crate::servers::Redis;
use crate::tools::{self, FOR_PEERS};
use crate::workspace::{Doing, Failure, Workspace};
use comparison::{Figures, Row, Section};
pub(super) use oidc_provider::OidcProvider;

/// Dropping it stops Redis.
pub(super) struct Peers {
    in_memory: OidcProvider,
    in_redis: OidcProvider,
    _redis: Redis,
}

impl Peers {
    /// Installs the peers and starts the servers that they need. Redis runs on the load's core, so that the
    /// peer has its own core like the others.
    pub(super) fn start(workspace: &Workspace, log_folder: &Path) -> Result<Self, Failure> {
        tools::make_ready(workspace, FOR_PEERS)?;
        let folder = clients::install_peers(workspace)?;
        let program = folder.join("oidc_provider.mjs");
        fs::copy(workspace.root.join("xtask/src/bench/peers/oidc_provider.mjs"), &program)
            .doing("copy oidc_provider.mjs")?;
        let node = node(&folder)?;
        let redis = Redis::start(workspace, log_folder)?;
        redis.pin(workspace, LOAD_CORE)?;
        let peer = |redis_url| OidcProvider { node: node.clone(), program: program.clone(), redis_url };
        Ok(Self { in_memory: peer(None), in_redis: peer(Some(redis.url().to_owned())), _redis: redis })
    }

    pub(super) fn programs(&self) -> [(&'static str, Program<'_>); 2] {
        [
            ("oidc-provider, memory", Program::OidcProvider(&self.in_memory)),
            ("oidc-provider, Redis", Program::OidcProvider(&self.in_redis)),
        ]
    }
}

/// The Node that npm selected for this machine.
fn node(folder: &Path) -> Result<PathBuf, Failure> {
    let machines = ["x64", "arm64"].map(|machine| format!("node_modules/node-linux-{machine}/bin/node"));
    let mut programs = machines.iter().map(|program| folder.join(program));
    programs.find(|program| program.exists()).ok_or_else(|| Failure::new("npm has no Node for this machine"))
}

/// Prints the comparison and writes the plot.
pub(super) fn compare(
    outcomes: &[(Workload, Outcome)],
    restarts: &[(&'static str, Spread)],
    plot: Option<&Path>,
) -> Result<(), Failure> {
    let outcomes = outcomes.iter().filter(|(workload, _)| workload.concerns_peers());
    let sections: Vec<_> =
        outcomes.map(|(workload, outcome)| section(*workload, outcome, restarts)).collect();
    println!("\n{}", comparison::markdown(&sections));
    let Some(plot) = plot else { return Ok(()) };
    fs::write(plot, plot::svg(&sections)).doing(format_args!("write {}", plot.display()))
}

/// The medians of one workload, with the first number of connections.
fn section(workload: Workload, outcome: &Outcome, restarts: &[(&'static str, Spread)]) -> Section {
    let Outcome { table, memory, not_served } = outcome;
    // Restarts are measured with RS256. The bare handler, which comes first, generates a new key at each
    // start.
    let restarts = if workload == Workload::Rs256 { restarts.get(1..).unwrap_or_default() } else { &[] };
    let measured = table.contenders.iter().zip(memory).enumerate();
    let measured = measured.map(|(contender, (&server, &[idle_mib, loaded_mib]))| {
        let figures = Figures {
            per_cpu_second: table.of_contender(contender, |sample| sample.per_cpu_second).median(),
            p50_ms: table.of_contender(contender, |sample| sample.load.p50_ms).median(),
            p99_ms: table.of_contender(contender, |sample| sample.load.p99_ms).median(),
            idle_mib,
            loaded_mib,
            restart_ms: restarts.iter().find(|(name, _)| *name == server).map(|(_, times)| times.median()),
        };
        Row { server, figures: Some(figures) }
    });
    let others = not_served.iter().map(|&server| Row { server, figures: None });
    Section { workload: workload.title(), rows: measured.chain(others).collect() }
}
