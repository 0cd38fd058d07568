//! Consent of people, the data that is written with a code, and the store of refresh tokens.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use accounts::AccountId;
use async_trait::async_trait;
use protocol::{find_resource, redirect_host};
use registry::{Client, ClientId};
use serde::{Deserialize, Serialize};
use sessions::SessionWrite;
use tenancy::{SessionPolicy, Stored, TenantId};
use values::Timestamp;

use super::{AuthorizationCode, Granted};
use crate::{FamilyKey, FamilyStep, FoundFamily, OneTime, OneTimeKey, RefreshFamily};

/// What a person allows a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub account: AccountId,
    pub client: ClientId,
    /// Sorted scope tokens, and claims that the client requested individually.
    pub scopes: Vec<String>,
    /// The hosts of the redirect URIs that the consent page showed.
    pub hosts: Vec<String>,
    /// The client's name on the last consent page. `None` in rows of an older program.
    pub client_name: Option<String>,
    /// The allowed scopes at each API. `None` in rows of an older program: the scopes are then
    /// valid for the client's own audiences, because the page named no other API.
    pub resources: Option<ConsentedResources>,
    pub granted_at: Timestamp,
}

/// API → allowed scope tokens. Individual claims are not in the map, because they belong to no API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsentedResources(pub BTreeMap<String, BTreeSet<String>>);

impl ConsentedResources {
    /// The same scopes at each of the APIs.
    pub fn new<'a>(apis: &[String], scopes: impl Iterator<Item = &'a str>) -> Self {
        let scopes: BTreeSet<_> = scopes.map(str::to_owned).collect();
        Self(apis.iter().map(|api| (api.clone(), scopes.clone())).collect())
    }

    /// Accepts another spelling of the API, unless the client is registered with both spellings.
    fn have(&self, api: &str, granted: &Granted, client: &Client) -> bool {
        let other = |name: &&String| !client.audiences.contains(name) && !client.resources.contains(name);
        let known = self
            .0
            .get(api)
            .or_else(|| find_resource(self.0.keys().filter(other), api).and_then(|name| self.0.get(name)));
        known.is_some_and(|scopes| granted.scopes().all(|scope| scopes.contains(scope)))
    }

    fn add(&mut self, others: Self) {
        for (api, scopes) in others.0 {
            self.0.entry(api).or_default().extend(scopes);
        }
    }
}

impl Consent {
    /// Whether the consent covers this grant. Compares the client's name, the host of the redirect
    /// URI, and the scopes at each API.
    #[must_use]
    pub fn covers(&self, granted: &Granted, redirect_uri: &str, client: &Client) -> bool {
        let is_known = |permission: Cow<'_, str>| self.scopes.iter().any(|known| *known == permission);
        let is_known_at = |api: &String| match &self.resources {
            Some(resources) => resources.have(api, granted, client),
            None => find_resource(client.audiences.iter(), api)
                .is_some_and(|name| name == api || !client.resources.contains(api)),
        };
        granted.permissions().all(is_known)
            && granted.apis(client).iter().all(is_known_at)
            && self.hosts.iter().any(|host| host == redirect_host(redirect_uri))
            && self.client_name.as_ref().is_none_or(|known| *known == client.name)
    }

    /// Adds the permissions of the previous consent.
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

/// A code, and the rows that are written in the same transaction.
#[derive(Clone, Copy, Debug)]
pub struct CodeWrite<'a> {
    pub code: &'a OneTime<AuthorizationCode>,
    /// `None` if the session already exists.
    pub session: Option<&'a SessionWrite>,
    /// `None` if the person gave no consent in this request.
    pub consent: Option<&'a Consent>,
    /// The pushed request that the code uses up.
    pub pushed: Option<OneTimeKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeNotIssued {
    /// Another code has already used the pushed request.
    RequestUsed,
    SessionEnded,
    /// The session has reached its maximum number of codes per minute, for this client or for all
    /// clients.
    TooMany,
}

/// Stores one row for each family of refresh tokens.
/// [`OneTimeStore::use_up`](crate::OneTimeStore::use_up) creates families.
/// [`registry::RevocationStore::revoke_people`] ends them with their grant.
#[async_trait]
pub trait RefreshFamilyStore: Send + Sync {
    /// Moves a live family to its next token, if [`RefreshFamily::step`] allows the step. Of
    /// several concurrent steps from one token, one succeeds across all replicas. Returns the
    /// family after the step.
    async fn step_family(
        &self,
        tenant: &TenantId,
        step: &FamilyStep<'_>,
        now: Timestamp,
    ) -> Stored<Option<RefreshFamily>>;

    /// Returns a family in any state. `policy` decides whether the session of the family is still
    /// valid.
    async fn find_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Stored<Option<FoundFamily>>;

    /// Notes a use without a step.
    async fn note_use_of_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        idle_until: Timestamp,
    ) -> Stored<()>;
}
