//! A token request that is to be explained.

use administration::ExplainSettings;
use registry::ClientId;
use secrets::ClientAddress;
use tenancy::TenantId;
use values::{Secret, Timestamp};

use crate::TokenServices;

/// A request that an administrator wants explained.
pub(crate) struct ExplainedRequest<'a> {
    pub(crate) services: &'a TokenServices,
    pub(crate) tenant: &'a TenantId,
    pub(crate) client: &'a ClientId,
    pub(crate) settings: &'a ExplainSettings,
    /// The source by which a failed attempt is counted: the administrator's.
    pub(crate) source: ClientAddress,
    pub(crate) now: Timestamp,
    pub(crate) public_url: &'a str,
    /// Whether an API key narrows what the client may.
    pub(crate) is_by_key: bool,
}

/// The parts of the request that are presented, taken out of its settings.
pub(crate) struct PresentedParts {
    pub(crate) secret: Option<Secret>,
    pub(crate) assertion: Option<Secret>,
    pub(crate) dpop_proof: Option<Secret>,
    pub(crate) access_token: Option<Secret>,
}
