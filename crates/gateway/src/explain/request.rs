//! A token request to explain.

use administration::documents::ExplainSettings;
use registry::ClientId;
use secrets::CallerAddress;
use tenancy::TenantId;
use values::{Secret, Timestamp};

use crate::TokenServices;

pub(crate) struct ExplainedRequest<'a> {
    pub(crate) services: &'a TokenServices,
    pub(crate) tenant: &'a TenantId,
    pub(crate) client: &'a ClientId,
    pub(crate) settings: &'a ExplainSettings,
    /// The administrator's address, to which failed attempts are counted.
    pub(crate) source: CallerAddress,
    pub(crate) now: Timestamp,
    pub(crate) public_url: &'a str,
    /// Whether the client is limited to the permissions of an API key.
    pub(crate) is_by_key: bool,
}

/// The credentials and proofs that the administrator presents.
pub(crate) struct PresentedParts {
    pub(crate) secret: Option<Secret>,
    pub(crate) assertion: Option<Secret>,
    pub(crate) dpop_proof: Option<Secret>,
    pub(crate) access_token: Option<Secret>,
}
