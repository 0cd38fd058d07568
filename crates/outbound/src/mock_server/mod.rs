//! Stand-ins for Vault and AWS KMS: they speak the protocols of these over real sockets, seal with real AES-256-GCM and know who may ask.
//! That the real ones say the same was read in their documentation and sources, not tried. The tests of the whole program include these
//! files as they are, so that no crate offers them and no program contains them.

mod http;
mod kms;
mod log;
mod sealing;
mod vault;

pub(crate) use http::{MockServer, Reply, tls};
pub(crate) use kms::{ACCESS_KEY, KmsKeys, SECRET_KEY};
pub(crate) use log::Log;
pub(crate) use vault::{TOKEN, VaultKeys};
