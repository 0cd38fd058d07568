//! Requests to other services: key-encryption keys that never leave HashiCorp Vault or AWS KMS. In reading order:
//!
//! The operator names these services in the configuration. So private addresses are allowed, unlike in URLs that tenants or clients name:
//! Vault usually has one. Redirects are not followed.
//!
//! An error names the service and its answer. It holds no token, no key and no sealed data. Log events of the libraries are dropped. The
//! libraries keep copies of a data key in memory that they do not wipe.

mod options_error;
mod service_error;
mod service_url;

mod data_key;

mod kms;
mod vault;

#[cfg(test)]
mod mock_server;

pub use kms::{AwsKms, KmsOptions};
pub use options_error::OptionsError;
pub use service_url::{ServiceUrl, is_loopback};
pub use vault::{ReadFile, VaultOptions, VaultToken, VaultTransit};
