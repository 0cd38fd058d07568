//! Access tokens of a service: fetched once, renewed in time, and sent only to the right origins.

#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
// In reading order:

// A source of tokens, which services begin with.
mod source;

pub use source::TokenSource;

// How a source is configured.
mod builder;
mod config_error;
mod environment;
mod request;
mod urls;

pub use builder::Builder;
pub use config_error::ConfigError;
pub use request::Request;

// How the client proves who it is.
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

pub use client_certificate::ClientCertificate;
pub use credential::{Attempt, BoxFuture, CertificatePem, ClientCredential, CredentialError, Presented};
#[cfg(feature = "key-proofs")]
pub use private_key_jwt::PrivateKeyJwt;
pub use secret::Secret;
#[cfg(feature = "key-proofs")]
pub use signing_key::Algorithm;
pub use workload_token::WorkloadToken;

// A cached token, and when it is renewed.
mod entry;
mod schedule;
mod state;

// Requests to the authorization server, and their answers.
mod answer;
mod endpoint;
mod error;
mod exchange;
mod fetch;
mod http_answer;
mod http_clients;
mod token;

pub use error::TokenError;
pub use token::{AccessToken, TokenKind};

// Requests of the service itself, with a token.
mod about_tokens;
mod challenge;
mod delivery;
mod keep_warm;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod observer;
mod send;
mod send_error;
mod status;
#[cfg(feature = "tower")]
mod tower;

pub use challenge::refuses_token;
pub use keep_warm::KeepWarm;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
#[cfg(feature = "reqwest-middleware")]
pub use middleware::AuthorizeMiddleware;
pub use observer::{Fetched, Observer, Outcome, Served};
pub use send::SendWith;
pub use send_error::SendError;
pub use status::Status;
#[cfg(feature = "tower")]
pub use tower::{Authorize, AuthorizeLayer, Once, Repeating, Repeats};

// The clock, and chance.
mod chance;
mod moment;
