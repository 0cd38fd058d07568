//! Authorization codes (RFC 6749 §4.1.2).

use std::convert::Infallible;

use accounts::AccountId;
use sessions::SessionId;
use values::{Lifetime, Timestamp};

use super::Granted;
use crate::{Allowed, OneTime, OneTimeContent};

/// The server keeps the row of an expired code for a day, so that it notices a second use.
const NOTICED: Lifetime = Lifetime::from_seconds(86_400);

/// A code, with the grant that it can be exchanged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    pub account: AccountId,
    /// The partition of the session's row.
    pub session_slot: u32,
    pub session: SessionId,
    /// Of the authorization request. The token request must repeat it.
    pub redirect_uri: String,
    /// Of the authorization request.
    pub code_challenge: Option<[u8; 32]>,
    /// Empty after the use of the code.
    pub granted: Granted,
    pub created_at: Timestamp,
}

/// The facts that a token request proves.
#[derive(Clone, Debug)]
pub struct CodeProof {
    /// The redirect URI that the token request repeats.
    pub redirect_uri: String,
    /// The digest of the code verifier. `None` if the client sent no verifier.
    pub code_challenge: Option<[u8; 32]>,
}

impl OneTimeContent for AuthorizationCode {
    const PURPOSE: &'static str = "latchkey authorization code 1";
    /// "A maximum authorization code lifetime of 10 minutes is RECOMMENDED" (RFC 6749 §4.1.2).
    const LIFETIME: Lifetime = Lifetime::from_seconds(60);
    const KEPT: Lifetime = kept(Self::LIFETIME);

    /// [`AuthorizationCode::MOST_OF_SESSION`] limits codes.
    type Limit = ();
    type Note = Infallible;
    type Proof = CodeProof;

    /// Compares the redirect URI (RFC 6749 §4.1.3) and the code challenge (RFC 7636 §4.6).
    fn is_proven_by(&self, proof: &CodeProof) -> bool {
        self.redirect_uri == proof.redirect_uri && self.code_challenge == proof.code_challenge
    }

    fn allowed(&self) -> Option<Allowed<'_>> {
        let session = Some((self.session_slot, &self.session));
        Some(Allowed { account: &self.account, session, granted: &self.granted, at: self.created_at })
    }
}

impl AuthorizationCode {
    /// The time window of the limits below. The first code opens a window; the first code after the
    /// window opens the next one.
    pub const SPAN: Lifetime = Lifetime::from_seconds(60);
    /// The maximum number of codes for one client of a session in a window.
    pub const MOST_OF_CLIENT: u32 = 20;
    /// The maximum number of codes for all clients of a session in a window.
    pub const MOST_OF_SESSION: u32 = 60;
}

impl OneTime<AuthorizationCode> {
    /// Whether a reuse of the code has ended the grant.
    pub(crate) fn has_ended(&self) -> bool {
        self.valid_until == Timestamp::from_seconds(0)
    }
}

/// How long the row is kept.
pub(crate) const fn kept(lifetime: Lifetime) -> Lifetime {
    Lifetime::from_seconds(lifetime.seconds() + NOTICED.seconds())
}
