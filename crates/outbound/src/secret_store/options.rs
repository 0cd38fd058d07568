//! The operator's settings of a secret store. They are the same in every build, also in a build without the
//! store.

use std::path::PathBuf;

use crate::{ReadFile, VaultToken};

/// The address of a store and how to sign in, one variant for each kind of store.
#[derive(Debug)]
pub enum SecretStoreOptions {
    /// A KV engine, version 2, of HashiCorp Vault or OpenBao.
    Vault(VaultStoreOptions),
    Aws(AwsStoreOptions),
}

/// A KV engine, version 2, of HashiCorp Vault or OpenBao.
#[derive(Debug)]
pub struct VaultStoreOptions {
    /// `https://host:port`, or `http://` on this machine, for example for a Vault agent.
    pub address: String,
    /// The mount path of the engine, usually `secret`.
    pub mount: String,
    pub namespace: Option<String>,
    /// The only certificates to trust, in PEM. By default those of the machine.
    pub ca: Option<Vec<u8>>,
    /// The policy needs `read` on `<mount>/data/<path>`, `update` to write, and `create` to write a new
    /// secret.
    pub sign_in: VaultSignIn,
}

#[derive(Debug)]
pub enum VaultSignIn {
    /// A token. Latchkey does not renew it.
    Token(VaultToken),
    /// The token of the Kubernetes service account. Latchkey renews the Vault token that it gets for it.
    Kubernetes {
        /// The mount path of the method, usually `kubernetes`.
        mount: String,
        role: String,
        /// The file of the service account's token, which is read at each sign-in, and the function to read
        /// it.
        token: (PathBuf, ReadFile),
    },
    /// An AppRole. Latchkey renews the Vault token that it gets for it.
    AppRole {
        /// The mount path of the method, usually `approle`.
        mount: String,
        /// Not secret.
        role_id: String,
        /// The secret of the role. A file is read at each sign-in.
        secret_id: VaultToken,
    },
}

/// AWS Secrets Manager in one region. The SDK finds the credentials, as for AWS KMS.
#[derive(Clone, Debug, Default)]
pub struct AwsStoreOptions {
    /// By default the region of the environment.
    pub region: Option<String>,
    /// Another address of the same API: a VPC endpoint, or a mock server.
    pub endpoint: Option<String>,
}
