//! Facts that handlers note about the current request, for its log line and the metrics.

use std::cell::RefCell;
use std::sync::Arc;

use administration::audit::refusals::RefusalBuffer;
use administration::audit::usage::{Counter, UsageCounts};
use keys::KeyAlgorithm;
use protocol::{ErrorCode, RefusalReason};
use registry::ClientId;
use secrets::CallerAddress;
use tenancy::TenantId;
use tokio::task_local;
use values::Timestamp;

use super::request_id::RequestId;
use crate::authentication::{AttemptedAuthentication, ProofOutcome};

task_local! {
    /// The fields of the current request.
    pub(crate) static FIELDS: RefCell<RequestLogFields>;
}

/// Does nothing outside a request.
pub(crate) fn note(note: impl FnOnce(&mut RequestLogFields)) {
    let _ = FIELDS.try_with(|fields| note(&mut fields.borrow_mut()));
}

/// The identifier that the response contains.
pub(crate) fn request_id() -> Option<String> {
    let name =
        |fields: &RefCell<RequestLogFields>| fields.borrow().request_id.map(|id| id.as_str().to_owned());
    FIELDS.try_with(name).ok().flatten()
}

/// Whether a credential of the request was checked.
pub(crate) fn has_attempted_authentication() -> bool {
    FIELDS.try_with(|fields| fields.borrow().authentication.is_some()).unwrap_or_default()
}

#[derive(Default)]
pub(crate) struct RequestLogFields {
    /// The identifier in the response.
    pub(crate) request_id: Option<RequestId>,
    pub(crate) tenant: Option<TenantId>,
    /// Only if the client is registered. Another identifier may be anything, even a secret in the
    /// wrong field.
    pub(crate) client: Option<ClientId>,
    /// Whether the request has not proven to come from the client, as at a page or for a public
    /// client.
    pub(crate) is_client_unproven: bool,
    /// The algorithm of the token in the response.
    pub(crate) signed: Option<KeyAlgorithm>,
    pub(crate) authentication: Option<AttemptedAuthentication>,
    pub(crate) proof: Option<ProofOutcome>,
    /// Whether the token in the response is bound to a DPoP key.
    pub(crate) is_dpop_bound: bool,
    /// Counts the request for its tenant.
    pub(crate) observer: Option<RequestObserver>,
    /// The event to count if the request is not refused.
    pub(crate) happened: Option<Counter>,
    /// The error code of a response without an error status, such as a redirect.
    pub(crate) error: Option<ErrorCode>,
    /// The reason of such a refusal.
    pub(crate) reason: Option<RefusalReason>,
}

/// Counts a request, and stores a refused request for the administrators.
pub(crate) struct RequestObserver {
    pub(crate) usage: Arc<UsageCounts>,
    pub(crate) refusals: Arc<RefusalBuffer>,
    pub(crate) source: CallerAddress,
    pub(crate) now: Timestamp,
}
