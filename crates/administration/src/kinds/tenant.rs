//! Tenants.

use registry::{Client, RevokedSubject};
use tenancy::{Tenant, TenantId, TenantStatus};
use values::{Lifetime, Timestamp};

use super::{Kind, TenantState};
use crate::documents::TENANT;
use crate::fields::members;
use crate::rows::Rows;
use crate::{ChangeKind, Described, Invalidation, RevocationEffect, RowChange, RowLifecycle, TenantSettings};

/// A tenant's own row.
#[derive(Clone, Debug)]
pub struct DecidedTenant {
    /// Its fields.
    pub tenant: Tenant,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
    /// Its keys stay published until this instant, although it does not serve.
    pub keys_published_until: Option<Timestamp>,
    /// The revision of the row: 1 for a new tenant, otherwise one more than the expected one.
    pub revision: u64,
}

impl Described for Tenant {
    const NOUN: &'static str = "tenant";
    const COLLECTION: &'static str = "tenants";

    fn fields(&self) -> Vec<(String, String)> {
        let mut settings = TenantSettings::from(self);
        // They are rows with fields of their own.
        settings.resource_servers.clear();
        members(&TENANT, &settings)
    }

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn knows(_: ChangeKind) -> bool {
        true
    }
}

impl Kind for Tenant {
    fn decide(tenant: &TenantId, rows: &mut Rows<'_>, change: &RowChange<Self>) -> Option<()> {
        let earlier = rows
            .decided
            .tenants
            .get(tenant)
            .map(|row| (&row.tenant, row.lifecycle, row.keys_published_until));
        let before = earlier.or_else(|| {
            let state = rows.tenants.get(tenant)?;
            Some((&state.tenant, state.lifecycle, published_until(&state.tenant)))
        });
        let (fields, lifecycle) =
            rows.row_after(change, before.map(|(tenant, lifecycle, _)| (tenant, lifecycle)))?;
        // A tenant that stops serving, or still does not serve, keeps its keys published until the later
        // time.
        let until = before.and_then(|(_, _, until)| until).max(published_until(&change.after));
        let row = DecidedTenant {
            keys_published_until: until.filter(|_| !lifecycle.serves()),
            revision: rows.revisions.get(tenant).map_or(1, |revision| revision.saturating_add(1)),
            tenant: fields,
            lifecycle,
        };
        rows.decided.tenants.insert(tenant.clone(), row);
        Some(())
    }

    fn invalidation(_change: &RowChange<Self>, tenant: TenantId) -> Option<Invalidation> {
        Some(Invalidation::Tenant(tenant))
    }

    fn revoked(change: &RowChange<Self>) -> Vec<(RevocationEffect, RevokedSubject)> {
        Vec::from_iter(change.effect().map(|effect| (effect, RevokedSubject::Tenant)))
    }
}

/// The time is absent for a tenant that never had a token. It is read as 0.
fn published_until(tenant: &Tenant) -> Option<Timestamp> {
    match tenant.status {
        TenantStatus::Suspended { keys_published_until } if keys_published_until.seconds() > 0 => {
            Some(keys_published_until)
        }
        TenantStatus::Suspended { .. } | TenantStatus::Active => None,
    }
}

impl DecidedTenant {
    pub(super) fn put_into(self, state: &mut TenantState) {
        let Self { tenant, lifecycle, keys_published_until, .. } = self;
        let status = match keys_published_until.unwrap_or(Timestamp::from_seconds(0)) {
            _ if lifecycle.serves() => TenantStatus::Active,
            keys_published_until => TenantStatus::Suspended { keys_published_until },
        };
        (state.tenant, state.lifecycle) = (Tenant { status, ..tenant }, lifecycle);
    }
}

impl TenantState {
    /// The longest life of a token that can be issued today.
    #[must_use]
    pub fn longest_lifetime(&self) -> Lifetime {
        let live = self.clients.iter().filter(|state| state.lifecycle.is_live());
        longest_lifetime(&self.tenant, live.map(|state| &state.client))
    }

    /// When the last token that was issued until now expires. Replicas may issue tokens under the previous
    /// settings for as long as they use rows from their own memory.
    #[must_use]
    pub fn tokens_until(&self, now: Timestamp, l1_lifetime: Lifetime) -> Timestamp {
        let newest = now + self.longest_lifetime() + l1_lifetime;
        self.previous_tokens_until.map_or(newest, |previous| previous.max(newest))
    }
}

pub(crate) fn longest_lifetime<'a>(tenant: &Tenant, clients: impl Iterator<Item = &'a Client>) -> Lifetime {
    clients.map(|client| client.token_lifetime(tenant)).fold(tenant.access_token.lifetime, Ord::max)
}
