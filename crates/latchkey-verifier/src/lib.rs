//! Verifies access tokens offline (RFC 9068).
#![doc = include_str!("../README.md")]

mod algorithm;
mod check;
mod reason;
mod token_error;

mod claims;
mod confirmation;
mod http_uri;
mod jws;
mod key_numbers;
mod key_set;
mod media_type;
mod members;

mod cache_control;
mod cached;
mod clock;
mod http;
mod issuer;
mod issuers;
mod metadata;
mod observer;
mod schedule;
mod service_url;

mod feed;
mod introspection;
mod opaque_tokens;
mod revocations;

mod remembered;

mod dpop_proof;
mod replay;
mod sender;

mod builder;
mod caller;
mod refusal;
mod request;
mod requests;
mod verifier;

mod bearer;

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "axum", feature = "tower"))]
mod http_request;
#[cfg(feature = "tower")]
mod tower;

pub use algorithm::Algorithm;
pub use bearer::{Bearer, ClientCertificate};
pub use builder::{Builder, ConfigError, Trusted};
pub use caller::Caller;
pub use check::{Check, Trace};
pub use clock::{Clock, Moment};
pub use confirmation::Thumbprint;
pub use dpop_proof::ProofError;
pub use introspection::Introspection;
pub use key_set::{InvalidKeySet, KeySet, UnusableKey};
pub use observer::{Accepted, Document, Fetched, Observer};
pub use reason::{Reason, SenderError};
pub use refusal::Refusal;
pub use replay::{FirstUse, GuardUnavailable, ReplayGuard};
pub use request::RequestFacts;
pub use revocations::Revocations;
pub use token_error::TokenError;
#[cfg(feature = "tower")]
pub use tower::{Verified, VerifyLayer};
pub use verifier::Verifier;
