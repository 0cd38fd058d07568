//! What a tenant can revoke. Tokens are not stored, so a revocation says "all tokens of X that were issued at
//! or before second T".

use serde::{Deserialize, Serialize};
use tenancy::RefreshTokenPolicy;
use values::{Lifetime, Timestamp};

use crate::{ClientId, CredentialTag};

/// The longest time for which a grant can have refresh tokens. The additional day covers the code before them
/// and differences of clocks.
const LONGEST_GRANT: Lifetime = Lifetime::from_seconds(RefreshTokenPolicy::LONGEST.seconds() + 86_400);

/// The tokens that a revocation applies to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RevokedSubject {
    /// All tokens of the tenant, with its refresh tokens and codes.
    Tenant,
    /// The tokens of a client, with its refresh tokens and codes.
    Client(ClientId),
    /// The access tokens of a client. Replaces too many single revocations, or revokes the tokens of a
    /// deleted client, whose other credentials are deleted anyway.
    AccessTokens(ClientId),
    /// The tokens that a client got with one of its credentials, and the refresh tokens of the same grants.
    Credential(ClientId, CredentialTag),
    /// The tokens signed with the key `kid`. The server does not use the key any more; the fact is for
    /// verifiers with a copy of the key.
    SigningKey(String),
    /// A single token of a client, by `jti`.
    Token(ClientId, String),
    /// All tokens of people, which have a `grant_id`.
    People,
    /// The tokens of one grant of a person to a client, by `grant_id`.
    Grant(String),
    /// The tokens of a person's session, by `sid`.
    Session(String),
    /// The tokens of a person. An account revokes the tokens of all clients; a pairwise `sub` revokes the
    /// tokens of the clients that use this `sub`.
    Account(String),
    /// The tokens of a person at one client.
    Consent(ClientId, String),
}

impl RevokedSubject {
    /// The maximum number of revoked grants, sessions and single tokens of one `sub`. If there is one more, a
    /// single fact replaces the oldest and revokes all current access tokens with this `sub`. A verifier
    /// compares the `sub` as well, so people who revoke many of their own tokens cannot revoke tokens of
    /// other people. Consents do not count: codes and refresh tokens check them, and there is at most one for
    /// each client.
    pub const MOST_OF_ACCOUNT: u64 = 100;
    /// The number of revocations that stay when a fact replaces the others, the latest first. So a running
    /// request gets no token for a grant that was just revoked.
    pub const LATEST_OF_ACCOUNT: u64 = 50;

    /// Whether the revocation also applies to tokens that are issued later, for example by a running request.
    #[must_use]
    pub const fn ends_for_good(&self) -> bool {
        matches!(self, Self::Grant(_))
    }

    /// How much longer a revocation is kept than access tokens require: until the last affected refresh token
    /// has expired.
    #[must_use]
    pub const fn kept_for_grants(&self) -> Lifetime {
        match self {
            Self::Tenant | Self::Client(_) | Self::Credential(..) => LONGEST_GRANT,
            _ => Lifetime::from_seconds(0),
        }
    }

    /// Whether a revocation counts towards [`RevokedSubject::MOST_OF_ACCOUNT`], if its `sub` is known.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Grant(_) | Self::Session(_) | Self::Token(..))
    }
}

/// A revocation: the subject's tokens are invalid if they were issued at or before `issued_until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub subject: RevokedSubject,
    /// Tokens with this `iat` or an earlier one are invalid. A single token is always invalid.
    pub issued_until: Timestamp,
    /// When the last affected access token has expired, also for a verifier with a slow clock.
    pub expires_at: Timestamp,
}

/// A request of a client to revoke one of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRevocation {
    /// The client that the token was issued to.
    pub client: ClientId,
    pub jti: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// `sub` of a person's token. `None` for a client's own token.
    pub sub: Option<String>,
}

impl TokenRevocation {
    /// The maximum number of revoked tokens of a client itself; tokens of people count towards
    /// [`RevokedSubject::MOST_OF_ACCOUNT`]. If there is one more, a single fact revokes all current access
    /// tokens of the client, so that the list stays short and no revoked token becomes valid again. Refresh
    /// tokens stay valid, because otherwise one user of a client could sign out all others.
    pub const MOST_OF_CLIENT: u64 = 1_000;
}
