//! Requests to other services: documents at URLs that tenants and clients configure, key-encryption keys that
//! never leave HashiCorp Vault or AWS KMS, and client secrets in the operator's secret stores. In addition
//! mail, and the keyring of the system. In reading order:
//!
//! A URL of a tenant or client is fetched with [`Fetcher`] and checked by [`Guard`], which allows public
//! addresses and those that the operator lists. The same applies to the keys of signed leak reports
//! ([`ReportKeys`]).
//!
//! Each key service is a cargo feature. The public types are the same in every build. In a build without a
//! service, only [`open_vault`] or [`open_aws_kms`] fails, so no other crate depends on these features.
//! [`open_keyring`] and [`open_secret_store`] work in the same way. A [`SecretStore`] is a KV engine of Vault
//! or AWS Secrets Manager.
//!
//! The operator configures the addresses of these services, so private addresses are allowed there; Vault
//! usually has one. Redirects are not followed.
//!
//! Errors name the service and its answer. They never contain a token, key, secret or sealed data. Log events
//! of the libraries are dropped. The libraries keep copies of data keys and secrets in memory that they do
//! not zeroize.

// Documents at URLs that tenants and clients configure.
mod fetch;
mod fetch_error;
mod guard;
mod lookups;
mod report_keys;

pub use fetch::{Fetched, Fetcher};
pub use fetch_error::FetchError;
pub use guard::{Guard, UnfitUrl};
pub use report_keys::ReportKeys;

// Key services, and the keyring of the system.
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

// Secret stores.
mod secret_store;

pub use secret_store::{
    AwsStoreOptions, SecretStore, SecretStoreError, SecretStoreOptions, StoredSecret, StoredVersion,
    UnusableSecret, VaultSignIn, VaultStoreOptions, WriteError, open_secret_store,
};

// Mail to people.
mod mail;

pub use mail::{KeepMail, MailAddress, MailError, MailServer, MailUrl, OutgoingMail};

// Code that several services share.
#[cfg(any(feature = "aws-kms", feature = "aws-secrets"))]
mod aws;
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
mod bounded;
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
