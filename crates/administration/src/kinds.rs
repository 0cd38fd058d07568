//! All kinds of rows with fields. The file of a kind says its name and its fields, the row after a commit,
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

/// A kind of row with fields. Values that only the store decides (status, previous `typ` values, secrets) are
/// not among the fields.
pub trait Kind: Clone {
    /// The noun of these rows in plans. The audit writes it with `_` for each space.
    const NOUN: &'static str;
    /// The key of its rows in files, and the segment of their paths in the API.
    const COLLECTION: &'static str;
    /// Whether the values are personal data. Plans and audit records then contain only the names of the
    /// fields, because the audit outlives accounts.
    const IS_PERSONAL: bool = false;
    /// Fields of such a row whose values the audit contains nevertheless: those that an administrator decides
    /// about the person.
    const AUDITED: &'static [&'static str] = &[];

    /// Names, as in configuration, and values, in the order of the document.
    fn fields(&self) -> Vec<(String, String)>;

    /// Names it in its tenant.
    fn name(&self) -> String;

    /// Whether this kind of change exists for these rows. Only tenants are deleted in two steps.
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

    /// Decides the rows after the commit, the cache entry that becomes invalid, and the effects on tokens,
    /// from the previous rows and the decisions so far. Returns nothing if the change does not fit the rows.
    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()>;
}

/// A permission of an administrator. Each is a reserved scope of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Create, change, suspend and delete tenants. Only the platform has it.
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

// The scopes that give them.
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

    /// The permission of this scope, if it is a reserved one.
    #[must_use]
    pub fn of_scope(scope: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|(name, _)| *name == scope).map(|(_, permission)| permission)
    }
}

/// A change to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A change of a tenant's own row.
    Tenant(RowChange<Tenant>),
    ResourceServer(TenantId, RowChange<ResourceServer>),
    /// A change of a client, which names its tenant.
    Client(RowChange<Client>),
    Secret(TenantId, ClientId, change::SecretChange),
    /// The tenant begins with an imported key.
    FirstKey(TenantId, FirstKey),
    /// A change of a signing key of the tenant.
    Key(TenantId, change::KeyChange),
    /// A change of an application, which names its tenant. Its client has a change of its own.
    Application(RowChange<Application>),
    /// A change of an account, which names its tenant.
    Account(RowChange<Account>),
    /// A change of an API key, which names its tenant: added, changed, restricted or revoked.
    ApiKey(RowChange<ApiKey>),
    /// A change of the password of an account. The stored form is beside the change.
    AccountPassword(TenantId, AccountId, change::PasswordChange),
    /// All sessions of an account until now end, or one of them.
    Sessions(TenantId, AccountId, Option<SessionId>),
    /// The consent of an account to a client is deleted.
    Consent(TenantId, AccountId, ClientId),
    /// The failed sign-ins of an account are forgotten, so that it no longer refuses browsers because of
    /// them. No row of it changes.
    Unlock(TenantId, AccountId),
    /// A link was created with which its holder sets the password of the account. No row changes.
    PasswordLink(TenantId, AccountId),
    /// All tokens that were issued until now by the tenant, or to one of its clients, are revoked. Their rows
    /// do not change.
    Tokens(TenantId, Option<ClientId>),
}

/// A `match` over a change, with one arm for the rows of every kind.
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

/// A change of a row that names its tenant is a change.
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
    /// The tenant whose rows change.
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

/// A thing that has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Invalidation {
    /// The tenant's own row or its resource servers.
    Tenant(TenantId),
    /// A client or its secrets.
    Client(TenantId, ClientId),
    /// The tenant's keys.
    Keys(TenantId),
    Revocations(TenantId),
    Account(TenantId, AccountId),
    ApiKey(TenantId, ApiKeyId),
}

impl Invalidation {
    /// The kinds of which a tenant has several, so that each thing has a name.
    pub const NAMED_KINDS: [&str; 3] = ["client", "account", "api_key"];

    /// The tenant of the row.
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

    /// The thing of this kind, and with this name where its tenant has several.
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

    /// The word for its kind, and its name in the tenant where the tenant has several.
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

/// The rows that most requests read: from caches, or from the store.
#[derive(Clone)]
pub struct RequestRows {
    pub tenants: TenantResolver,
    pub clients: Arc<dyn ClientStore>,
    /// The rules of clients over assertions of other issuers.
    pub federated: Arc<dyn FederatedClientStore>,
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// The revocations of tenants.
    pub revocations: Arc<dyn RevocationStore>,
    /// People, for what a page or userinfo shows.
    pub accounts: Arc<dyn AccountStore>,
    /// Pictures of tenants.
    pub logos: Arc<dyn LogoStore>,
}

/// A tenant with all that belongs to it.
#[derive(Debug)]
pub struct DeclaredTenant {
    /// Identity, policies and resource servers. Its status is active and it has no previous `typ`, because a
    /// file cannot declare either.
    pub tenant: Tenant,
    /// Its clients, each id once.
    pub clients: Vec<DeclaredClient>,
    pub accounts: Vec<account::Declared>,
    /// The first key. Without it, the first key is generated.
    pub first_key: Option<ImportedKey>,
}

/// One tenant with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantState {
    /// The tenant as requests see it: with its live resource servers only.
    pub tenant: Tenant,
    pub lifecycle: RowLifecycle,
    /// Every commit that changes the tenant or one of its rows increments it. A plan that was made on one
    /// revision is written on that revision or not at all.
    pub revision: u64,
    /// When the last token that was issued under a longer lifetime than today's expires.
    pub previous_tokens_until: Option<Timestamp>,
    /// All its resource servers, with retired and deleted ones.
    pub resource_servers: Vec<ResourceServerState>,
    /// The number of its clients that are neither retired nor deleted, loaded or not.
    pub client_count: u64,
    /// All its clients, with retired and deleted ones.
    pub clients: Vec<client::State>,
    /// The rules of its clients over assertions of other issuers, where an edit concerns such rules.
    pub trust_rules: Vec<(ClientId, TrustRules)>,
    /// The accounts that an edit or a declaration concerns. A tenant may have so many that no state contains
    /// all of them.
    pub accounts: Vec<account::State>,
    /// The API keys that an edit concerns.
    pub api_keys: Vec<api_key::State>,
    /// The thumbprint of the key that was imported as its first.
    pub first_key_thumbprint: Option<String>,
    /// Whether it ever had a key.
    pub has_had_keys: bool,
}

/// Puts the row in the place of the one with its name.
fn replace<R: Clone>(rows: &mut Vec<R>, row: &R, is_same: impl Fn(&R) -> bool) {
    rows.retain(|before| !is_same(before));
    rows.push(row.clone());
}

impl Rows {
    /// Puts the rows into the state of their tenant: those that were loaded, and new ones.
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
    /// A new tenant without anything that belongs to it.
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

/// The noun of the rows that a file has under this key.
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
