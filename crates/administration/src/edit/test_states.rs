//! Rows and callers for the tests of the rules.

use accounts::{Account, AccountId, AccountIdentifier, Identifier};
use protocol::Scope;
use registry::{Client, ClientId, ClientSecret, SecretId};
use secrets::SecretHash;
use serde_json::{Value, json};
use tenancy::{Issuer, ResourceServer, Strategies, Tenant, TenantId};
use values::{Lifetime, Secret, Timestamp};

use super::{Edit, EditContext, Facts, SecretMaterial};
use crate::administrator::EditPolicy;
use crate::documents::CLIENT;
use crate::documents::{ClientSettings, Shape, merge_patch};
use crate::edit::{EditError, FieldError};
use crate::kinds;
use crate::kinds::authority::{Actor, Authority};
use crate::kinds::change::{ChangeKind, SecretChangeKind};
use crate::kinds::state::{ManagedBy, RowLifecycle, SecretState};
use crate::kinds::{Change, ResourceServerState, TenantState};
use crate::rules::{FieldErrors, check_client};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

pub(crate) fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}

pub(crate) fn pointers(errors: impl IntoIterator<Item = FieldError>) -> Vec<String> {
    errors.into_iter().map(|error| error.pointer).collect()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_000_000 + seconds)
}

pub(crate) fn tenant_id(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

pub(crate) fn client_id(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

pub(super) fn policy() -> EditPolicy {
    EditPolicy {
        public_url: "https://id.example.com".to_owned(),
        live_secrets: 3,
        api_keys: 10,
        clients: 20,
        deletion_grace: Lifetime::from_seconds(7 * 86_400),
        l1_lifetime: Lifetime::from_seconds(10),
        urls: crate::rules::UrlRule::default(),
        mail: crate::mail::MailPolicy::default(),
    }
}

fn actor() -> Actor {
    Actor { name: "tests".to_owned(), ..Actor::default() }
}

pub(super) fn operator() -> Authority {
    Authority::operator(actor())
}

/// An account that the API created.
pub(crate) fn account(tenant: &str, number: u8, identifier: &str) -> kinds::account::State {
    let mut account = Account::new(tenant_id(tenant), AccountId::from_bytes([number; 16]), NOW);
    let identifier = Identifier::parse(identifier).unwrap();
    account.identifiers = vec![AccountIdentifier { identifier, verified_at: None }];
    let lifecycle = RowLifecycle::fresh(ManagedBy::Api, NOW);
    kinds::account::State { account, lifecycle, has_own_password: false, declared_digest: None }
}

/// A client of `platform` with this scope.
pub(super) fn of_platform(granted: &str) -> Authority {
    Authority::of_platform(actor(), &scope(granted))
}

/// A client of the tenant with this scope.
pub(super) fn of_tenant(tenant: &str, granted: &str) -> Authority {
    Authority::of_tenant(actor(), tenant_id(tenant), &scope(granted))
}

pub(super) fn of_user(tenant: &str) -> Authority {
    Authority::of_user(actor(), tenant_id(tenant))
}

/// A tenant that the API created, with the resource server `api` and the clients `svc` and `ops`. `ops` may
/// manage clients.
pub(crate) fn state(id: &str) -> TenantState {
    let lifecycle = RowLifecycle::fresh(ManagedBy::Api, NOW);
    let server = ResourceServer {
        audience: "api".to_owned(),
        scopes: scope("read write"),
        ..ResourceServer::default()
    };
    let tenant = Tenant {
        issuer_aliases: vec![Issuer::parse("thunder").unwrap()],
        strategies: Strategies { oauth2: true, oidc: false },
        resource_servers: vec![server.clone()],
        ..Tenant::new(tenant_id(id), Issuer::derived("https://id.example.com", &tenant_id(id)))
    };
    TenantState {
        revision: 7,
        resource_servers: vec![ResourceServerState { resource_server: server, lifecycle }],
        client_count: 2,
        clients: vec![client(id, "svc", "read"), client(id, "ops", "read latchkey:clients")],
        has_had_keys: true,
        ..TenantState::added(tenant, lifecycle)
    }
}

pub(crate) fn client(tenant: &str, id: &str, scopes: &str) -> kinds::client::State {
    let client = Client {
        audiences: vec!["api".to_owned()],
        scope: scope(scopes),
        ..Client::new(tenant_id(tenant), client_id(id))
    };
    kinds::client::State::new(client, RowLifecycle::fresh(ManagedBy::Api, NOW), vec![secret("s1")])
}

/// A merge patch that sets the token lifetime of a client, which is its only duration. `None` sets the
/// tenant's lifetime.
pub(super) fn token_lifetime_patch(seconds: Option<u64>) -> Value {
    let Shape::Object { members, .. } = &*CLIENT else { panic!("a client is an object") };
    let (member, _) = members.iter().find(|(_, shape)| matches!(shape, Shape::Span)).unwrap();
    json!({ member: seconds })
}

pub(crate) fn set_token_lifetime(client: &mut Client, seconds: u64) {
    let before = json!(ClientSettings::from(&*client));
    let settings = ClientSettings::read(merge_patch(before, token_lifetime_patch(Some(seconds)))).unwrap();
    let tenant = state(client.tenant.as_str()).tenant;
    let after = check_client(&mut FieldErrors::default(), &tenant, &client.id, &settings);
    *client = Client { status: client.status, ..after };
}

pub(crate) fn secret(id: &str) -> SecretState {
    SecretState {
        secret: ClientSecret {
            id: SecretId::new(id),
            hash: material().hash,
            hint: material().hint,
            created_at: NOW,
            expires_at: None,
            revoked_at: None,
        },
        managed_by: ManagedBy::Api,
        revoked_by: None,
        declared_digest: None,
        declared_expires_at: None,
        name: None,
        fingerprint: None,
    }
}

pub(super) fn material() -> SecretMaterial {
    let value = Secret::new("lk_9xQ2".to_owned());
    SecretMaterial { hash: SecretHash::token([9; 32]), hint: "9xQ2".to_owned(), name: None, value }
}

pub(super) fn facts(state: TenantState) -> Facts {
    Facts { state: Some(state), ..Facts::default() }
}

pub(super) fn ask<T>(by: &Authority, decide: impl FnOnce(EditContext<'_>) -> T) -> T {
    let (tenant, policy, facts) = (&tenant_id("t"), &policy(), &Facts::default());
    decide(EditContext {
        tenant,
        by,
        if_match: None,
        policy,
        now: NOW,
        facts,
        secret_writer: &crate::administrator::secret_writer::NoStores,
    })
}

impl<'a> EditContext<'a> {
    /// This context with these rows.
    pub(super) fn on(self, facts: &'a Facts) -> Self {
        let tenant = facts.state.as_ref().map_or(self.tenant, |state| &state.tenant.id);
        Self { tenant, facts, ..self }
    }

    pub(super) fn at(self, tenant: &'a TenantId) -> Self {
        Self { tenant, ..self }
    }
}

/// The written rows, one on each line, or the refusal.
pub(super) fn described(edit: Result<Edit, EditError>) -> String {
    let edit = match edit {
        Ok(edit) => edit,
        Err(EditError::Invalid(errors)) => {
            let place = |error: &crate::edit::FieldError| match error.pointer.as_str() {
                "" => "all of it".to_owned(),
                pointer => pointer.to_owned(),
            };
            return errors.iter().map(place).collect::<Vec<_>>().join(" ");
        }
        Err(EditError::Forbidden(permission)) => return format!("forbidden: {}", permission.as_str()),
        Err(EditError::InsufficientPrivilege(_)) => return "insufficient privilege".to_owned(),
        Err(EditError::Conflict(_)) => return "conflict".to_owned(),
        Err(EditError::LimitReached(_)) => return "limit reached".to_owned(),
        Err(error) => return error.to_string(),
    };
    let kind = |kind: ChangeKind| match kind {
        ChangeKind::DeletionScheduled { due_at } => format!("due {}", due_at.seconds()),
        kind => kind.as_str().to_owned(),
    };
    let line = |change: &Change| match change {
        Change::Tenant(row) => format!("tenant {}", kind(row.kind)),
        Change::ResourceServer(_, row) => format!("{} {}", row.after.audience, kind(row.kind)),
        Change::Client(row) => format!("{} {}", row.after.id, kind(row.kind)),
        Change::Secret(_, client, secret) => format!("{client}/{} {}", secret.id, secret_kind(secret.kind)),
        Change::Tokens(_, None) => "tokens of the tenant".to_owned(),
        Change::Tokens(_, Some(client)) => format!("tokens of {client}"),
        Change::Account(row) => format!("{} {}", row.after.id, kind(row.kind)),
        Change::ApiKey(row) => format!("{}/{} {}", row.after.client, row.after.id, kind(row.kind)),
        Change::AccountPassword(_, account, change) => format!("password of {account} {change:?}"),
        Change::Sessions(_, account, None) => format!("sessions of {account}"),
        Change::Sessions(_, account, Some(session)) => format!("session {session} of {account}"),
        Change::Consent(_, account, client) => format!("consent of {account} for {client}"),
        Change::PasswordLink(_, account) => format!("link of {account}"),
        Change::Unlock(_, account) => format!("failures of {account}"),
        Change::FirstKey(..) | Change::Key(..) | Change::Application(_) => {
            panic!("no edit of ours: {change:?}")
        }
    };
    edit.changes.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn secret_kind(kind: SecretChangeKind) -> String {
    let end = |end: Option<Timestamp>| {
        end.map_or("never".to_owned(), |end| (end.seconds() - NOW.seconds()).to_string())
    };
    match kind {
        SecretChangeKind::Added { expires_at, .. } => format!("added until {}", end(expires_at)),
        SecretChangeKind::Rescheduled { before, after } => format!("from {} to {}", end(before), end(after)),
        SecretChangeKind::Restored { .. } | SecretChangeKind::Removed => panic!("only reconciling does this"),
        SecretChangeKind::Revoked => "revoked".to_owned(),
    }
}
