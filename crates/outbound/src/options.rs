//! The operator's settings of a key service. They are the same in every build, also in
//! one without the service.

use std::io;
use std::path::{Path, PathBuf};

use values::Secret;
use zeroize::Zeroizing;

/// The key in AWS KMS.
#[derive(Clone, Debug, Default)]
pub struct KmsOptions {
    /// The key's ARN or identifier. An alias may be moved to another key, which cannot
    /// unwrap earlier data keys.
    pub key_id: String,
    /// The region; without it, that of the ARN or of the environment.
    pub region: Option<String>,
    /// Another address of the same API: a VPC endpoint, or a mock server.
    pub endpoint: Option<String>,
}

/// The address of Vault, the key and the token.
#[derive(Debug)]
pub struct VaultOptions {
    /// `https://host:port`, or `http://` on this machine, as for a Vault agent.
    pub address: String,
    /// The name of the key in the transit engine.
    pub transit_key: String,
    /// It needs `update` on `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>` only: with `create`, Vault
    /// would create a key for a mistyped name. This program does not renew it.
    pub token: VaultToken,
    /// The mount path of the engine, usually `transit`.
    pub mount: String,
    /// The namespace of Vault Enterprise, if there is one.
    pub namespace: Option<String>,
    /// The only certificates to trust, in PEM; without it, those that the machine trusts.
    pub ca: Option<Vec<u8>>,
}

/// Reads a whole file, or explains why it is not read.
pub type ReadFile = fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>;

/// The source of the token.
#[derive(Debug)]
pub enum VaultToken {
    /// A fixed token. The operator keeps it alive.
    Text(Secret),
    /// A file that a Vault agent writes. It is read again whenever Vault refuses its previous content.
    File {
        path: PathBuf,
        /// The function that reads it.
        read: ReadFile,
    },
}
