//! Mock servers of Vault, AWS KMS and AWS Secrets Manager: they speak the protocols over real sockets, seal
//! with real AES-256-GCM and authenticate callers. Their behaviour follows the documentation and sources of
//! the real services; it was not compared with running ones. The tests of the whole program include these
//! files, so no crate exports them and no program contains them.

mod aws_secrets;
mod aws_signature;
mod http;
mod kms;
mod log;
mod sealing;
mod vault;
mod vault_kv;

pub(crate) use aws_secrets::AwsSecrets;
pub(crate) use aws_signature::{ACCESS_KEY, SECRET_KEY};
pub(crate) use http::{MockRequest, MockServer, Reply, tls};
pub(crate) use kms::KmsKeys;
pub(crate) use log::Log;
pub(crate) use vault::{TOKEN, VaultKeys};
pub(crate) use vault_kv::{KvSecrets, ROLE, ROLE_SECRET, SERVICE_ACCOUNT};
