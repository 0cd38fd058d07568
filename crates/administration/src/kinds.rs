//! All kinds of rows with fields. The module of a kind defines its name, its fields, the row after a commit,
//! and the other effects of a change.

pub mod account;
pub mod api_key;
mod application;
pub mod authority;
pub mod change;
pub mod client;
pub(crate) mod fields;
mod resource_server;
pub mod revocations;
pub mod state;
mod tenant;

use std::sync::Arc;

use accounts::{Account, AccountId, AccountStore};
use keys::ImportedKey;
use protocol::{Scope, ScopeToken};
use registry::{
    ApiKey, ApiKeyId, ApiKeyStore, Client, ClientId, ClientStore, FederatedClientStore, RevocationStore,
    TrustRules,
};
use serde::{Deserialize, Serialize};
use sessions::SessionId;
use tenancy::{LogoStore, ResourceServer, Tenant, TenantId, TenantResolver};
use values::{Timestamp, named};

use crate::declaration::DeclaredClient;
use crate::documents::application::Application;
use crate::kinds::change::{ChangeKind, FirstKey, RowChange};
use crate::kinds::state::RowLifecycle;
use crate::rows::Decided;
use crate::store::Rows;

pub(crate) use account::keep_verification;
pub use account::{Accounts, LISTED_SESSIONS, check_account, password_context};
pub use api_key::{ApiKeyRows, check_api_key};
pub use resource_server::ResourceServerState;
pub use tenant::TenantRow;
pub(crate) use tenant::longest_lifetime;

/// A kind of row with fields. Values that only the store decides are not fields: status, previous `typ`
/// values, secrets.
pub trait Kind: Clone {
    const NOUN: &'static str;
    /// The key of these rows in files, and the segment of their paths in the API.
    const COLLECTION: &'static str;
    /// Whether the values are personal data. Plans and audit records then contain only the names of the
    /// fields, because audit records outlive accounts.
    const IS_PERSONAL: bool = false;
    /// Fields of personal rows whose values the audit contains nevertheless, because an administrator decides
    /// them.
    const AUDITED: &'static [&'static str] = &[];

    /// The fields with the names of the configuration, and their values, in the order of the document.
    fn fields(&self) -> Vec<(String, String)>;

    fn name(&self) -> String;

    /// Whether rows of this kind can change like this. Only tenants are deleted in two steps.
    #[must_use]
    fn knows(kind: ChangeKind) -> bool {
        !matches!(
            kind,
            ChangeKind::DeletionScheduled { .. }
                | ChangeKind::DeletionCancelled
                | ChangeKind::Restricted
                | ChangeKind::Revoked
        )
    }

    /// Decides the rows after the commit, the cache entry to invalidate, and the effects on tokens, from the
    /// previous rows and the decisions so far. Returns `None` if the change does not fit the rows.
    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()>;
}

/// A permission of an administrator. Each permission is a reserved scope of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Create, change, suspend and delete tenants. Only clients and accounts of the platform can have this
    /// permission.
    Tenants,
    /// Manage clients and their secrets.
    Clients,
    /// Manage accounts of people, and end their sessions.
    Accounts,
    /// Manage signing keys.
    Keys,
    /// Read the audit.
    Audit,
}

// The scopes that give the permissions.
named! {
    Permission {
        Tenants => "latchkey:tenants",
        Clients => "latchkey:clients",
        Accounts => "latchkey:accounts",
        Keys => "latchkey:keys",
        Audit => "latchkey:audit"
    }
}

impl Permission {
    /// The scopes of all permissions that a tenant's own administrators can have.
    #[must_use]
    pub fn all_of_tenants() -> Scope {
        let of_tenants = Self::NAMED.into_iter().filter(|(_, permission)| *permission != Self::Tenants);
        of_tenants.filter_map(|(name, _)| ScopeToken::parse(name).ok()).collect()
    }

    /// Whether the scope has every permission that an account or client of the tenant can have.
    pub(crate) fn are_all_in(scope: &Scope, tenant: &TenantId) -> bool {
        let is_of_platform = tenant.as_str() == TenantId::PLATFORM;
        let mut needed =
            Self::NAMED.iter().filter(|(_, permission)| is_of_platform || *permission != Self::Tenants);
        needed.all(|(name, _)| scope.iter().any(|token| token.as_str() == *name))
    }

    /// The permission of this scope, if the scope is reserved.
    #[must_use]
    pub fn of_scope(scope: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|(name, _)| *name == scope).map(|(_, permission)| permission)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Tenant(RowChange<Tenant>),
    ResourceServer(TenantId, RowChange<ResourceServer>),
    /// The row names its tenant.
    Client(RowChange<Client>),
    Secret(TenantId, ClientId, change::SecretChange),
    /// The tenant begins with an imported key.
    FirstKey(TenantId, FirstKey),
    Key(TenantId, change::KeyChange),
    /// The row names its tenant. The client of the application has a change of its own.
    Application(RowChange<Application>),
    /// The row names its tenant.
    Account(RowChange<Account>),
    /// The row names its tenant. The key is added, changed, restricted or revoked.
    ApiKey(RowChange<ApiKey>),
    /// The stored form of the password is not part of the change.
    AccountPassword(TenantId, AccountId, change::PasswordChange),
    /// All earlier sessions of an account end, or only this session.
    Sessions(TenantId, AccountId, Option<SessionId>),
    Consent(TenantId, AccountId, ClientId),
    /// The failed sign-ins of an account are forgotten, so that it accepts all browsers again. No row
    /// changes.
    Unlock(TenantId, AccountId),
    /// A link was created with which the person sets the password of the account. No row changes.
    PasswordLink(TenantId, AccountId),
    /// All earlier tokens of the tenant, or of one of its clients, are revoked. Their rows do not change.
    Tokens(TenantId, Option<ClientId>),
}

macro_rules! match_change {
    ($change:expr, $row:ident => $of_row:expr, $($others:tt)*) => {
        match $change {
            Change::Tenant($row) => $of_row,
            Change::ResourceServer(_, $row) => $of_row,
            Change::Client($row) => $of_row,
            Change::Application($row) => $of_row,
            Change::Account($row) => $of_row,
            Change::ApiKey($row) => $of_row,
            $($others)*
        }
    };
}
pub(crate) use match_change;

/// Implements the conversion from the change of a row that names its tenant.
macro_rules! changes_of_rows {
    ($($kind:ident),+) => {$(
        impl From<RowChange<$kind>> for Change {
            fn from(row: RowChange<$kind>) -> Self {
                Self::$kind(row)
            }
        }
    )+};
}

changes_of_rows!(Tenant, Client, Application, Account, ApiKey);

impl Change {
    /// Whether the changed row has a revision of its own, which guards the change instead of the tenant's.
    pub(crate) const fn has_own_revision(&self) -> bool {
        matches!(self, Self::ApiKey(_))
    }

    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Tenant(row) => &row.after.id,
            Self::Client(row) => &row.after.tenant,
            Self::Application(row) => &row.after.tenant,
            Self::Account(row) => &row.after.tenant,
            Self::ApiKey(row) => &row.after.tenant,
            Self::ResourceServer(tenant, _)
            | Self::Secret(tenant, _, _)
            | Self::FirstKey(tenant, _)
            | Self::Key(tenant, _)
            | Self::AccountPassword(tenant, _, _)
            | Self::Sessions(tenant, _, _)
            | Self::Consent(tenant, _, _)
            | Self::Unlock(tenant, _)
            | Self::PasswordLink(tenant, _)
            | Self::Tokens(tenant, _) => tenant,
        }
    }
}

/// What caches must read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Invalidation {
    /// The tenant's own row or its resource servers.
    Tenant(TenantId),
    Client(TenantId, ClientId),
    Keys(TenantId),
    Revocations(TenantId),
    Account(TenantId, AccountId),
    ApiKey(TenantId, ApiKeyId),
}

impl Invalidation {
    /// The kinds of which a tenant has several, so that an invalidation needs a name.
    pub const NAMED_KINDS: [&str; 3] = ["client", "account", "api_key"];

    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        match self {
            Self::Tenant(tenant)
            | Self::Client(tenant, _)
            | Self::Keys(tenant)
            | Self::Account(tenant, _)
            | Self::ApiKey(tenant, _)
            | Self::Revocations(tenant) => tenant,
        }
    }

    /// The invalidation for this kind. `name` is needed if a tenant has several.
    #[must_use]
    pub fn new(kind: &str, tenant: TenantId, name: Option<&str>) -> Option<Self> {
        match (kind, name) {
            ("tenant", None) => Some(Self::Tenant(tenant)),
            ("keys", None) => Some(Self::Keys(tenant)),
            ("revocations", None) => Some(Self::Revocations(tenant)),
            ("client", Some(name)) => Some(Self::Client(tenant, name.parse().ok()?)),
            ("account", Some(name)) => Some(Self::Account(tenant, name.parse().ok()?)),
            ("api_key", Some(name)) => Some(Self::ApiKey(tenant, name.parse().ok()?)),
            _ => None,
        }
    }

    /// The word for the kind, and the name if a tenant has several.
    #[must_use]
    pub fn kind_and_name(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Tenant(_) => ("tenant", None),
            Self::Client(_, client) => ("client", Some(client.as_str())),
            Self::Keys(_) => ("keys", None),
            Self::Revocations(_) => ("revocations", None),
            Self::Account(_, account) => ("account", Some(account.as_str())),
            Self::ApiKey(_, key) => ("api_key", Some(key.as_str())),
        }
    }
}

/// The sources of the rows that most requests read: caches, or the store.
#[derive(Clone)]
pub struct RequestRows {
    pub tenants: TenantResolver,
    pub clients: Arc<dyn ClientStore>,
    pub federated: Arc<dyn FederatedClientStore>,
    pub api_keys: Arc<dyn ApiKeyStore>,
    pub revocations: Arc<dyn RevocationStore>,
    /// People, for pages and userinfo.
    pub accounts: Arc<dyn AccountStore>,
    pub logos: Arc<dyn LogoStore>,
}

/// A tenant with all that belongs to it.
#[derive(Debug)]
pub struct DeclaredTenant {
    /// Identity, policies and resource servers. The status is active and there is no previous `typ`, because
    /// files can declare neither.
    pub tenant: Tenant,
    /// Each id occurs once.
    pub clients: Vec<DeclaredClient>,
    pub accounts: Vec<account::Declared>,
    /// `None`: the first key is generated.
    pub first_key: Option<ImportedKey>,
}

/// A tenant with the rows that belong to it, as far as they were loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantState {
    /// The tenant as token requests see it: only with its live resource servers.
    pub tenant: Tenant,
    pub lifecycle: RowLifecycle,
    /// Every commit that changes the tenant or one of its rows increments the revision. A plan is written
    /// only if the revision is still the one on which the plan was decided.
    pub revision: u64,
    /// When the last token expires that was issued with a longer lifetime than today's.
    pub previous_tokens_until: Option<Timestamp>,
    /// All resource servers, including retired and deleted ones.
    pub resource_servers: Vec<ResourceServerState>,
    /// The number of clients that are neither retired nor deleted, including clients that are not loaded.
    pub client_count: u64,
    /// Includes retired and deleted clients.
    pub clients: Vec<client::State>,
    /// The trust rules of its clients for assertions of other issuers, if the edit needs them.
    pub trust_rules: Vec<(ClientId, TrustRules)>,
    /// The accounts that the edit or declaration needs. A tenant may have too many accounts to load them all.
    pub accounts: Vec<account::State>,
    /// The API keys that the edit needs.
    pub api_keys: Vec<api_key::State>,
    /// The thumbprint of the first key, if it was imported.
    pub first_key_thumbprint: Option<String>,
    /// Whether the tenant has ever had a key.
    pub has_had_keys: bool,
}

/// Replaces the row that `is_same` finds, or adds the row.
fn replace<R: Clone>(rows: &mut Vec<R>, row: &R, is_same: impl Fn(&R) -> bool) {
    rows.retain(|before| !is_same(before));
    rows.push(row.clone());
}

impl Rows {
    /// Updates the state of the tenant with these rows.
    pub(crate) fn put_into(&self, state: &mut TenantState) {
        self.tenants.values().for_each(|row| row.put_into(state));
        for row in self.resource_servers.values() {
            let audience = &row.resource_server.audience;
            replace(&mut state.resource_servers, row, |before| before.resource_server.audience == *audience);
        }
        let live = state.resource_servers.iter().filter(|row| row.lifecycle.is_live());
        state.tenant.resource_servers = live.map(|row| row.resource_server.clone()).collect();
        for row in self.clients.values() {
            match state.clients.iter_mut().find(|before| before.client.id == row.client.id) {
                Some(before) => (before.client, before.lifecycle) = (row.client.clone(), row.lifecycle),
                None => state.clients.push(row.clone()),
            }
        }
        for row in self.accounts.values() {
            replace(&mut state.accounts, row, |before| before.account.id == row.account.id);
        }
        for row in self.api_keys.values() {
            replace(&mut state.api_keys, row, |before| before.key.id == row.key.id);
        }
        // New secrets come last.
        for ((_, client, id), secret) in self.secrets.iter().chain(&self.new_secrets) {
            let Some(row) = state.clients.iter_mut().find(|row| row.client.id == *client) else { continue };
            replace(&mut row.secrets, secret, |before| before.secret.id == *id);
        }
    }
}

impl TenantState {
    /// A new tenant without further rows.
    #[must_use]
    pub fn added(tenant: Tenant, lifecycle: RowLifecycle) -> Self {
        Self {
            tenant,
            lifecycle,
            revision: 1,
            previous_tokens_until: None,
            trust_rules: Vec::new(),
            resource_servers: Vec::new(),
            client_count: 0,
            clients: Vec::new(),
            accounts: Vec::new(),
            api_keys: Vec::new(),
            first_key_thumbprint: None,
            has_had_keys: false,
        }
    }
}

/// The noun for the rows that a file lists under this key.
#[must_use]
pub fn rows_of(collection: &str) -> Option<&'static str> {
    let kinds = [
        (Tenant::COLLECTION, Tenant::NOUN),
        (ResourceServer::COLLECTION, ResourceServer::NOUN),
        (Client::COLLECTION, Client::NOUN),
        (Account::COLLECTION, Account::NOUN),
    ];
    kinds.iter().find(|(known, _)| *known == collection).map(|(_, noun)| *noun)
}
