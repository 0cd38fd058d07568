//! Compares the clients of one tenant with their declarations.

use std::collections::{HashMap, HashSet};

use registry::{Client, ClientId};

use super::Comparison;
use crate::declaration::plan::{ConflictKind, Subject};
use crate::edit::new_names;
use crate::kinds;
use crate::kinds::Change;
use crate::rules::limits;

impl Comparison<'_> {
    pub(super) fn clients(&mut self) {
        let Self { declared, state, .. } = *self;
        let rows = state.map(|state| state.clients.as_slice()).unwrap_or_default();
        let stored: HashMap<&ClientId, &kinds::client::State> =
            rows.iter().map(|row| (&row.client.id, row)).collect();
        for (index, declared) in declared.clients.iter().enumerate() {
            self.client(index, stored.get(&declared.client.id).copied());
        }
        self.count(rows);
        let kept: HashSet<&ClientId> = declared.clients.iter().map(|declared| &declared.client.id).collect();
        let rows = rows.iter().map(|row| (&row.client, &row.lifecycle));
        self.retire(rows, |client| kept.contains(&client.id), Change::Client);
    }

    /// Clients that the API manages count in addition to the declared ones.
    fn count(&mut self, rows: &[kinds::client::State]) {
        let Self { context, declared, state, .. } = *self;
        let others = rows.iter().map(|row| &row.lifecycle);
        let others = others.filter(|row| row.is_live() && !row.is_config_managed()).count();
        let before = state.map_or(0, |state| state.client_count);
        let (tenant, after) = (&declared.tenant, (declared.clients.len() + others) as u64);
        if let Some(message) = limits::of_clients(tenant, before, after, context.clients) {
            self.plan.add_conflict(Subject::Tenant(tenant.id.clone()), ConflictKind::TooManyClients(message));
        }
    }

    fn client(&mut self, index: usize, state: Option<&kinds::client::State>) {
        let declared = &self.declared.clients[index];
        let id = &declared.client.id;
        let subject = || Subject::new::<Client>(&declared.client.tenant, id.as_str());
        if id.as_str().starts_with(ClientId::RESERVED_PREFIX) {
            return self.plan.add_conflict(subject(), ConflictKind::Reserved);
        }
        let (mut after, before) = (declared.client.clone(), state.map(|state| &state.client));
        if let Some(before) = before {
            after.status = before.status;
        }
        let spellings = self.new_spellings(|| new_names::spellings_of_client(before, &after));
        for error in new_names::of_client(&self.declared.tenant, before, &after).into_iter().chain(spellings)
        {
            self.plan.add_conflict(subject(), ConflictKind::NewName(error));
        }
        let row = state.map(|state| (&state.client, &state.lifecycle));
        if !self.row(subject(), row, after, Change::Client) {
            return;
        }
        for error in limits::of_client(before, &declared.client) {
            self.plan.add_conflict(subject(), ConflictKind::BeyondLimit(error));
        }
        self.secrets(index, state);
    }
}
