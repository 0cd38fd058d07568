//! Commits for tests: changes of an interface, and nothing else unless a test adds it.

use accounts::{Account, AccountId, AccountIdentifier, Identifier};
use administration::audit::AuditRecord;
use administration::declaration::fingerprint::Fingerprint;
use administration::edit::Edit;
use administration::kinds::change::{
    ChangeKind, KeyChange, KeyChangeKind, RowChange, SecretChange, SecretChangeKind, SecretForm,
};
use administration::kinds::state::{ManagedBy, SecretState};
use administration::kinds::{Change, TenantState};
use administration::store::{
    Commit, CommitOutcome, IdempotentAnswer, NewGeneration, TenantMetadata, TenantRows,
};
use keys::life_cycle::KeyTimes;
use keys::{KeyId, KeyRecord};
use registry::{Client, ClientSecret};
use secrets::SecretHash;
use tenancy::{ResourceServer, Stored, Tenant, TenantId};
use values::Timestamp;

use crate::fixtures::NOW;

/// Changes of an interface, and the rows on which they are decided.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    pub managed_by: ManagedBy,
    pub generation: Option<NewGeneration>,
    pub expected_revisions: Vec<(TenantId, u64)>,
    pub before: Vec<TenantState>,
    /// The changes with their data. New secrets belong to the interface of the request.
    pub edit: Edit,
    pub audit: Vec<AuditRecord>,
    /// The answer to store for a repeated request.
    pub idempotent: Option<IdempotentAnswer>,
    pub now: Timestamp,
}

impl CommitRequest {
    /// The commit of these changes. `None` if they do not fit the rows.
    #[must_use]
    pub fn decide(&self) -> Option<Commit> {
        let Self { managed_by, expected_revisions, before, now, .. } = self;
        let of_interface = |(client, row): &(_, SecretState)| {
            let SecretState { declared_digest, .. } = *row;
            let row = SecretState { declared_digest, ..SecretState::new(row.secret.clone(), *managed_by) };
            (Clone::clone(client), row)
        };
        let secrets = self.edit.secrets.iter().map(of_interface).collect();
        let edit = Edit { secrets, ..self.edit.clone() };
        let commit = Commit::decide(edit, *managed_by, before, expected_revisions.clone(), *now)?;
        let (generation, audit, answer) =
            (self.generation.clone(), self.audit.clone(), self.idempotent.clone());
        Some(Commit { generation, audit, answer, ..commit })
    }
}

/// Decides and commits. The outcome is stale if the changes do not fit their rows.
///
/// # Errors
/// Those of the commit.
pub async fn commit(store: &(impl TenantRows + ?Sized), request: &CommitRequest) -> Stored<CommitOutcome> {
    match request.decide() {
        Some(commit) => store.commit(&commit).await,
        None => Ok(CommitOutcome::StaleRevision),
    }
}

/// A commit of the operator's files with only these changes.
#[must_use]
pub fn declared(changes: Vec<Change>) -> CommitRequest {
    CommitRequest {
        managed_by: ManagedBy::Config,
        generation: None,
        expected_revisions: Vec::new(),
        before: Vec::new(),
        edit: Edit { changes, ..Edit::default() },
        audit: Vec::new(),
        idempotent: None,
        now: NOW,
    }
}

/// A commit that adds the tenant with its resource servers, and the clients with their secrets.
#[must_use]
pub fn added(tenant: &Tenant, clients: &[&Client]) -> CommitRequest {
    let mut request = declared(vec![Change::Tenant(row(ChangeKind::Added, None, tenant))]);
    for server in &tenant.resource_servers {
        request.edit.changes.push(resource_server(&tenant.id, ChangeKind::Added, None, server));
    }
    for client in clients {
        put_client(&mut request, ChangeKind::Added, client);
    }
    let fingerprint = Some(Fingerprint::from_bytes([1; 32]));
    request.edit.tenant_metadata.push(TenantMetadata {
        tenant: tenant.id.clone(),
        fingerprint,
        previous_tokens_until: None,
        previous_jwks: None,
    });
    request
}

/// An account with this number and these unverified identifiers.
///
/// # Panics
/// If a text is not an identifier.
#[must_use]
pub fn account(tenant: &TenantId, number: u8, identifiers: &[&str]) -> Account {
    let held = |text: &&str| {
        let identifier = Identifier::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        AccountIdentifier { identifier, verified_at: None }
    };
    Account {
        identifiers: identifiers.iter().map(held).collect(),
        ..Account::new(tenant.clone(), AccountId::from_bytes([number; 16]), NOW)
    }
}

#[must_use]
pub fn row<T: Clone>(kind: ChangeKind, before: Option<&T>, after: &T) -> RowChange<T> {
    RowChange { kind, before: before.cloned().map(Box::new), after: Box::new(after.clone()) }
}

#[must_use]
pub fn tenant(kind: ChangeKind, before: &Tenant, after: &Tenant) -> Change {
    Change::Tenant(row(kind, Some(before), after))
}

#[must_use]
pub fn client(kind: ChangeKind, before: &Client, after: &Client) -> Change {
    Change::Client(row(kind, Some(before), after))
}

#[must_use]
pub fn resource_server(
    tenant: &TenantId,
    kind: ChangeKind,
    before: Option<&ResourceServer>,
    after: &ResourceServer,
) -> Change {
    Change::ResourceServer(tenant.clone(), row(kind, before, after))
}

#[must_use]
pub fn secret(client: &Client, secret: &ClientSecret, kind: SecretChangeKind) -> Change {
    let change = SecretChange { id: secret.id.clone(), kind, in_store: None };
    Change::Secret(client.tenant.clone(), client.id.clone(), change)
}

/// Adds a client with its secrets, all of them new, to the request.
pub fn put_client(request: &mut CommitRequest, kind: ChangeKind, client: &Client) {
    let registration = Client { secrets: Vec::new(), ..client.clone() };
    request.edit.changes.push(Change::Client(row(kind, None, &registration)));
    for secret in &client.secrets {
        add_secret(request, client, secret.clone(), None);
    }
}

pub fn add_secret(
    request: &mut CommitRequest,
    client: &Client,
    secret: ClientSecret,
    declared_digest: Option<[u8; 32]>,
) {
    let form = match secret.hash {
        SecretHash::Token(_) => SecretForm::Generated,
        SecretHash::Password(_) => SecretForm::Chosen,
    };
    let kind = SecretChangeKind::Added { form, expires_at: secret.expires_at };
    request.edit.changes.push(self::secret(client, &secret, kind));
    let (tenant, client) = (client.tenant.clone(), client.id.clone());
    let row = SecretState { declared_digest, ..SecretState::new(secret, request.managed_by) };
    request.edit.secrets.push(((tenant, client), row));
}

#[must_use]
pub fn announcing(tenant: &TenantId, keys: &[KeyRecord]) -> CommitRequest {
    let mut request = declared(Vec::new());
    keys.iter().for_each(|key| announce_key(&mut request, tenant, key.clone()));
    request
}

/// Adds a key with its record to the request.
pub fn announce_key(request: &mut CommitRequest, tenant: &TenantId, key: KeyRecord) {
    let kind = KeyChangeKind::Announced {
        algorithm: key.algorithm,
        thumbprint: key.thumbprint.clone(),
        active_from: key.active_from,
        imported: false,
    };
    request.edit.changes.push(self::key(tenant, key.id, kind));
    request.edit.keys.added.push((tenant.clone(), key));
}

pub fn reschedule_key(request: &mut CommitRequest, tenant: &TenantId, before: KeyTimes, after: KeyTimes) {
    request.edit.changes.push(key(tenant, after.id, KeyChangeKind::Rescheduled { before, after }));
}

pub fn destroy_key(request: &mut CommitRequest, tenant: &TenantId, id: KeyId) {
    request.edit.changes.push(key(tenant, id, KeyChangeKind::Destroyed));
}

#[must_use]
pub fn key(tenant: &TenantId, id: KeyId, kind: KeyChangeKind) -> Change {
    Change::Key(tenant.clone(), KeyChange { id, kind })
}
