//! The administrators who may sign in at `/flow/execute`, from the settings to the check of their passwords.

use anyhow::Context as _;
use registry::{DeclaredUser, HashedUsers};
use secrets::OutOfMemory;
use tokio::task::spawn_blocking;

/// The administrators in the settings, before they take effect.
#[derive(Debug, Default)]
pub struct ConfiguredAdmins {
    /// Their names and passwords.
    pub users: Vec<DeclaredUser>,
    /// The applications that a sign-in may name.
    pub applications: Vec<String>,
}

impl ConfiguredAdmins {
    /// Hashes the passwords, which takes 11 ms each, outside the threads that serve requests.
    pub async fn hashed(self) -> anyhow::Result<HashedUsers> {
        let Self { users, applications } = self;
        let hashed = spawn_blocking(move || HashedUsers::from_declared(users, applications)).await;
        hashed.unwrap_or(Err(OutOfMemory)).context("Latchkey could not hash the administrators' passwords")
    }
}
