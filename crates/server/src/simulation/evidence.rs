//! The rows that a replica may still use for its answer to a request.

use std::time::Duration;

use keys::KeyRecords;
use keys::life_cycle::KeyPolicy;
use parking_lot::MutexGuard;
use registry::{Client, ClientId, RevocationFacts};
use tenancy::Tenant;
use values::Lifetime;

use super::directory::{Copy, Token, UNCHANGED};
use super::faults::Faults;
use super::model::{FRESH, Model, Request, TenantVersions, Versions};

/// The longest `stale_if_error` of a run.
pub(super) const STALE: Duration = Duration::from_secs(60);
/// What is known about a request when it is answered.
pub(super) struct Evidence<'a> {
    pub(super) model: MutexGuard<'a, Model>,
    pub(super) faults: MutexGuard<'a, Faults>,
    pub(super) request: Request,
    pub(super) tenant: usize,
}

impl Evidence<'_> {
    fn rows(&self) -> &TenantVersions {
        &self.model.tenants[self.tenant]
    }

    pub(super) fn is_of_unchanged(&self, client: &ClientId) -> bool {
        self.tenant == UNCHANGED && client.as_str() == "client-0"
    }

    /// When the tenant's keys last changed. No command changes the keys of the unchanged tenant.
    pub(super) fn last_change(&self) -> Duration {
        self.model.last_change(&self.rows().keys)
    }

    /// Whether the replica may not know yet about a change that affects the client's tokens.
    pub(super) fn is_changing(&self, client: &ClientId) -> bool {
        self.tenants().count() > 1 || self.client(client).count() > 1 || self.revocations().count() > 1
    }

    pub(super) fn skew(&self) -> Lifetime {
        self.rows().tenant.last().signing.skew
    }

    /// How long the replica may use rows that are no longer fresh, while the store seems to be unavailable.
    fn stale(&self, of: impl Fn(&Tenant) -> Lifetime) -> Duration {
        let Request { replica, from, to } = self.request;
        if !self.faults.concern_store(replica, from.saturating_sub(FRESH), to) {
            return Duration::ZERO;
        }
        let since = from.saturating_sub(FRESH + FRESH + STALE);
        let policies = self.model.since(&self.rows().tenant, since).map(|tenant| of(tenant).seconds());
        Duration::from_secs(policies.max().unwrap_or_default())
    }

    fn usable<'a, T>(&'a self, row: &'a Versions<T>, stale: Duration) -> impl Iterator<Item = &'a T> {
        self.model.usable(row, self.request, &self.faults, stale)
    }

    fn stale_rows(&self) -> Duration {
        self.stale(|tenant| tenant.stale_if_error)
    }

    /// For each usable version of the tenant, whether it is active.
    pub(super) fn tenants(&self) -> impl Iterator<Item = bool> {
        self.usable(&self.rows().tenant, self.stale_rows()).map(|tenant| tenant.is_active())
    }

    pub(super) fn expect_serving(&self) -> Result<(), String> {
        if self.tenants().any(|is_active| is_active) {
            Ok(())
        } else {
            Err("a suspended tenant serves".to_owned())
        }
    }

    pub(super) fn client(&self, id: &ClientId) -> impl Iterator<Item = Option<&Client>> {
        self.usable(&self.rows().clients[id], self.stale_rows()).map(|version| version.as_deref())
    }

    /// Without the store, a replica stops using keys before another replica signs with keys that its
    /// verifiers lack.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyRecords> {
        let stale = self.stale(|tenant| KeyPolicy::stale_if_error(tenant, seconds(FRESH)));
        self.usable(&self.rows().keys, stale).map(|records| &**records)
    }

    /// Revocations are never served stale.
    pub(super) fn revocations(&self) -> impl Iterator<Item = &RevocationFacts> {
        self.usable(&self.rows().revocations, Duration::ZERO).map(|facts| &**facts)
    }

    /// Whether a verifier with this copy cannot verify this live token, although no command has removed a key
    /// in the meantime.
    pub(super) fn lacks(&self, copy: &Copy, token: &Token, now: Duration) -> bool {
        if copy.tenant != token.tenant || now >= copy.until || copy.kids.contains(&token.kid) {
            return false;
        }
        let is_cut_off =
            (0..2).any(|replica| self.faults.concern_store(replica, copy.from.min(token.from), now));
        let slack = if is_cut_off { FRESH + STALE } else { FRESH };
        let earlier = copy.from.min(token.from);
        let mut removals = self.model.tenants[token.tenant].removals.iter();
        !removals.any(|(began, ended)| *began <= now && ended.is_none_or(|ended| ended + slack >= earlier))
    }
}

fn seconds(duration: Duration) -> Lifetime {
    Lifetime::from_seconds(duration.as_secs())
}
