//! Access tokens of a service: fetched once, renewed in time, sent where they belong.

#![doc = include_str!("../README.md")]
// In reading order:
mod source;

mod builder;
mod config_error;
mod environment;
mod request;
mod urls;

mod binding;
mod client_certificate;
mod credential;
#[cfg(feature = "key-proofs")]
mod dpop;
#[cfg(feature = "key-proofs")]
mod private_key_jwt;
mod secret;
#[cfg(feature = "key-proofs")]
mod signing_key;
mod workload_token;

mod entry;
mod schedule;
mod state;

mod answer;
mod endpoint;
mod error;
mod exchange;
mod fetch;
mod http_clients;
mod token;

mod about_tokens;
mod delivery;
mod keep_warm;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod observer;
mod send;
mod status;
#[cfg(feature = "tower")]
mod tower;

mod chance;
mod moment;

pub use builder::Builder;
pub use client_certificate::ClientCertificate;
pub use config_error::ConfigError;
pub use credential::{Attempt, BoxFuture, CertificatePem, ClientCredential, CredentialError, Presented};
pub use error::TokenError;
pub use keep_warm::KeepWarm;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
#[cfg(feature = "reqwest-middleware")]
pub use middleware::AuthorizeMiddleware;
pub use observer::{Fetched, Observer, Outcome, Served};
#[cfg(feature = "key-proofs")]
pub use private_key_jwt::PrivateKeyJwt;
pub use request::Request;
pub use secret::Secret;
pub use send::{SendError, SendWith, refuses_token};
#[cfg(feature = "key-proofs")]
pub use signing_key::Algorithm;
pub use source::TokenSource;
pub use status::Status;
pub use token::{AccessToken, TokenKind};
#[cfg(feature = "tower")]
pub use tower::{Authorize, AuthorizeLayer, Once, Repeating, Repeats};
pub use workload_token::WorkloadToken;
