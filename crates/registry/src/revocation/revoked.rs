//! What has been revoked, and which of a tenant's tokens that makes invalid: "whatever X was issued at or before second T". A token is not
//! stored, so it is revoked by what it was issued for.

use protocol::{Lifetime, Timestamp};
use serde::{Deserialize, Serialize};
use tenancy::RefreshTokenPolicy;

use crate::{ClientId, CredentialTag};

/// The longest time in which refresh tokens follow from what was granted once. The day is for the code before them, and for clocks.
const LONGEST_GRANT: Lifetime = Lifetime::from_seconds(RefreshTokenPolicy::LONGEST.seconds() + 86_400);

/// What has been revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RevokedSubject {
    /// All tokens of the tenant, with its refresh tokens and codes.
    Tenant,
    /// The tokens of a client, with its refresh tokens and codes.
    Client(ClientId),
    /// The access tokens of a client, in the place of too many single ones, or because the client is deleted: nothing else of it is used again.
    AccessTokens(ClientId),
    /// The tokens that a client got for one of its credentials, with the refresh tokens that began with it.
    Credential(ClientId, CredentialTag),
    /// The tokens that the signing key of this `kid` has signed. The key verifies nothing any more, so this is for verifiers with a copy of it.
    SigningKey(String),
    /// A token of a client, by its `jti`.
    Token(ClientId, String),
    /// All tokens of people: those with a `grant_id`.
    People,
    /// The tokens of what a person granted a client once, by `grant_id`.
    Grant(String),
    /// The tokens of a person's session, by `sid`.
    Session(String),
    /// The tokens of a person: by the account those of all clients, or by a pairwise `sub` those of the clients that use it.
    Account(String),
    /// The tokens that a client has of a person.
    Consent(ClientId, String),
}

impl RevokedSubject {
    /// How many grants, sessions and single tokens of one `sub` are kept. One more, and all access tokens that have this `sub` now are revoked by
    /// one fact, in the place of the oldest of them, which a verifier that knows the feed alone finds by the same `sub`: nobody ends the tokens of another person, however many of his own he ends. Consents are kept
    /// beside them, because codes and refresh tokens ask for them, and there is one for a client at most.
    pub const MOST_OF_ACCOUNT: u64 = 100;
    /// How many of them stay then, the latest ones: a grant that has just ended issues nothing to a request that is under way.
    pub const LATEST_OF_ACCOUNT: u64 = 50;

    /// Whether it has ended for good: no token of it is valid that is issued later either, such as by a request that was under way.
    #[must_use]
    pub const fn ends_for_good(&self) -> bool {
        matches!(self, Self::Grant(_))
    }

    /// For how much longer than access tokens need it a revocation is kept: until the last refresh token has expired that it ends, too.
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
    /// The last second: tokens with this `iat` or an earlier one are invalid. A single token is invalid whenever it was issued.
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
    /// Its `sub`, where it is a person's; none of a client's own token.
    pub sub: Option<String>,
}

impl TokenRevocation {
    /// How many single tokens of a client itself are kept; those of a person count for [`RevokedSubject::MOST_OF_ACCOUNT`]. One more, and all access tokens that the client has now are revoked in their
    /// place, by one fact: the list stays short, and no revoked token becomes valid again. Refresh tokens stay, because one user of a client
    /// could otherwise sign all others out.
    pub const MOST_OF_CLIENT: u64 = 1_000;
}
