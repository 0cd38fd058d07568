//! Authorization codes (RFC 6749 §4.1.2).

use std::convert::Infallible;

use accounts::AccountId;
use sessions::SessionId;
use values::{Lifetime, Timestamp};

use super::Granted;
use crate::{Allowed, OneTime, OneTimeContent};

/// How long the row of a code is kept after the code's validity, so that a second use is noticed.
const NOTICED: Lifetime = Lifetime::from_seconds(86_400);

/// What was granted for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The person.
    pub account: AccountId,
    /// The partition of the person's session.
    pub session_slot: u32,
    /// The person's session.
    pub session: SessionId,
    /// The redirect URI of the request.
    pub redirect_uri: String,
    /// The challenge of the request, if it sent one.
    pub code_challenge: Option<[u8; 32]>,
    /// What the person granted. Empty after the use of the code.
    pub granted: Granted,
    /// When it was issued.
    pub created_at: Timestamp,
}

/// What a client proves when it redeems a code.
#[derive(Clone, Debug)]
pub struct CodeProof {
    /// The redirect URI of the authorization request.
    pub redirect_uri: String,
    /// The digest of the code verifier, if the client sent one.
    pub code_challenge: Option<[u8; 32]>,
}

impl OneTimeContent for AuthorizationCode {
    const PURPOSE: &'static str = "latchkey authorization code 1";
    /// "A maximum authorization code lifetime of 10 minutes is RECOMMENDED" (RFC 6749 §4.1.2).
    const LIFETIME: Lifetime = Lifetime::from_seconds(60);
    const KEPT: Lifetime = kept(Self::LIFETIME);

    /// [`AuthorizationCode::MOST_OF_SESSION`] limits them.
    type Limit = ();
    type Note = Infallible;
    type Proof = CodeProof;

    /// Whether it was issued for this redirect URI (RFC 6749 §4.1.3), and has the challenge of this verifier
    /// (RFC 7636 §4.6).
    fn is_proven_by(&self, proof: &CodeProof) -> bool {
        self.redirect_uri == proof.redirect_uri && self.code_challenge == proof.code_challenge
    }

    fn allowed(&self) -> Option<Allowed<'_>> {
        let session = Some((self.session_slot, &self.session));
        Some(Allowed { account: &self.account, session, granted: &self.granted, at: self.created_at })
    }
}

impl AuthorizationCode {
    /// The span in which codes are counted. It begins with a code; the next span begins with the first code
    /// after it.
    pub const SPAN: Lifetime = Lifetime::from_seconds(60);
    /// The largest number of codes that a session may give one client in a span.
    pub const MOST_OF_CLIENT: u32 = 20;
    /// The most codes of a session in the spans of all its clients.
    pub const MOST_OF_SESSION: u32 = 60;
}

impl OneTime<AuthorizationCode> {
    /// Whether a second use has ended its grant.
    pub(crate) fn has_ended(&self) -> bool {
        self.valid_until == Timestamp::from_seconds(0)
    }
}

/// How long the row of a code with this lifetime is kept.
pub(crate) const fn kept(lifetime: Lifetime) -> Lifetime {
    Lifetime::from_seconds(lifetime.seconds() + NOTICED.seconds())
}
