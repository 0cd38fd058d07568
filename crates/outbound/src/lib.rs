//! Requests to other services: documents at URLs that tenants and clients name, key-encryption keys that never leave HashiCorp Vault or
//! AWS KMS, and client secrets in stores of the operator; and the keyring of the system. In reading order:
//!
//! A URL that a tenant or a client names is fetched through [`Guard`], which allows public addresses and what the operator lists
//! ([`Fetcher`]). So are the keys of signed leak reports ([`ReportKeys`]).
//!
//! Each key service is a cargo feature. The public types are the same in every build; only [`open_vault`] and [`open_aws_kms`] refuse in a
//! build without the service, and no other crate depends on these features. [`open_keyring`] is alike.
//!
//! A [`SecretStore`] is a KV engine of Vault or AWS Secrets Manager, opened by [`open_secret_store`]. It is alike, too.
//!
//! The operator names these services in the configuration. So private addresses are allowed there: Vault usually has one. Redirects are not followed.
//!
//! An error names the service and its answer. It holds no token, no key, no secret and no sealed data. Log events of the libraries are dropped. The
//! libraries keep copies of a data key or a secret in memory that they do not wipe.

mod fetch;
mod guard;
mod lookups;
mod report_keys;

mod key_service;
mod keyring;
mod options;
mod options_error;
mod service_url;

mod secret_store;

#[cfg(any(feature = "aws-kms", feature = "aws-secrets"))]
mod aws;
#[cfg(any(feature = "aws-kms", feature = "vault"))]
mod service_error;
#[cfg(any(feature = "aws-kms", feature = "aws-secrets", feature = "vault"))]
mod words;

#[cfg(feature = "aws-kms")]
mod kms;
#[cfg(feature = "vault")]
mod vault;

#[cfg(test)]
mod mock_server;

pub use fetch::{FetchError, Fetched, Fetcher};
pub use guard::{Guard, UnfitUrl};
pub use key_service::{KeyService, build_hint, open_aws_kms, open_vault};
pub use keyring::{Keyring, KeyringError, open_keyring};
pub use options::{KmsOptions, ReadFile, VaultOptions, VaultToken};
pub use options_error::OptionsError;
pub use report_keys::ReportKeys;
pub use secret_store::{
    AwsStoreOptions, SecretStore, SecretStoreError, SecretStoreOptions, StoredSecret, StoredVersion,
    UnusableSecret, VaultSignIn, VaultStoreOptions, WriteError, open_secret_store,
};
pub use service_url::{ServiceUrl, is_loopback};
