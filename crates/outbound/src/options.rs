//! The operator's settings of a key service. They are the same in every build, also in a build without the
//! service.

use std::io;
use std::path::{Path, PathBuf};

use values::Secret;
use zeroize::Zeroizing;

#[derive(Clone, Debug, Default)]
pub struct KmsOptions {
    /// The key's ARN or id. Avoid an alias: if it is moved to another key, earlier data keys cannot be
    /// unwrapped.
    pub key_id: String,
    /// By default the region of the ARN or of the environment.
    pub region: Option<String>,
    /// Another address of the same API: a VPC endpoint, or a mock server.
    pub endpoint: Option<String>,
}

#[derive(Debug)]
pub struct VaultOptions {
    /// `https://host:port`, or `http://` on this machine, for example for a Vault agent.
    pub address: String,
    /// The name of the key in the transit engine.
    pub transit_key: String,
    /// Needs only `update` on `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>`. With `create`, Vault would
    /// create a key for a mistyped name. Latchkey does not renew the token.
    pub token: VaultToken,
    /// The mount path of the engine, usually `transit`.
    pub mount: String,
    /// The namespace of Vault Enterprise.
    pub namespace: Option<String>,
    /// The only certificates to trust, in PEM. By default those of the machine.
    pub ca: Option<Vec<u8>>,
}

/// Reads a whole file, or explains why it cannot be read.
pub type ReadFile = fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>;

#[derive(Debug)]
pub enum VaultToken {
    /// A fixed token. The operator must renew it.
    Text(Secret),
    /// A file that a Vault agent writes. It is read again whenever Vault refuses the previous token.
    File { path: PathBuf, read: ReadFile },
}
