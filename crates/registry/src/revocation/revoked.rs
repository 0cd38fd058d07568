//! What a tenant has revoked, and which tokens that makes invalid: "whatever X was issued at or before second
//! T". A token is not stored, so it is revoked by what it was issued for.

use serde::{Deserialize, Serialize};
use tenancy::RefreshTokenPolicy;
use values::{Lifetime, Timestamp};

use crate::{ClientId, CredentialTag};

/// The longest time for which one grant may yield refresh tokens. The day is for the code before them, and
/// for clocks.
const LONGEST_GRANT: Lifetime = Lifetime::from_seconds(RefreshTokenPolicy::LONGEST.seconds() + 86_400);

/// What has been revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RevokedSubject {
    /// All tokens of the tenant, with its refresh tokens and codes.
    Tenant,
    /// The tokens of a client, with its refresh tokens and codes.
    Client(ClientId),
    /// The access tokens of a client. Replaces too many single revocations, or ends a deleted client, whose
    /// other credentials end anyway.
    AccessTokens(ClientId),
    /// The tokens that a client got with one of its credentials, and the refresh tokens of the same grants.
    Credential(ClientId, CredentialTag),
    /// The tokens that the signing key of this `kid` has signed. The server verifies nothing with the key any
    /// more, so the fact is for verifiers with a copy of it.
    SigningKey(String),
    /// A token of a client, by its `jti`.
    Token(ClientId, String),
    /// All tokens of people: those with a `grant_id`.
    People,
    /// The tokens of what a person granted a client once, by `grant_id`.
    Grant(String),
    /// The tokens of a person's session, by `sid`.
    Session(String),
    /// The tokens of a person. An account ends those of all clients; a pairwise `sub` ends those of the
    /// clients that use it.
    Account(String),
    /// The tokens that a client has of a person.
    Consent(ClientId, String),
}

impl RevokedSubject {
    /// The number of grants, sessions and single tokens of one `sub` that are kept. One more revokes, by one
    /// fact, all access tokens that have this `sub` now, in the place of the oldest. A verifier that knows
    /// the feed alone matches the fact by the same `sub`, so nobody can end the tokens of another person,
    /// however many of their own they end. Consents are kept beside them, because codes and refresh tokens
    /// check them, and a client has one at most.
    pub const MOST_OF_ACCOUNT: u64 = 100;
    /// The number of them that stay then, the latest first: a request that is under way gets no token for a
    /// grant that has just ended.
    pub const LATEST_OF_ACCOUNT: u64 = 50;

    /// Whether it has ended for good: a token that is issued later is invalid, too, such as one of a request
    /// that was under way.
    #[must_use]
    pub const fn ends_for_good(&self) -> bool {
        matches!(self, Self::Grant(_))
    }

    /// How much longer a revocation is kept than access tokens need: until the last refresh token that it
    /// ends has expired.
    #[must_use]
    pub const fn kept_for_grants(&self) -> Lifetime {
        match self {
            Self::Tenant | Self::Client(_) | Self::Credential(..) => LONGEST_GRANT,
            _ => Lifetime::from_seconds(0),
        }
    }

    /// Whether it counts for [`RevokedSubject::MOST_OF_ACCOUNT`], where its `sub` is known.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Grant(_) | Self::Session(_) | Self::Token(..))
    }
}

/// A fact of a tenant: its subject's tokens are invalid if they were issued by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What has been revoked.
    pub subject: RevokedSubject,
    /// Tokens with this `iat` or an earlier one are invalid. A single token is invalid whenever it was
    /// issued.
    pub issued_until: Timestamp,
    /// When the last such access token has expired, also for a verifier whose clock is behind.
    pub expires_at: Timestamp,
}

/// A token that its client revokes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRevocation {
    /// The client that the token was issued to.
    pub client: ClientId,
    /// Its `jti`.
    pub jti: String,
    /// Its `iat`.
    pub issued_at: Timestamp,
    /// Its `exp`.
    pub expires_at: Timestamp,
    /// Its `sub`, if a person has the token. A client's own token has none.
    pub sub: Option<String>,
}

impl TokenRevocation {
    /// The number of revoked tokens of a client itself that are kept; those of a person count for
    /// [`RevokedSubject::MOST_OF_ACCOUNT`]. One more revokes, by one fact, all access tokens that the client
    /// has now: the list stays short, and no revoked token becomes valid again. Refresh tokens stay valid,
    /// because one user of a client could otherwise sign out all others.
    pub const MOST_OF_CLIENT: u64 = 1_000;
}
