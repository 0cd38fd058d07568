//! The changes that a start of this program would make to the schema of a store.

use crate::migrations::{known, refuse_newer};
use crate::open_error::OpenError;
use crate::store_copy::StorePlace;

/// A schema, and what is missing of it.
#[derive(Debug)]
pub struct Upgrade {
    /// The file, or host, port and name.
    pub store: String,
    /// The schema of the store; nothing where no program has begun on it.
    pub found: Option<i64>,
    /// The schema of this program.
    pub known: i64,
    /// The migrations that a start applies, in their order.
    pub pending: Vec<(i64, String)>,
}

impl Upgrade {
    /// From this schema on, each version of the program can run beside the one before it. Earlier programs
    /// publish a new key under its number, while this one signs under its thumbprint. They also cannot read
    /// hashes under a tenant's key.
    pub const BESIDE: i64 = 51;

    /// Inspects the store without changing it.
    ///
    /// # Errors
    /// [`OpenError`], also when the schema is newer than this program.
    pub async fn from_place(place: &StorePlace) -> Result<Self, OpenError> {
        let store = place.shown()?;
        let (migrator, found) = place.schema().await?;
        refuse_newer(migrator, &store, found)?;
        let missing = migrator.iter().filter(|migration| Some(migration.version) > found);
        let pending =
            missing.map(|migration| (migration.version, migration.description.to_string())).collect();
        Ok(Self { store, found, known: known(migrator), pending })
    }

    /// Whether programs that run on the present schema can continue beside this one.
    #[must_use]
    pub fn runs_beside(&self) -> bool {
        self.found.is_none_or(|found| found >= Self::BESIDE)
    }
}
