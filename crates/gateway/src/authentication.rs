//! Who sends a request: the client, its certificate, its proofs, and the caller of the admin API.

pub(crate) mod authentication_outcome;
pub(crate) mod authorization;
pub(crate) mod certificate_sources;
pub(crate) mod client_authentication;
pub(crate) mod client_certificate_header;
pub(crate) mod presented_certificates;
pub(crate) mod proof_outcome;
pub(crate) mod sender;
