//! The stores that authorizations need.

use std::borrow::Cow;

use accounts::AccountId;
use async_trait::async_trait;
use protocol::{Timestamp, redirect_host};
use registry::ClientId;
use sessions::SessionWrite;
use tenancy::{SessionPolicy, StoreError, TenantId};

use super::{AuthorizationCode, CodeKey, Granted, PushedRequest};
use crate::{FamilyKey, FamilyStep, FoundFamily, NewFamily, RefreshFamily};

/// What a person has allowed a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The person.
    pub account: AccountId,
    /// The client.
    pub client: ClientId,
    /// The scope tokens and single claims, in their order.
    pub scopes: Vec<String>,
    /// The hosts of the redirect URIs that the person has seen.
    pub hosts: Vec<String>,
    /// What the page that asked last called the client. None where a program before this column wrote the row.
    pub client_name: Option<String>,
    /// When.
    pub granted_at: Timestamp,
}

impl Consent {
    /// Whether it allows this a client of this name, at this redirect URI.
    #[must_use]
    pub fn covers(&self, granted: &Granted, redirect_uri: &str, client_name: &str) -> bool {
        let is_known = |permission: Cow<'_, str>| self.scopes.iter().any(|known| *known == permission);
        granted.permissions().all(is_known)
            && self.hosts.iter().any(|host| host == redirect_host(redirect_uri))
            && self.client_name.as_ref().is_none_or(|known| known == client_name)
    }

    /// This and what was allowed before.
    #[must_use]
    pub fn and(self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        let joined = |one: Vec<String>, other: &[String]| {
            let mut all = [one, other.to_vec()].concat();
            all.sort_unstable();
            all.dedup();
            all
        };
        Self { scopes: joined(self.scopes, &before.scopes), hosts: joined(self.hosts, &before.hosts), ..self }
    }

    #[cfg(test)]
    pub(crate) fn of(account: &str, client: &str, scopes: &str, host: &str, at: u64) -> Self {
        Self {
            account: account.parse().unwrap(),
            client: client.parse().unwrap(),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            hosts: vec![host.to_owned()],
            client_name: None,
            granted_at: Timestamp::from_seconds(at),
        }
    }
}

/// A code, and what is written with it.
#[derive(Clone, Copy, Debug)]
pub struct CodeWrite<'a> {
    /// The code.
    pub code: &'a AuthorizationCode,
    /// Its session, where that is new.
    pub session: Option<&'a SessionWrite>,
    /// What the person has allowed just now.
    pub consent: Option<&'a Consent>,
    /// The pushed request that it is for.
    pub pushed: Option<CodeKey>,
}

/// Why a code is not issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeNotIssued {
    /// Another one was issued for its pushed request.
    RequestUsed,
    /// The session that was to go on has ended.
    SessionEnded,
}

/// What a code must be for to be redeemed.
#[derive(Debug)]
pub struct Redemption<'a> {
    /// The code.
    pub key: CodeKey,
    /// The client that redeems it.
    pub client: &'a ClientId,
    /// The redirect URI that its request had.
    pub redirect_uri: &'a str,
    /// The digest of the code verifier, where one was sent.
    pub code_challenge: Option<[u8; 32]>,
    /// The family of refresh tokens that begins with it, if the client gets any.
    pub family: Option<&'a NewFamily>,
}

/// What came of redeeming a code.
#[derive(Debug)]
pub enum Redeemed {
    /// The first use: what the code stands for.
    First(Box<AuthorizationCode>),
    /// It was redeemed before, by the same client, for this person.
    Again(AccountId),
    /// Anything else. Callers cannot distinguish the reasons.
    Refused,
}

/// Keeps pushed requests.
#[async_trait]
pub trait PushedRequestStore: Send + Sync {
    /// Adds a request, unless so many of its client can be opened still. Says whether it was added.
    async fn add_pushed(
        &self,
        tenant: &TenantId,
        request: &PushedRequest,
        most: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Finds a request that is not used up, and whose row is kept still.
    async fn find_pushed(
        &self,
        tenant: &TenantId,
        key: CodeKey,
        now: Timestamp,
    ) -> Result<Option<PushedRequest>, StoreError>;
}

/// Keeps refresh tokens: one row for each family. Families begin with [`AuthorizationStore::redeem_code`], and end with their grant
/// ([`registry::RevocationStore::revoke_people`]).
#[async_trait]
pub trait RefreshFamilyStore: Send + Sync {
    /// Moves a family on, as [`RefreshFamily::step`] does, if it is live. Of steps from one token at the same time, at all replicas, one is
    /// taken. Returns the family after it.
    async fn step_family(
        &self,
        tenant: &TenantId,
        step: &FamilyStep<'_>,
        now: Timestamp,
    ) -> Result<Option<RefreshFamily>, StoreError>;

    /// The family, in any state. The session that it ends with is judged by this policy.
    async fn find_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Result<Option<FoundFamily>, StoreError>;

    /// Notes a use that changes nothing else.
    async fn note_use_of_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        idle_until: Timestamp,
    ) -> Result<(), StoreError>;
}

/// Keeps codes, and what people have allowed.
#[async_trait]
pub trait AuthorizationStore: PushedRequestStore + RefreshFamilyStore {
    /// What this person has allowed this client.
    async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Result<Option<Consent>, StoreError>;

    /// Writes a code, with the session that it comes from where that is new, and what the person has allowed just now: all or nothing.
    /// Uses up the pushed request that it is for: of codes for one request at the same time, at all replicas, one is written.
    async fn write_code(
        &self,
        tenant: &TenantId,
        write: &CodeWrite<'_>,
    ) -> Result<Result<(), CodeNotIssued>, StoreError>;

    /// Uses a code up and begins its family, if it is for this, its session has not ended and its account may still sign in. Of uses at the same time, at all
    /// replicas, one is the first.
    async fn redeem_code(
        &self,
        tenant: &TenantId,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError>;

    /// Ends a code that was used up by a request that gets no token, and the family of its grant. A further use is refused, and is no second use
    /// of a code: nothing was issued that it could end.
    async fn discard_code(
        &self,
        tenant: &TenantId,
        key: CodeKey,
        grant: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
