//! What the files come to once everything that they refer to is read.

use std::path::PathBuf;

use administration::{DeclaredSecret, FileSecret, TenantSettings};

use super::{
    findings::Location,
    sections::{KmsSetting, VaultSetting},
};

/// A tenant's document and what it refers to.
#[derive(Debug)]
pub(crate) struct ResolvedTenant {
    pub(crate) at: Location,
    pub(crate) settings: TenantSettings,
    /// Those of each client, in the order of the clients.
    pub(crate) secrets: Vec<Vec<DeclaredSecret>>,
    /// A key in PEM.
    pub(crate) first_key: Option<protocol::Secret>,
}

/// Where rows are kept.
#[derive(Debug)]
pub(crate) enum StorageLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(FileSecret),
}

/// The keys that seal private keys and the pepper at rest.
#[derive(Debug)]
pub(crate) struct SealingKeys {
    /// The one that seals.
    pub(crate) writing: SealingKeySource,
    /// Those that only open.
    pub(crate) former: Vec<SealingKeySource>,
}

/// Where a key that seals is.
#[derive(Debug)]
pub(crate) enum SealingKeySource {
    /// The file that holds it in base64, or is to hold it: it may be made at the first start.
    File(PathBuf),
    /// The key in base64, from the environment.
    Text(FileSecret),
    /// In Vault: the setting, its path resolved, and what it names as its token.
    Vault { setting: VaultSetting, token: Token },
    /// In AWS KMS.
    AwsKms(KmsSetting),
}

/// A token, or the file that it is read from when the key is opened.
#[derive(Debug)]
pub(crate) enum Token {
    Text(FileSecret),
    File(PathBuf),
}
