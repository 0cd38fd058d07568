//! Who sends a request: the client, its certificate, its proofs, and the caller of the admin API.

mod authentication_outcome;
mod authorization;
mod certificate_sources;
mod client_authentication;
mod client_certificate_header;
mod presented_certificates;
mod proof_outcome;
mod sender;

pub(crate) use authentication_outcome::{AttemptedAuthentication, AuthenticationOutcome};
pub(crate) use authorization::{AdminAccess, BearerAccess, RequiredPermission};
pub use certificate_sources::CertificateSources;
pub(crate) use certificate_sources::ChainResult;
pub(crate) use client_authentication::authenticate_client;
pub(crate) use client_certificate_header::HeaderError;
pub use client_certificate_header::{CertificateFormat, CertificateHeader};
pub use presented_certificates::{PresentedCertificates, PresentedCertificatesError};
pub(crate) use proof_outcome::ProofOutcome;
