//! The proofs of a load, which a program of ours signs: each is accepted once, so each request needs one of its own.

use std::path::Path;

use super::LOAD_CORE;
use crate::workspace::{Failure, Workspace, read_output};

/// What a request proves, and where it does.
#[derive(Clone)]
pub(super) enum Proof {
    /// A client, at the end of the body (RFC 7523 §2.2).
    Assertion,
    /// The key of a token, in the header `DPoP` (RFC 9449 §4): method and URL of the request, and the token if it presents one.
    Dpop { method: &'static str, url: &'static str, token: Option<String> },
}

pub(super) struct Proofs<'a> {
    pub(super) workspace: &'a Workspace,
    /// `crates/gateway/examples/proofs`.
    pub(super) program: &'a Path,
}

impl Proofs<'_> {
    /// New proofs, a line each.
    pub(super) fn sign(&self, proof: &Proof, count: u32) -> Result<String, Failure> {
        let (program, count) = (self.program.to_string_lossy(), count.to_string());
        let mut command = self.workspace.program("taskset", &["-c", LOAD_CORE, &program]);
        match proof {
            Proof::Assertion => command.args(["assertion", &count]),
            Proof::Dpop { method, url, token } => command.args(["dpop", &count, method, url]).args(token),
        };
        Ok(String::from_utf8_lossy(&read_output(&mut command)?).into_owned())
    }
}
