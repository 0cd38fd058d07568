//! The proofs of a load, which our own program signs. Each is accepted once, so each request needs a new one.

use std::net::SocketAddr;
use std::path::Path;

use super::LOAD_CORE;
use super::endpoints::Endpoints;
use crate::workspace::{Failure, Workspace, read_output};

/// More than a core verifies.
const SIGNATURES_A_SECOND: u32 = 25_000;
/// More than a core redeems.
const CODES_A_SECOND: u32 = 4_000;
/// More than there are connections.
const REFRESHED_AT_ONCE: u32 = 300;

/// The subject and the place of a proof.
#[derive(Clone)]
pub(super) enum Proof {
    /// An assertion of the client, at the end of the body (RFC 7523 §2.2).
    Assertion,
    /// An assertion of another issuer, at the end of the body.
    Workload,
    /// A proof of a token's key, in the header `DPoP` (RFC 9449 §4): method and URL of the request, and the
    /// token if the request presents one.
    Dpop { method: &'static str, url: &'static str, token: Option<String> },
    /// A code of a person who signed in, at the end of the body. The server issues it to a browser with these
    /// cookies (RFC 6749 §4.1.3).
    Code(Browser),
    /// A refresh token at the end of the body. The answer has the next one.
    RefreshToken(Browser),
}

/// A browser in which a person has signed in.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) server: SocketAddr,
    pub(super) endpoints: Endpoints,
    pub(super) cookies: String,
}

pub(super) struct Proofs<'a> {
    pub(super) workspace: &'a Workspace,
    /// `crates/gateway/examples/proofs`.
    pub(super) program: &'a Path,
}

impl Proofs<'_> {
    /// As many new proofs as a load of this length can use up, one for each line.
    pub(super) fn for_seconds(&self, proof: &Proof, seconds: u32) -> Result<String, Failure> {
        let a_second = match proof {
            Proof::Assertion | Proof::Workload | Proof::Dpop { .. } => SIGNATURES_A_SECOND,
            Proof::Code(_) => CODES_A_SECOND,
            Proof::RefreshToken(_) => return self.sign(proof, REFRESHED_AT_ONCE),
        };
        self.sign(proof, seconds * a_second)
    }

    /// New proofs, a line each.
    pub(super) fn sign(&self, proof: &Proof, count: u32) -> Result<String, Failure> {
        let (program, amount) = (self.program.to_string_lossy(), count);
        let count = count.to_string();
        let mut command = self.workspace.program("taskset", &["-c", LOAD_CORE, &program]);
        match proof {
            Proof::Assertion => command.args(["assertion", &count]),
            Proof::Workload => command.args(["workload", &count]),
            Proof::Dpop { method, url, token } => command.args(["dpop", &count, method, url]).args(token),
            Proof::Code(browser) => return browser.codes(amount),
            Proof::RefreshToken(browser) => return browser.refresh_tokens(amount),
        };
        Ok(String::from_utf8_lossy(&read_output(&mut command)?).into_owned())
    }
}
