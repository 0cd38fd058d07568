//! The load on its own core: one request again and again, by wrk over persistent connections, or by our own
//! program over new TLS connections.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::LOAD_CORE;
use super::proofs::{Proof, Proofs};
use super::request::Request;
use super::server::Server;
use super::shared_tools::Tools;
use super::workload::Transport;
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
    /// The share of TLS handshakes that resumed a session.
    pub(super) resumed: Option<f64>,
}

impl Load {
    /// Successful answers.
    pub(super) fn answered(&self) -> f64 {
        self.requests - self.refused
    }
}

/// A load that is ready to run against one server.
pub(super) struct Generator {
    /// A program on the load's core, without connections and time.
    arguments: Vec<String>,
    transport: Transport,
    proofs: PathBuf,
}

impl Generator {
    /// Writes what the program of the load reads.
    pub(super) fn new(
        server: &Server,
        request: &Request,
        transport: Transport,
        tools: &Tools<'_>,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let (script, text) = (folder.join("load.lua"), folder.join("request.txt"));
        let proofs = folder.join("proofs.txt");
        fs::write(&script, request.script(&proofs) + REPORT).doing("write the load's script")?;
        fs::write(&text, request.http(server.address())).doing("write the load's request")?;
        let script = script.display().to_string();
        let arguments = match transport {
            Transport::Http => {
                vec!["wrk".to_owned(), "-s".to_owned(), script, url("http", server.address(), request)]
            }
            Transport::Tls => {
                vec!["wrk".to_owned(), "-s".to_owned(), script, url("https", server.tls()?, request)]
            }
            Transport::TlsResumption => {
                let program = tools.resumption_load.display().to_string();
                let certificate = tools.certificate.chain.display().to_string();
                vec![program, server.tls()?.to_string(), certificate, text.display().to_string()]
            }
        };
        Ok(Self { arguments, transport, proofs })
    }

    /// Writes as many new proofs as a load of this length can use up.
    pub(super) fn renew_proofs(
        &self,
        proofs: &Proofs<'_>,
        proof: &Proof,
        seconds: u32,
    ) -> Result<(), Failure> {
        let signed = proofs.for_seconds(proof, seconds)?;
        fs::write(&self.proofs, signed).doing("write the proofs of the load")
    }

    /// Runs the load over this many connections for this many seconds.
    pub(super) fn run(&self, workspace: &Workspace, connections: u32, seconds: u32) -> Result<Load, Failure> {
        let (connections, seconds) = (connections.to_string(), seconds.to_string());
        let mut command = workspace.program("taskset", &["-c", LOAD_CORE]);
        command.args(&self.arguments);
        match self.transport {
            Transport::Http | Transport::Tls => command.args(["-t1", "-c", &connections, "-d", &seconds]),
            Transport::TlsResumption => command.args([&connections, &seconds]),
        };
        read(&String::from_utf8_lossy(&read_output(&mut command)?))
    }
}

fn url(scheme: &str, address: SocketAddr, request: &Request) -> String {
    format!("{scheme}://{address}{}", request.path)
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
        resumed: number(text, "resumed").ok(),
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
        assert_eq!(load.resumed, None);
        let resumed = read("requests=1 refused=0 broken=0 p50_ms=1 p99_ms=1 resumed=0.99").unwrap().resumed;
        assert_eq!(resumed, Some(0.99));
        assert!(read("Running 6s test\n").is_err());
    }
}
