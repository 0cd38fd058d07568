//! Clients, and their secrets, which are rows of their own.

use std::collections::BTreeSet;

use registry::{Client, ClientId, CredentialTag, RevokedSubject, removed_keys};
use tenancy::TenantId;

use super::{Kind, TenantState};
use crate::administrator::rotation_progress::RotationProgress;
use crate::documents::CLIENT;
use crate::documents::ClientSettings;
use crate::edit::EditError;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::fields::members;
use crate::kinds::revocations::RevocationEffect;
use crate::kinds::state::{RowLifecycle, SecretState};
use crate::kinds::{Invalidation, Permission};
use crate::rows::Decided;

/// A client's row, and the rows of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The list of secrets in it is empty.
    pub client: Client,
    pub lifecycle: RowLifecycle,
    /// Includes revoked secrets.
    pub secrets: Vec<SecretState>,
    /// The state of scheduled rotation. Commits do not change it.
    pub rotation: RotationProgress,
}

impl State {
    /// The state of a client. If the client has a rotation schedule, the schedule was not checked yet.
    #[must_use]
    pub fn new(client: Client, lifecycle: RowLifecycle, secrets: Vec<SecretState>) -> Self {
        Self { client, lifecycle, secrets, rotation: RotationProgress::default() }
    }

    /// A placeholder for a row that cannot be read. It has all permissions of a tenant, so that only a caller
    /// with all of them can delete the row.
    #[must_use]
    pub fn stand_in(tenant: TenantId, id: ClientId, lifecycle: RowLifecycle) -> Self {
        let client = Client { scope: Permission::all_of_tenants(), ..Client::new(tenant, id) };
        Self::new(client, lifecycle, Vec::new())
    }
}

impl Kind for Client {
    const NOUN: &'static str = "client";
    const COLLECTION: &'static str = "clients";

    fn fields(&self) -> Vec<(String, String)> {
        members(&CLIENT, &ClientSettings::from(self))
    }

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()> {
        let key = (tenant.clone(), change.after.id.clone());
        let before = decided.rows.clients.get(&key);
        let before = before.or_else(|| decided.clients.get(&(&key.0, &key.1)).copied());
        let before = before.map(|row| (&row.client, row.lifecycle));
        let (client, lifecycle) = decided.row_after(change, before)?;
        let client = Client { secrets: Vec::new(), ..client };
        if change.kind.writes_names() {
            decided.rows.client_names.push(key.clone());
        }
        if change.kind.replaces_names() || change.kind == ChangeKind::Deleted {
            decided.deleted.client_names.push(key.clone());
        }
        if change.kind == ChangeKind::Deleted {
            decided.deleted.clients.push(key.clone());
        }
        decided.changed.push(Invalidation::Client(key.0.clone(), key.1.clone()));
        decided.rows.clients.insert(key, State::new(client, lifecycle, Vec::new()));
        decided.revoke_client(change);
        Some(())
    }
}

impl Decided<'_> {
    fn revoke_client(&mut self, change: &RowChange<Client>) {
        use RevocationEffect::{Ended, Issued, Resumed};
        let Client { tenant, id, keys, jwks_uri, .. } = &*change.after;
        // The id stays reserved, so nobody can use a code or refresh token of the deleted client.
        let subject = match change.kind {
            ChangeKind::Deleted => RevokedSubject::AccessTokens(id.clone()),
            _ => RevokedSubject::Client(id.clone()),
        };
        let own = change.effect().map(|effect| (effect, subject));
        let before = change.before.as_ref().and_then(|before| before.keys.as_ref());
        let tag = |thumbprint| {
            RevokedSubject::Credential(id.clone(), CredentialTag::of_key(tenant, id, thumbprint))
        };
        // The client may now publish the same keys at its URL.
        let gone = if jwks_uri.is_some() { Issued } else { Ended };
        let removed = removed_keys(before, keys.as_ref()).map(|key| (gone, tag(key)));
        let added = removed_keys(keys.as_ref(), before).map(|key| (Resumed, tag(key)));
        let rules = |client: Option<&Client>| -> BTreeSet<_> {
            let rules = client.into_iter().flat_map(|client| &client.federated.0);
            rules.map(|rule| rule.tag(tenant, id)).collect()
        };
        let (rules_before, rules_after) = (rules(change.before.as_deref()), rules(Some(&*change.after)));
        let rule = |tag: &CredentialTag| RevokedSubject::Credential(id.clone(), *tag);
        let rules_gone = rules_before.difference(&rules_after).map(|tag| (Ended, rule(tag)));
        let rules_back = rules_after.difference(&rules_before).map(|tag| (Resumed, rule(tag)));
        let all = own.into_iter().chain(removed).chain(added).chain(rules_gone).chain(rules_back);
        self.revoke(tenant, all);
    }
}

impl TenantState {
    /// One of the tenant's loaded clients, or a deleted one.
    pub(crate) fn client(&self, id: &ClientId) -> Result<&State, EditError> {
        let found = self.clients.iter().find(|row| row.client.id == *id);
        found.ok_or(EditError::NotFound("client"))
    }
}
