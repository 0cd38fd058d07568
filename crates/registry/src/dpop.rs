//! DPoP proofs (RFC 9449).

mod inspection;
pub(crate) mod nonces;
pub(crate) mod proof;
mod proofs;

pub use inspection::KnownRequest;
pub use proof::{DpopProof, DpopRequest, UnverifiedProof};
pub use proofs::DpopProofs;
