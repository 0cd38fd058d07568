//! The operator's settings of a secret store. They are the same in every build, also in one without the
//! store.

use std::path::PathBuf;

use crate::{ReadFile, VaultToken};

/// The address of a store and how to sign in: one variant for each kind of store.
#[derive(Debug)]
pub enum SecretStoreOptions {
    /// A KV engine, version 2, of HashiCorp Vault or OpenBao.
    Vault(VaultStoreOptions),
    /// AWS Secrets Manager.
    Aws(AwsStoreOptions),
}

/// A KV engine, version 2, of HashiCorp Vault or OpenBao.
#[derive(Debug)]
pub struct VaultStoreOptions {
    /// `https://host:port`, or `http://` on this machine, as for a Vault agent.
    pub address: String,
    /// The mount path of the engine, usually `secret`.
    pub mount: String,
    /// The namespace, if there is one.
    pub namespace: Option<String>,
    /// The only certificates to trust, in PEM; without it, those that the machine trusts.
    pub ca: Option<Vec<u8>>,
    /// How the program signs in. Its policy needs `read` on `<mount>/data/<path>`, and `update` there to
    /// write. To write a new secret it needs `create`, too.
    pub sign_in: VaultSignIn,
}

/// How the program signs in to Vault.
#[derive(Debug)]
pub enum VaultSignIn {
    /// A token. It is not renewed here.
    Token(VaultToken),
    /// The token of the program's Kubernetes service account. This program renews the Vault token of the
    /// sign-in.
    Kubernetes {
        /// The mount path of the method, usually `kubernetes`.
        mount: String,
        role: String,
        /// The file of the service account's token and the function that reads it, at each sign-in.
        token: (PathBuf, ReadFile),
    },
    /// An AppRole. This program renews the Vault token of the sign-in.
    AppRole {
        /// The mount path of the method, usually `approle`.
        mount: String,
        /// The identifier of the role. It is not secret.
        role_id: String,
        /// The secret of the role. A file is read at each sign-in.
        secret_id: VaultToken,
    },
}

/// AWS Secrets Manager of one region. The SDK finds the credentials, like for AWS KMS.
#[derive(Clone, Debug, Default)]
pub struct AwsStoreOptions {
    /// The region; without it, that of the environment.
    pub region: Option<String>,
    /// Another address of the same API: a VPC endpoint, or a mock server.
    pub endpoint: Option<String>,
}
