//! The assertions of a load, which a program of ours signs: each is accepted once.

use std::path::Path;

use super::LOAD_CORE;
use crate::workspace::{Failure, Workspace, read_output};

pub(super) struct Assertions<'a> {
    pub(super) workspace: &'a Workspace,
    /// `crates/gateway/examples/assertions`.
    pub(super) program: &'a Path,
}

impl Assertions<'_> {
    /// New assertions, a line each.
    pub(super) fn sign(&self, count: u32) -> Result<String, Failure> {
        let (program, count) = (self.program.to_string_lossy(), count.to_string());
        let mut command = self.workspace.program("taskset", &["-c", LOAD_CORE, &program, &count]);
        Ok(String::from_utf8_lossy(&read_output(&mut command)?).into_owned())
    }
}
