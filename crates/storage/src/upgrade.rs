//! The migrations that a start of this program would apply.

use crate::migrations::{known, refuse_newer};
use crate::open_error::OpenError;
use crate::store_copy::StorePlace;

/// The schema of a store and its missing migrations.
#[derive(Debug)]
pub struct Upgrade {
    /// The file, or host, port and name.
    pub store: String,
    /// The schema version of the store. `None` if the store has never been used.
    pub found: Option<i64>,
    /// The schema version of this program.
    pub known: i64,
    /// The migrations that a start applies, in order.
    pub pending: Vec<(i64, String)>,
}

impl Upgrade {
    /// From this schema on, a version can run at the same time as the previous version. Earlier versions
    /// publish a new key under its number, while this version signs with its thumbprint as `kid`. Earlier
    /// versions also cannot read hashes with a tenant's key.
    pub const BESIDE: i64 = 51;

    /// Inspects the store without changing it.
    ///
    /// # Errors
    /// [`OpenError`], also if the schema is newer than this program.
    pub async fn from_place(place: &StorePlace) -> Result<Self, OpenError> {
        let store = place.shown()?;
        let (migrator, found) = place.schema().await?;
        refuse_newer(migrator, &store, found)?;
        let missing = migrator.iter().filter(|migration| Some(migration.version) > found);
        let pending =
            missing.map(|migration| (migration.version, migration.description.to_string())).collect();
        Ok(Self { store, found, known: known(migrator), pending })
    }

    /// Whether running programs with the store's current schema can continue next to this program.
    #[must_use]
    pub fn runs_beside(&self) -> bool {
        self.found.is_none_or(|found| found >= Self::BESIDE)
    }
}
