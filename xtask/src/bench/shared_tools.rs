//! What all workloads of a run have in common.

use std::path::PathBuf;

use super::BenchOptions;
use super::certificate::Certificate;
use super::program::Program;
use super::proofs::Proofs;
use crate::workspace::Workspace;

/// The parts that all workloads of a run share.
pub(super) struct Tools<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) options: &'a BenchOptions,
    /// Named as in the tables; the bare handler is the first.
    pub(super) programs: Vec<(&'static str, Program<'a>)>,
    pub(super) raw_signs: PathBuf,
    pub(super) resumption_load: PathBuf,
    pub(super) proofs: PathBuf,
    pub(super) certificate: Certificate,
    pub(super) folder: PathBuf,
}

impl Tools<'_> {
    pub(super) fn proofs(&self) -> Proofs<'_> {
        Proofs { workspace: self.workspace, program: &self.proofs }
    }
}
