//! Records each commit when it happens: the new versions of the rows, and the notifications.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use administration::store::ChangeLog as _;
use keys::SigningKeyStore as _;
use registry::{ClientId, ClientStore as _, FactsVersion, RevocationFacts, RevocationStore as _};
use tenancy::{TenantId, TenantStore as _};
use testkit::{Standby, TestStore};
use tokio::time::sleep;

use super::defect::Defect;
use super::directory::Known;
use super::faults::Fault;
use super::model::{TenantVersions, Versions};
use super::world::{World, at_once};

tokio::task_local! {
    /// The command that the task executes.
    pub(super) static COMMAND: u64;
}

impl World {
    /// Records what a call of this replica has committed, and sends the notifications.
    pub(super) fn note_commits(self: &Arc<Self>, replica: usize) {
        let position = at_once(self.truth.position());
        let mut model = self.model();
        if position == model.position {
            return;
        }
        let changes = at_once(self.truth.changes_since(model.position));
        model.position = position;
        let command = COMMAND.try_with(|command| *command).ok();
        let commit = model.add_commit(self.now(), replica, command);
        for tenant in &mut model.tenants {
            let own = changes.iter().map(|(_, change)| change).filter(|change| *change.tenant() == tenant.id);
            let own: Vec<_> = own.collect();
            if !own.is_empty() {
                let is_named = |id: &ClientId| {
                    own.iter().any(|change| matches!(change, Invalidation::Client(_, named) if named == id))
                };
                tenant.read_again(&self.truth, commit, is_named);
            }
        }
        drop(model);
        let changes: Vec<_> = changes.iter().map(|(_, change)| format!("{change:?}")).collect();
        self.note(format!("replica {replica} commits {}", changes.join(", ")));
        self.notify();
    }

    /// The standby replaces the store, and connections for notifications break. All commits after `since` are
    /// lost, even if a replica reports success later. Returns how many changes are lost.
    pub(super) fn promote(&self, standby: Standby, since: Duration) -> usize {
        self.truth.promote(standby, self.defect != Some(Defect::HistoriesAreNotToldApart));
        let mut model = self.model();
        let position = at_once(self.truth.position());
        let lost = usize::try_from(model.position - position).expect("a standby has no more changes");
        model.position = position;
        let commit = model.add_failover(self.now());
        for tenant in &mut model.tenants {
            tenant.read_again(&self.truth, commit, |_| true);
            // A verifier lacks a key that was lost, and no later key has its kid.
            tenant.removals.push((since, Some(self.now())));
        }
        drop(model);
        *self.listeners.lock() = [None, None];
        self.note(format!("a standby takes the place of the store, which loses {lost} changes"));
        lost
    }

    fn notify(self: &Arc<Self>) {
        for replica in 0..2 {
            let Some(listener) = self.listeners.lock()[replica].clone() else { continue };
            let is_lost = self.holds(replica, Fault::FeedIsSilent) || self.holds(replica, Fault::FeedRefuses);
            let (is_lost, longest) = match self.holds(replica, Fault::NotificationsLost) {
                true => (is_lost || self.below(2) == 0, 3_000),
                false => (is_lost, 250),
            };
            let delay = self.millis(longest);
            if !is_lost {
                tokio::spawn(async move {
                    sleep(delay).await;
                    let _ = listener.send(());
                });
            }
        }
    }
}

impl TenantVersions {
    pub(super) fn read(store: &TestStore, known: &Known, commit: usize) -> Self {
        let id = known.id.clone();
        let tenant = at_once(store.find_tenant(&id)).expect("the tenant was added");
        let client =
            |client| (Clone::clone(client), Versions::new(commit, at_once(store.find_client(&id, client))));
        let clients: BTreeMap<_, _> = known.all_clients().map(client).collect();
        Self {
            tenant: Versions::new(commit, tenant),
            clients,
            keys: Versions::new(commit, at_once(store.find_keys(&id))),
            revocations: Versions::new(commit, revocations(store, &id)),
            removals: Vec::new(),
            id,
        }
    }

    /// Also reads rows that the log does not name, so that a change that is missing in the log is found.
    fn read_again(&mut self, store: &TestStore, commit: usize, is_named: impl Fn(&ClientId) -> bool) {
        if let Some(tenant) = at_once(store.find_tenant(&self.id)) {
            self.tenant.note(commit, tenant);
        }
        self.keys.note(commit, at_once(store.find_keys(&self.id)));
        self.revocations.note(commit, revocations(store, &self.id));
        for (id, versions) in &mut self.clients {
            if is_named(id) || versions.last().is_some() {
                versions.note(commit, at_once(store.find_client(&self.id, id)));
            }
        }
    }
}

/// The revocations, without the time of the read.
fn revocations(store: &TestStore, tenant: &TenantId) -> Arc<RevocationFacts> {
    let facts = at_once(store.find_revocations(tenant));
    Arc::new(Arc::unwrap_or_clone(facts).read(FactsVersion::NEVER))
}
