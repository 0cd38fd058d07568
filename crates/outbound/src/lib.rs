//! Requests to other services: documents at URLs that tenants and clients name, key-encryption keys that
//! never leave HashiCorp Vault or AWS KMS, and client secrets in stores of the operator; and the keyring of
//! the system. In reading order:
//!
//! A URL that a tenant or a client names is fetched through [`Guard`], which allows public addresses and what
//! the operator lists ([`Fetcher`]). So are the keys of signed leak reports ([`ReportKeys`]).
//!
//! Each key service is a cargo feature. The public types are the same in every build; only [`open_vault`] and
//! [`open_aws_kms`] refuse in a build without the service, and no other crate depends on these features.
//! [`open_keyring`] is alike.
//!
//! A [`SecretStore`] is a KV engine of Vault or AWS Secrets Manager, opened by
//! [`open_secret_store`]. It is alike, too.
//!
//! The operator names these services in the configuration. So private addresses are allowed there: Vault
//! usually has one. Redirects are not followed.
//!
//! An error names the service and its answer. It holds no token, no key, no secret and no sealed
//! data. Log events of the libraries are dropped. The libraries keep copies of a data key or a secret
//! in memory that they do not wipe.

// Documents at URLs that tenants and clients name.
mod fetch;
mod fetch_error;
mod guard;
mod lookups;
mod report_keys;

pub use fetch::{Fetched, Fetcher};
pub use fetch_error::FetchError;
pub use guard::{Guard, UnfitUrl};
pub use report_keys::ReportKeys;

// Keys at key services, and in the keyring of the system.
mod key_service;
mod keyring;
mod options;
mod options_error;
mod service;
mod service_url;

pub use key_service::{open_aws_kms, open_vault};
pub use keyring::{Keyring, KeyringError, open_keyring};
pub use options::{KmsOptions, ReadFile, VaultOptions, VaultToken};
pub use options_error::OptionsError;
pub use service::{KeyService, build_hint};
pub use service_url::ServiceUrl;

// Secrets in secret stores.
mod secret_store;

pub use secret_store::{
    AwsStoreOptions, SecretStore, SecretStoreError, SecretStoreOptions, StoredSecret, StoredVersion,
    UnusableSecret, VaultSignIn, VaultStoreOptions, WriteError, open_secret_store,
};

// What the services have in common.
#[cfg(any(feature = "aws-kms", feature = "aws-secrets"))]
mod aws;
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
mod bounded;
#[cfg(any(feature = "aws-kms", feature = "vault"))]
mod service_error;
#[cfg(any(feature = "aws-kms", feature = "aws-secrets", feature = "vault"))]
mod words;

// The key services.
#[cfg(feature = "aws-kms")]
mod kms;
#[cfg(feature = "vault")]
mod vault;

// Mock servers.
#[cfg(test)]
mod mock_server;
