//! What is asked of other services: key-encryption keys that never leave HashiCorp Vault or AWS KMS. In reading order:
//!
//! Where these services are is the operator's own word, from the same file as everything else that he decides. So the rule that
//! nothing may be fetched from private addresses, which is for addresses that tenants or clients name, does not hold here: Vault
//! usually has a private address. No answer may send us elsewhere, though: redirects are not followed.
//!
//! An error names the service and says what it answered, and holds no token, no key and nothing that was sealed. What the libraries
//! log of a request is dropped; they also keep copies of a data key in memory that they do not wipe.

mod options_error;
mod service_address;
mod service_error;

mod data_key;

mod kms;
mod vault;

#[cfg(test)]
mod mock_server;

pub use kms::{AwsKms, KmsOptions};
pub use options_error::OptionsError;
pub use vault::{ReadFile, VaultOptions, VaultToken, VaultTransit};
