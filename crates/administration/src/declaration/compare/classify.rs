//! Decides from one line about each tenant which tenants must be compared in detail.

use std::collections::BTreeMap;

use secrets::Pepper;
use tenancy::{Issuer, TenantId};

use crate::declaration::fingerprint::Fingerprint;
use crate::declaration::plan::{Conflict, ConflictKind};
use crate::declaration::{Declaration, UnreadValue};
use crate::kinds::DeclaredTenant;
use crate::kinds::state::{ManagedBy, TenantSummary};
use crate::rules::{has_path, issuers_above};

/// The tenants that must be compared, and what the comparison needs.
#[derive(Debug, Default)]
pub(crate) struct Classification<'a> {
    pub(crate) tasks: Vec<Task<'a>>,
    /// Whether the store has no tenant of any file yet, and no declared tenant.
    pub(crate) is_first: bool,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) load: Vec<TenantId>,
    /// Issuers and aliases whose owners must be loaded.
    pub(crate) issuers: Vec<Issuer>,
    /// The owners of all issuers below these must also be loaded.
    pub(crate) above: Vec<Issuer>,
}

/// A tenant whose rows must be compared.
#[derive(Debug)]
pub(crate) enum Task<'a> {
    /// The tenant is declared, and its declaration has changed.
    Compare { declared: &'a DeclaredTenant, fingerprint: Fingerprint },
    /// The tenant is no longer declared.
    Retire(TenantId),
}

impl<'a> Classification<'a> {
    /// `ends_previous`: tenants with `previous_for` secrets are compared even if their declaration is
    /// unchanged.
    pub(crate) fn new(
        pepper: &Pepper,
        declaration: &'a Declaration,
        summaries: Vec<TenantSummary>,
        ends_previous: bool,
    ) -> Self {
        let mut stored: BTreeMap<_, _> =
            summaries.into_iter().map(|summary| (summary.tenant.clone(), summary)).collect();
        let mut classification = Self { is_first: stored.is_empty(), ..Self::default() };
        for (id, declared) in &declaration.tenants {
            if let Some(unread) = declaration.unread.get(id) {
                stored.remove(id);
                classification.conflicts.extend(conflicts_of(id, unread));
                continue;
            }
            let stored = stored.remove(id);
            classification.classify(pepper, &declaration.public_url, declared, stored, ends_previous);
        }
        for (id, _) in stored.into_iter().filter(|(_, summary)| summary.lifecycle.is_config_managed()) {
            classification.load.push(id.clone());
            classification.tasks.push(Task::Retire(id));
        }
        classification
    }

    /// The thumbprints of the first keys that these tenants declare.
    pub(crate) fn first_keys(&self) -> Vec<&'a str> {
        let declared = self.tasks.iter().filter_map(|task| match task {
            Task::Compare { declared, .. } => declared.first_key.as_ref(),
            Task::Retire(_) => None,
        });
        declared.map(|key| key.thumbprint.as_str()).collect()
    }

    fn classify(
        &mut self,
        pepper: &Pepper,
        public_url: &str,
        declared: &'a DeclaredTenant,
        stored: Option<TenantSummary>,
        ends_previous: bool,
    ) {
        let id = &declared.tenant.id;
        let mut refuse = |kind| self.conflicts.push(Conflict::of_tenant(id, kind));
        if id.as_str() == TenantId::PLATFORM {
            return refuse(ConflictKind::Reserved);
        }
        let fingerprint = Fingerprint::of_tenant(pepper, declared);
        if let Some(stored) = stored {
            if stored.lifecycle.deleted_at.is_some() {
                return refuse(ConflictKind::Deleted);
            }
            if stored.lifecycle.managed_by == ManagedBy::Api {
                return refuse(ConflictKind::CreatedByApi);
            }
            let mut secrets = declared.clients.iter().flat_map(|client| &client.secrets);
            let has_previous = ends_previous && secrets.any(|secret| secret.previous_for.is_some());
            let is_as_before =
                stored.lifecycle.retired_at.is_none() && stored.fingerprint == Some(fingerprint);
            if is_as_before && !has_previous {
                return;
            }
            self.load.push(id.clone());
        }
        let issuer = &declared.tenant.issuer;
        if *issuer != Issuer::derived(public_url, id) {
            self.issuers.extend(issuers_above(public_url, issuer));
        }
        self.above.extend(has_path(public_url, id, issuer).then(|| issuer.clone()));
        self.issuers.push(issuer.clone());
        self.issuers.extend(declared.tenant.issuer_aliases.iter().cloned());
        self.tasks.push(Task::Compare { declared, fingerprint });
    }
}

/// The secrets that could not be read from secret stores.
#[must_use]
pub fn unread_secrets(declaration: &Declaration) -> Vec<Conflict> {
    declaration.unread.iter().flat_map(|(id, unread)| conflicts_of(id, unread)).collect()
}

fn conflicts_of(id: &TenantId, unread: &[UnreadValue]) -> impl Iterator<Item = Conflict> {
    let kinds = unread.iter().cloned().map(ConflictKind::SecretUnread);
    kinds.map(|kind| Conflict::of_tenant(id, kind))
}
