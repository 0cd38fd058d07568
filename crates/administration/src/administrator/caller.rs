//! The caller of an operation: its authority, the time, and the conditions of its request.

use protocol::Timestamp;

use crate::Authority;

/// The caller of an operation. It is built once a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the caller may do, and its name in the audit.
    pub authority: Authority,
    /// The time at which the request is handled.
    pub now: Timestamp,
    /// `If-Match`: the row changes only if it still has this entity tag (RFC 9110 §13.1.1).
    pub if_match: Option<String>,
    /// `Idempotency-Key`: a creation is made once, however often the request is sent.
    pub idempotency: Option<Idempotency>,
}

/// What makes a repeated request the same request.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The value of `Idempotency-Key`.
    pub key: String,
    /// Digest of method, path and body.
    pub request: [u8; 32],
}

impl Caller {
    /// A caller without conditions.
    #[must_use]
    pub const fn new(authority: Authority, now: Timestamp) -> Self {
        Self { authority, now, if_match: None, idempotency: None }
    }

    /// The platform itself, for what is due by the clock alone.
    pub(crate) fn itself(now: Timestamp) -> Self {
        Self::new(Authority::itself(), now)
    }
}
