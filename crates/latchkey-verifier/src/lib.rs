//! Verifies access tokens offline (RFC 9068).
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod algorithm;
mod check;
mod reason;
mod thumbprint;
mod token_error;

mod base64url;
mod http_uri;
mod jws;
mod key_numbers;
mod key_set;
mod media_type;
mod members;
mod proof_jwt;
mod registered_claims;

pub mod rules;

#[cfg(feature = "verifier")]
mod verifying;

pub use algorithm::Algorithm;
pub use check::{Check, Trace};
pub use key_set::{InvalidKeySet, KeySet, UnusableKey};
pub use reason::{ProofError, Reason, SenderError};
pub use thumbprint::Thumbprint;
pub use token_error::TokenError;
#[cfg(feature = "verifier")]
pub use verifying::*;
