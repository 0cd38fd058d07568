//! The load on its own core: one request again and again, by wrk over persistent connections.

use std::fs;
use std::path::{Path, PathBuf};

use super::LOAD_CORE;
use super::request::Request;
use super::server::Server;
use crate::workspace::{Doing, Failure, Workspace, read_text};

/// Prints the figures on one line.
const REPORT: &str = r#"function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format("requests=%d refused=%d broken=%d p50_ms=%.3f p99_ms=%.3f",
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"#;

/// The load's figures of one round.
#[cfg_attr(test, derive(Default))]
pub(super) struct Load {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Successful answers.
    pub(super) answered: f64,
    /// Answers with an error status, failed connections and missing answers.
    pub(super) lost: f64,
}

/// A load that is ready to run against one server.
pub(super) struct Generator {
    script: PathBuf,
    url: String,
}

impl Generator {
    /// Writes what wrk reads.
    pub(super) fn new(server: &Server, request: &Request, folder: &Path) -> Result<Self, Failure> {
        let script = folder.join("load.lua");
        fs::write(&script, request.script() + REPORT).doing("write the load's script")?;
        Ok(Self { script, url: format!("http://{}{}", server.address, request.path) })
    }

    /// Runs the load over this many connections for this many seconds.
    pub(super) fn run(&self, workspace: &Workspace, connections: u32, seconds: u32) -> Result<Load, Failure> {
        let [connections, seconds] = [connections, seconds].map(|number| number.to_string());
        let wrk = ["-c", LOAD_CORE, "wrk", "-t1", "-c", &connections, "-d", &seconds, "-s"];
        read(&read_text(workspace.program("taskset", &wrk).arg(&self.script).arg(&self.url))?)
    }
}

/// Parses the figure that `text` holds as `name=figure`.
pub(super) fn number(text: &str, name: &str) -> Result<f64, Failure> {
    let figure = text.split_whitespace().filter_map(|word| word.split_once('='));
    let figure = figure.filter(|(key, _)| *key == name).find_map(|(_, figure)| figure.parse().ok());
    figure.ok_or_else(|| Failure::new(format!("no {name}= in the output of a measurement:\n{text}")))
}

fn read(text: &str) -> Result<Load, Failure> {
    let refused = number(text, "refused")?;
    Ok(Load {
        p50_ms: number(text, "p50_ms")?,
        p99_ms: number(text, "p99_ms")?,
        answered: number(text, "requests")? - refused,
        lost: refused + number(text, "broken")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_the_output() {
        let text = "Running 6s test\nrequests=110 refused=10 broken=1 p50_ms=3.800 p99_ms=9.100\n";
        let load = read(text).unwrap();
        assert_eq!((load.answered, load.lost, load.p99_ms), (100.0, 11.0, 9.1));
        assert!(read("Running 6s test\n").is_err());
    }
}
