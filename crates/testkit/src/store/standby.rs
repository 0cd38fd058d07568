//! A failover that loses transactions.

use std::path::PathBuf;

use tenancy::History;

use super::blocking::block_on;
use super::{Server, TestStore};

/// A copy of a store that receives no more transactions.
pub struct Standby(PathBuf);

impl TestStore {
    /// A standby with everything that is committed until now. Each standby needs a different name.
    ///
    /// # Panics
    /// If no file can be written.
    #[must_use]
    pub fn standby(&self, name: &str) -> Standby {
        let path = self.folder.path().join(name);
        let copy = sqlx::query("VACUUM INTO $1").bind(path.to_string_lossy().into_owned());
        block_on(async { copy.execute(&self.rows()).await }).expect("a store can be copied");
        Standby(path)
    }

    /// The standby replaces the store for all processes. Everything that was committed since the standby was
    /// created is lost. `is_told` says whether the store gets a new history id.
    ///
    /// # Panics
    /// If the copy cannot be opened.
    pub fn promote(&self, Standby(path): Standby, is_told: bool) {
        let server = block_on(async {
            let server = Server::open(&path).await;
            if is_told {
                let begin = sqlx::query("UPDATE store_history SET incarnation = random()");
                begin.execute(&server.rows).await.expect("a history can begin");
            }
            server
        });
        let before = std::mem::replace(&mut *self.server.lock(), server);
        block_on(async { drop(before) });
    }

    /// The history of the store.
    ///
    /// # Panics
    /// If the store cannot be read.
    #[must_use]
    pub fn history(&self) -> History {
        let history = sqlx::query_scalar("SELECT incarnation FROM store_history");
        History(block_on(async { history.fetch_one(&self.rows()).await }).expect("a store has a history"))
    }
}
