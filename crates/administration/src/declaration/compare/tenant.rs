//! Compares one tenant with its declaration: the tenant's row, its first key, its resource servers, and each
//! client.

use keys::KeyId;
use tenancy::{ResourceServer, Tenant, TenantStatus};

use super::{CompareContext, Comparison};
use crate::declaration::fingerprint::Fingerprint;
use crate::declaration::plan::{ConflictKind, Plan, Subject};
use crate::declaration::{previous_jwks, previous_typs};
use crate::edit::new_names;
use crate::kinds::longest_lifetime;
use crate::kinds::{Change, DeclaredTenant, TenantState, change};
use crate::rules::limits;
use crate::store::TenantMetadata;

impl Comparison<'_> {
    pub(super) fn tenant(mut self, fingerprint: Fingerprint) {
        let Self { context, declared, state, .. } = self;
        let id = &declared.tenant.id;
        self.client_ids();
        let subject = || Subject::Tenant(id.clone());
        let before = state.map(|state| &state.tenant);
        let spellings = self.new_spellings(|| new_names::spellings_of_tenant(before, &declared.tenant));
        for error in new_names::of_tenant(before, &declared.tenant).into_iter().chain(spellings) {
            self.plan.add_conflict(subject(), ConflictKind::NewName(error));
        }
        let before = state.map(|state| (&state.tenant, &state.lifecycle));
        let after = tenant_after(context, &declared.tenant, state);
        if !self.row(subject(), before, after, Change::Tenant) {
            // Another interface manages the rows of this tenant.
            return;
        }
        for error in limits::of_tenant(state.map(|state| &state.tenant), &declared.tenant) {
            self.plan.add_conflict(subject(), ConflictKind::BeyondLimit(error));
        }
        match first_key(declared, state) {
            Ok(key) => self.plan.changes.extend(key.map(|key| Change::FirstKey(id.clone(), key))),
            Err(kind) => self.plan.add_conflict(subject(), kind),
        }
        self.rows();
        let (now, l1_lifetime) = (context.now, context.l1_lifetime);
        let shortened =
            state.filter(|state| longest_lifetime_after(declared, state) < state.longest_lifetime());
        let slower_jwks = |state: &TenantState| {
            previous_jwks::after_change(&state.tenant.signing, &declared.tenant.signing, now, l1_lifetime)
        };
        self.plan.tenant_metadata.push(TenantMetadata {
            tenant: id.clone(),
            fingerprint: Some(fingerprint),
            previous_tokens_until: shortened.map(|state| state.tokens_until(now, l1_lifetime)),
            previous_jwks: state.and_then(slower_jwks),
        });
    }

    pub(super) fn resource_servers(&mut self) {
        let Self { declared, state, .. } = *self;
        let (tenant, rows) = (&declared.tenant.id, state.map(|state| state.resource_servers.as_slice()));
        let rows = rows.unwrap_or_default().iter().map(|row| (&row.resource_server, &row.lifecycle));
        for server in &declared.tenant.resource_servers {
            let before = rows.clone().find(|(row, _)| row.audience == server.audience);
            let subject = Subject::new::<ResourceServer>(tenant, &server.audience);
            self.row(subject, before, server.clone(), |row| Change::ResourceServer(tenant.clone(), row));
        }
        let is_declared = |row: &ResourceServer| declared.tenant.resource_server(&row.audience).is_some();
        self.retire(rows, is_declared, |row| Change::ResourceServer(tenant.clone(), row));
    }
}

pub(super) fn retire(context: CompareContext<'_>, plan: &mut Plan, state: &TenantState) {
    let mut after = state.tenant.clone();
    if state.tenant.is_active() {
        let keys_published_until = state.tokens_until(context.now, context.l1_lifetime);
        after.status = TenantStatus::Suspended { keys_published_until };
    }
    plan.changes.push(change::RowChange::new(change::ChangeKind::Retired, Some(&state.tenant), after).into());
    let tenant = state.tenant.id.clone();
    plan.tenant_metadata.push(TenantMetadata {
        tenant,
        fingerprint: None,
        previous_tokens_until: None,
        previous_jwks: None,
    });
}

/// The declared fields, completed by fields that only the store has.
fn tenant_after(context: CompareContext<'_>, declared: &Tenant, state: Option<&TenantState>) -> Tenant {
    let mut after = declared.clone();
    let Some(state) = state else { return after };
    // Declaring a row again undoes only changes that came from the files.
    if state.lifecycle.suspended_at.is_some() || state.lifecycle.deletion_due_at.is_some() {
        after.status = state.tenant.status;
    }
    after.access_token.previous_typs =
        previous_typs::after_change(state, &declared.access_token.typ, context.now, context.l1_lifetime);
    after
}

/// A key is imported only into a tenant that has never had a key. Later the declared key is only compared.
fn first_key(
    declared: &DeclaredTenant,
    state: Option<&TenantState>,
) -> Result<Option<change::FirstKey>, ConflictKind> {
    let Some(key) = &declared.first_key else { return Ok(None) };
    match state.and_then(|state| state.first_key_thumbprint.as_ref()) {
        Some(recorded) if *recorded == key.thumbprint => Ok(None),
        Some(_) => Err(ConflictKind::FirstKeyDiffers),
        None if state.is_some_and(|state| state.has_had_keys) => Err(ConflictKind::FirstKeyTooLate),
        None => Ok(Some(change::FirstKey {
            id: KeyId::numbered(1).named(key.algorithm.into(), declared.tenant.signing.kid, &key.thumbprint),
            algorithm: key.algorithm.into(),
            thumbprint: key.thumbprint.clone(),
        })),
    }
}

fn longest_lifetime_after(declared: &DeclaredTenant, state: &TenantState) -> values::Lifetime {
    let of_others =
        state.clients.iter().filter(|row| row.lifecycle.is_live() && !row.lifecycle.is_config_managed());
    let of_declared = declared.clients.iter().map(|declared| &declared.client);
    longest_lifetime(&declared.tenant, of_declared.chain(of_others.map(|row| &row.client)))
}
