//! Tenants.

use registry::{Client, RevokedSubject};
use tenancy::{Branding, Logo, Tenant, TenantId, TenantStatus};
use values::{Lifetime, Timestamp};

use super::{Kind, TenantState};
use crate::documents::TENANT;
use crate::documents::TenantSettings;
use crate::kinds::Invalidation;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::fields::members;
use crate::kinds::state::RowLifecycle;
use crate::rows::Decided;

#[derive(Clone, Debug)]
pub struct TenantRow {
    pub tenant: Tenant,
    pub lifecycle: RowLifecycle,
    /// The keys of an inactive tenant stay published until this time.
    pub keys_published_until: Option<Timestamp>,
    /// The revision of the row: 1 for a new tenant, otherwise the expected revision plus 1.
    pub revision: u64,
}

impl Kind for Tenant {
    const NOUN: &'static str = "tenant";
    const COLLECTION: &'static str = "tenants";

    fn fields(&self) -> Vec<(String, String)> {
        let mut settings = TenantSettings::from(self);
        // Resource servers have rows of their own.
        settings.resource_servers.clear();
        members(&TENANT, &settings)
    }

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn knows(_: ChangeKind) -> bool {
        true
    }

    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()> {
        let earlier = decided.rows.tenants.get(tenant);
        let earlier = earlier.map(|row| (&row.tenant, row.lifecycle, row.keys_published_until));
        let before = earlier.or_else(|| {
            let state = decided.tenants.get(tenant)?;
            Some((&state.tenant, state.lifecycle, published_until(&state.tenant)))
        });
        let (fields, lifecycle) =
            decided.row_after(change, before.map(|(tenant, lifecycle, _)| (tenant, lifecycle)))?;
        // The keys of an inactive tenant stay published until the later of both times.
        let until = before.and_then(|(_, _, until)| until).max(published_until(&change.after));
        let row = TenantRow {
            keys_published_until: until.filter(|_| !lifecycle.serves()),
            revision: match change.kind {
                ChangeKind::Added => 1,
                _ => decided.revisions.get(tenant)?.saturating_add(1),
            },
            tenant: fields,
            lifecycle,
        };
        decided.rows.tenants.insert(tenant.clone(), row);
        decided.names(change);
        decided.changed.push(Invalidation::Tenant(tenant.clone()));
        decided.revoke(tenant, change.effect().map(|effect| (effect, RevokedSubject::Tenant)));
        Some(())
    }
}

impl Decided<'_> {
    /// Rows that belong to a tenant: names, search terms and pictures.
    fn names(&mut self, change: &RowChange<Tenant>) {
        let RowChange { kind, before, after } = change;
        let (id, rows, deleted) = (&after.id, &mut self.rows, &mut self.deleted);
        let is_renamed = before.as_ref().is_none_or(|before| before.name != after.name);
        if kind.writes_names() {
            rows.issuers.push(id.clone());
            let before = before.as_ref().map(|before| &before.branding);
            let only = |shown: Option<&Branding>, other: Option<&Branding>| -> Vec<_> {
                let of_other =
                    |logo: &&Logo| other.is_some_and(|other| other.logos().any(|own| own == *logo));
                let logos = shown.into_iter().flat_map(Branding::logos).filter(|logo| !of_other(logo));
                logos.map(|logo| (id.clone(), logo.clone())).collect()
            };
            rows.logos.extend(only(Some(&after.branding), before));
            deleted.logos.extend(only(before, Some(&after.branding)));
        }
        if kind.replaces_names() {
            deleted.issuers.push(id.clone());
        }
        if kind.writes_names() && is_renamed {
            rows.search_terms.push(id.clone());
        }
        if kind.replaces_names() && is_renamed || *kind == ChangeKind::Deleted {
            deleted.search_terms.push(id.clone());
        }
        if *kind == ChangeKind::Deleted {
            deleted.tenants.push(id.clone());
        }
    }
}

/// `None` for a tenant that never had a token; it is stored as 0.
fn published_until(tenant: &Tenant) -> Option<Timestamp> {
    match tenant.status {
        TenantStatus::Suspended { keys_published_until } if keys_published_until.seconds() > 0 => {
            Some(keys_published_until)
        }
        TenantStatus::Suspended { .. } | TenantStatus::Active => None,
    }
}

impl TenantRow {
    pub(super) fn put_into(&self, state: &mut TenantState) {
        let Self { tenant, lifecycle, keys_published_until, .. } = self.clone();
        let status = match keys_published_until.unwrap_or(Timestamp::from_seconds(0)) {
            _ if lifecycle.serves() => TenantStatus::Active,
            keys_published_until => TenantStatus::Suspended { keys_published_until },
        };
        (state.tenant, state.lifecycle) = (Tenant { status, ..tenant }, lifecycle);
    }
}

impl TenantState {
    #[must_use]
    pub fn longest_lifetime(&self) -> Lifetime {
        let live = self.clients.iter().filter(|state| state.lifecycle.is_live());
        longest_lifetime(&self.tenant, live.map(|state| &state.client))
    }

    /// When the last of the tokens that were issued until now expires. Replicas may issue tokens under the
    /// previous settings while they use rows from their own memory.
    #[must_use]
    pub fn tokens_until(&self, now: Timestamp, l1_lifetime: Lifetime) -> Timestamp {
        let newest = now + self.longest_lifetime() + l1_lifetime;
        self.previous_tokens_until.map_or(newest, |previous| previous.max(newest))
    }
}

pub(crate) fn longest_lifetime<'a>(tenant: &Tenant, clients: impl Iterator<Item = &'a Client>) -> Lifetime {
    clients.map(|client| client.token_lifetime(tenant)).fold(tenant.access_token.lifetime, Ord::max)
}
