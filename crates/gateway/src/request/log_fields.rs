//! What handlers note of a request while it is served, for its line in the log and for the numbers.

use std::cell::RefCell;
use std::sync::Arc;

use administration::{Counter, RefusalBuffer, UsageCounts};
use protocol::{ErrorCode, RefusalReason, SigningAlgorithm};
use registry::ClientId;
use secrets::ClientAddress;
use tenancy::TenantId;
use tokio::task_local;
use values::Timestamp;

use super::request_id::RequestId;
use crate::authentication::{AttemptedAuthentication, ProofOutcome};

task_local! {
    /// The fields of the request that is being served.
    pub(crate) static FIELDS: RefCell<RequestLogFields>;
}

/// Notes fields for the line of the request that is being served.
pub(crate) fn note(note: impl FnOnce(&mut RequestLogFields)) {
    let _ = FIELDS.try_with(|fields| note(&mut fields.borrow_mut()));
}

/// The identifier of the request that is being served, as its response has it.
pub(crate) fn request_id() -> Option<String> {
    let name =
        |fields: &RefCell<RequestLogFields>| fields.borrow().request_id.map(|id| id.as_str().to_owned());
    FIELDS.try_with(name).ok().flatten()
}

/// Whether a credential of the request was checked.
pub(crate) fn has_attempted_authentication() -> bool {
    FIELDS.try_with(|fields| fields.borrow().authentication.is_some()).unwrap_or_default()
}

/// The fields of a log line that a handler sets.
#[derive(Default)]
pub(crate) struct RequestLogFields {
    /// The name of the request in its answer.
    pub(crate) request_id: Option<RequestId>,
    pub(crate) tenant: Option<TenantId>,
    /// The client, if it is registered. Another identifier may be anything, even a secret in the wrong field.
    pub(crate) client: Option<ClientId>,
    /// Whether the request names that client without a proof: a page, or a public client.
    pub(crate) is_client_unproven: bool,
    /// The algorithm that signed the token of the response.
    pub(crate) signed: Option<SigningAlgorithm>,
    /// How the client was presented, and what came of it.
    pub(crate) authentication: Option<AttemptedAuthentication>,
    /// The result of the DPoP proof.
    pub(crate) proof: Option<ProofOutcome>,
    /// Whether the token of the response is bound by DPoP.
    pub(crate) is_dpop_bound: bool,
    /// Counts a request of a client or a person to its tenant.
    pub(crate) observer: Option<RequestObserver>,
    /// The event that a request counts as, unless it is refused.
    pub(crate) happened: Option<Counter>,
    /// The code of a refusal in a response without an error status.
    pub(crate) error: Option<ErrorCode>,
    /// The reason of such a refusal.
    pub(crate) reason: Option<RefusalReason>,
}

/// Counts a request, and stores a refused one.
pub(crate) struct RequestObserver {
    pub(crate) usage: Arc<UsageCounts>,
    pub(crate) refusals: Arc<RefusalBuffer>,
    pub(crate) source: ClientAddress,
    pub(crate) now: Timestamp,
}
