//! The checks of the verifier one by one, for the server that issues the tokens and makes the same checks.
//! This is no public interface, and any version may change it.
#![doc(hidden)]

pub use crate::algorithm::Algorithms;
pub use crate::base64url::BASE64URL;
pub use crate::check::{CheckObserver, Unobserved, ensure};
pub use crate::http_uri::normalized;
pub use crate::jws::{Header, LONGEST_TOKEN, NOT_ALLOWED, NOT_ALLOWED_OF_CLIENT, Parts};
pub use crate::key_set::{PublicKey, documents};
pub use crate::members::{MOST_MEMBERS, Member, Members};
pub use crate::proof_jwt::ProofJwt;
pub use crate::registered_claims::RegisteredClaims;
