//! The load: wrk on its own core sends one request again and again over kept connections.

use std::fs;
use std::path::{Path, PathBuf};

use super::LOAD_CORE;
use super::request::Request;
use crate::workspace::{Doing, Failure, Workspace, read_output};

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
    /// Answers with an error status.
    pub(super) refused: f64,
    /// Failed connections and missing answers.
    pub(super) broken: f64,
    pub(super) requests: f64,
}

impl Load {
    /// Successful answers.
    pub(super) fn answered(&self) -> f64 {
        self.requests - self.refused
    }
}

/// Writes the wrk script that sends this request.
pub(super) fn write_script(request: &Request, folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join("load.lua");
    fs::write(&path, request.script() + REPORT).doing("write the load's script")?;
    Ok(path)
}

/// Runs the load against the server over this many connections for this many seconds.
pub(super) fn apply(
    workspace: &Workspace,
    url: &str,
    script: &Path,
    connections: u32,
    seconds: u32,
) -> Result<Load, Failure> {
    let (connections, duration) = (format!("-c{connections}"), format!("-d{seconds}s"));
    let script = script.to_string_lossy();
    let wrk = ["-c", LOAD_CORE, "wrk", "-t1", &connections, &duration, "-s", &script, url];
    let answer = read_output(&mut workspace.program("taskset", &wrk))?;
    read(&String::from_utf8_lossy(&answer))
}

/// Parses the figure that `text` holds as `name=figure`.
pub(super) fn number(text: &str, name: &str) -> Result<f64, Failure> {
    let figure = text.split_whitespace().filter_map(|word| word.split_once('='));
    let figure = figure.filter(|(key, _)| *key == name).find_map(|(_, figure)| figure.parse().ok());
    figure.ok_or_else(|| Failure::new(format!("no {name}= in the output of a measurement:\n{text}")))
}

fn read(text: &str) -> Result<Load, Failure> {
    Ok(Load {
        p50_ms: number(text, "p50_ms")?,
        p99_ms: number(text, "p99_ms")?,
        refused: number(text, "refused")?,
        broken: number(text, "broken")?,
        requests: number(text, "requests")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_found_among_other_output() {
        let text = "Running 6s test\nrequests=110 refused=10 broken=1 p50_ms=3.800 p99_ms=9.100\n";
        let load = read(text).unwrap();
        assert_eq!((load.answered(), load.broken, load.p99_ms), (100.0, 1.0, 9.1));
        assert!(read("Running 6s test\n").is_err());
    }
}
