//! Mock servers of Vault and AWS KMS: they speak the protocols over real sockets, seal with real AES-256-GCM and
//! authenticate callers. Their behaviour follows the documentation and sources of the real services; it was not
//! compared with running ones. The tests of the whole program include these files, so no crate exports them and no
//! program contains them.

mod http;
mod kms;
mod log;
mod sealing;
mod vault;

pub(crate) use http::{MockServer, Reply, Request, tls};
pub(crate) use kms::{ACCESS_KEY, KmsKeys, SECRET_KEY};
pub(crate) use log::Log;
pub(crate) use vault::{TOKEN, VaultKeys};
