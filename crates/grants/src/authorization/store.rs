//! The stores that authorizations need.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use accounts::AccountId;
use async_trait::async_trait;
use protocol::{Timestamp, redirect_host};
use registry::{Client, ClientId};
use serde::{Deserialize, Serialize};
use sessions::SessionWrite;
use tenancy::{SessionPolicy, Stored, TenantId};

use super::{AuthorizationCode, CodeKey, Granted, MostWaiting, PushedRequest};
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
    /// The client's name on the page of the last consent. None if a program from before this column wrote the
    /// row.
    pub client_name: Option<String>,
    /// The allowed scopes at each API. None if a program from before this column wrote the row. The scopes
    /// then count for the client's own audiences, because the page named no other API.
    pub resources: Option<ConsentedResources>,
    /// When.
    pub granted_at: Timestamp,
}

/// The allowed scopes of each API. A single claim concerns the person, and belongs to no API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsentedResources(pub BTreeMap<String, BTreeSet<String>>);

impl ConsentedResources {
    /// These scopes at each of these APIs.
    pub fn new<'a>(apis: &[String], scopes: impl Iterator<Item = &'a str>) -> Self {
        let scopes: BTreeSet<_> = scopes.map(str::to_owned).collect();
        Self(apis.iter().map(|api| (api.clone(), scopes.clone())).collect())
    }

    fn have(&self, api: &str, granted: &Granted) -> bool {
        self.0.get(api).is_some_and(|scopes| granted.scopes().all(|scope| scopes.contains(scope)))
    }

    fn add(&mut self, others: Self) {
        for (api, scopes) in others.0 {
            self.0.entry(api).or_default().extend(scopes);
        }
    }
}

impl Consent {
    /// Whether the consent covers this grant: the client's name, the redirect URI, and each API that the
    /// tokens are for.
    #[must_use]
    pub fn covers(&self, granted: &Granted, redirect_uri: &str, client: &Client) -> bool {
        let is_known = |permission: Cow<'_, str>| self.scopes.iter().any(|known| *known == permission);
        let is_known_at = |api: &String| match &self.resources {
            Some(resources) => resources.have(api, granted),
            None => client.audiences.contains(api),
        };
        granted.permissions().all(is_known)
            && granted.apis(client).iter().all(is_known_at)
            && self.hosts.iter().any(|host| host == redirect_host(redirect_uri))
            && self.client_name.as_ref().is_none_or(|known| *known == client.name)
    }

    /// This and what the person has allowed the client before.
    #[must_use]
    pub fn and(mut self, before: Option<&Self>, client: &Client) -> Self {
        let Some(before) = before else { return self };
        let known = before.resources.clone().unwrap_or_else(|| {
            ConsentedResources::new(&client.audiences, before.scopes.iter().map(String::as_str))
        });
        self.resources.get_or_insert_default().add(known);
        let joined = |one: Vec<String>, other: &[String]| {
            let mut all = [one, other.to_vec()].concat();
            all.sort_unstable();
            all.dedup();
            all
        };
        Self { scopes: joined(self.scopes, &before.scopes), hosts: joined(self.hosts, &before.hosts), ..self }
    }

    #[cfg(test)]
    pub(crate) fn new(account: &str, client: &str, scopes: &str, host: &str, at: u64) -> Self {
        Self {
            account: account.parse().unwrap(),
            client: client.parse().unwrap(),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            hosts: vec![host.to_owned()],
            client_name: None,
            resources: None,
            granted_at: Timestamp::from_seconds(at),
        }
    }
}

/// A code, and what is written with it.
#[derive(Clone, Copy, Debug)]
pub struct CodeWrite<'a> {
    /// The code.
    pub code: &'a AuthorizationCode,
    /// The session, if it is new.
    pub session: Option<&'a SessionWrite>,
    /// The consent, if the person has just given it.
    pub consent: Option<&'a Consent>,
    /// The pushed request that it is for.
    pub pushed: Option<CodeKey>,
}

/// Why a code is not issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeNotIssued {
    /// Another code was issued for the pushed request.
    RequestUsed,
    /// The session has ended.
    SessionEnded,
    /// The session has given this client, or all clients, as many codes as it may in a minute.
    TooMany,
}

/// The conditions under which a code is redeemed.
#[derive(Debug)]
pub struct Redemption<'a> {
    /// The code.
    pub key: CodeKey,
    /// The client that redeems it.
    pub client: &'a ClientId,
    /// The redirect URI of the authorization request.
    pub redirect_uri: &'a str,
    /// The digest of the code verifier, if the client sent one.
    pub code_challenge: Option<[u8; 32]>,
    /// The family of refresh tokens that begins with it, if the client gets any.
    pub family: Option<&'a NewFamily>,
}

/// The result of redeeming a code.
#[derive(Debug)]
pub enum Redeemed {
    /// The first use, with what the code stands for.
    First(Box<AuthorizationCode>),
    /// It was redeemed before, by the same client, for this person.
    Again(AccountId),
    /// Anything else. Callers cannot distinguish the reasons.
    Refused,
}

/// Keeps pushed requests.
#[async_trait]
pub trait PushedRequestStore: Send + Sync {
    /// Adds a request, unless too many waiting requests of its client, its address or its site exist. Returns
    /// whether it was added.
    async fn add_pushed(
        &self,
        tenant: &TenantId,
        request: &PushedRequest,
        most: MostWaiting,
        now: Timestamp,
    ) -> Stored<bool>;

    /// Notes that the page of a request was opened. Rows without this note end soon after the time in which
    /// the page could be opened.
    async fn note_opened(&self, tenant: &TenantId, key: CodeKey, now: Timestamp) -> Stored<()>;

    /// Finds a request that is not used up and whose row still exists.
    async fn find_pushed(
        &self,
        tenant: &TenantId,
        key: CodeKey,
        now: Timestamp,
    ) -> Stored<Option<PushedRequest>>;
}

/// Stores refresh tokens: one row for each family. Families begin with [`AuthorizationStore::redeem_code`],
/// and end with their grant ([`registry::RevocationStore::revoke_people`]).
#[async_trait]
pub trait RefreshFamilyStore: Send + Sync {
    /// Takes a step of a live family, as [`RefreshFamily::step`] decides. One of several concurrent steps
    /// from one token succeeds, at all replicas together. Returns the family after the step.
    async fn step_family(
        &self,
        tenant: &TenantId,
        step: &FamilyStep<'_>,
        now: Timestamp,
    ) -> Stored<Option<RefreshFamily>>;

    /// The family, in any state. The policy decides whether the session of the family still lasts.
    async fn find_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Stored<Option<FoundFamily>>;

    /// Notes a use that changes nothing else.
    async fn note_use_of_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        idle_until: Timestamp,
    ) -> Stored<()>;
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
    ) -> Stored<Option<Consent>>;

    /// Writes a code, a new session, and the consent that was just given: all or nothing. Uses up the pushed
    /// request. One of several concurrent codes for one request is written, at all replicas together. Writes
    /// nothing over the limits of a session ([`AuthorizationCode::MOST_OF_CLIENT`],
    /// [`AuthorizationCode::MOST_OF_SESSION`]).
    async fn write_code(&self, tenant: &TenantId, write: &CodeWrite<'_>)
    -> Stored<Result<(), CodeNotIssued>>;

    /// Uses up a code and begins its family, if the redemption fits the code, the session has not ended and
    /// the account may still sign in. One of several concurrent uses is the first, at all replicas together.
    async fn redeem_code(
        &self,
        tenant: &TenantId,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Stored<Redeemed>;

    /// Ends the code and the family of its grant, after a request that used up the code gets no token. A
    /// further use is refused. It is no second use of the code, because no token exists that it could end.
    async fn discard_code(&self, tenant: &TenantId, key: CodeKey, grant: &str, now: Timestamp) -> Stored<()>;
}
