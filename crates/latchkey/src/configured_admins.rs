//! The administrators who may sign in at `/flow/execute`, from the settings to the check of their passwords.

use std::mem::take;

use registry::{DeclaredUser, HashedUsers};
use secrets::OutOfMemory;
use tokio::task::spawn_blocking;

use crate::settings::Loaded;

/// The declared administrators of a configuration, before they take effect.
#[derive(Debug)]
pub(crate) struct ConfiguredAdmins {
    users: Vec<DeclaredUser>,
    applications: Vec<String>,
}

impl ConfiguredAdmins {
    /// Takes the administrators out of the settings, because the store does not hold them.
    pub(crate) fn take(loaded: &mut Loaded) -> Self {
        Self { users: take(&mut loaded.admins), applications: take(&mut loaded.admin_applications) }
    }

    /// Hashes the passwords, each for 11 ms, outside the threads that serve requests.
    pub(crate) async fn hashed(self) -> Result<HashedUsers, OutOfMemory> {
        let Self { users, applications } = self;
        spawn_blocking(move || HashedUsers::of(&users, applications)).await.unwrap_or(Err(OutOfMemory))
    }
}
