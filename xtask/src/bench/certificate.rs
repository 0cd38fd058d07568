//! The certificate of the measured servers, created by the platform's own command: ECDSA with P-256.

use std::path::{Path, PathBuf};

use crate::workspace::{Failure, Workspace, read_output};

pub(super) struct Certificate {
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
}

impl Certificate {
    pub(super) fn make(workspace: &Workspace, platform: &Path, folder: &Path) -> Result<Self, Failure> {
        let made = Self { chain: folder.join("certificate.pem"), key: folder.join("key.pem") };
        let mut command = workspace.program(&platform.to_string_lossy(), &["dev-cert"]);
        command.arg("--certificate").arg(&made.chain).arg("--key").arg(&made.key);
        read_output(&mut command)?;
        Ok(made)
    }
}
