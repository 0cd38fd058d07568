//! The service of the API, the command line and the Thunder-compatible API. It loads the facts, lets the pure
//! rules in `edit` decide, hashes and seals outside any transaction, commits once, and invalidates caches.

mod account_import;
mod account_password;
mod account_sign_ins;
mod accounts;
mod advice;
mod api_keys;
mod applications;
mod attempts;
mod audit;
mod caller;
mod clients;
mod commit_with_retry;
mod console;
pub mod console_session;
mod cursor;
mod first_admin;
pub(crate) mod hashing;
mod idempotency;
mod key_change;
mod key_material;
mod key_views;
mod leaks;
mod load;
mod mail;
mod password_links;
mod readings;
mod refusals;
mod resource;
mod rotation_into;
pub mod rotation_progress;
mod scheduled_rotation;
mod secret_material;
pub mod secret_writer;
mod secrets;
mod signing_keys;
mod tenant_locks;
mod tenants;
mod usage;

use std::ops::Deref;
use std::sync::Arc;

use ::accounts::{AccountCodes, AccountId, Throttled};
use ::secrets::{KeyedDigest, Pepper};
use keys::{KeyPool, KeySealer};
use tenancy::{Issuer, Stored, TenantId, TenantTurns};
use values::{Lifetime, Timestamp};

use self::tenant_locks::TenantLocks;
use crate::administrator::secret_writer::{NoStores, SecretWriter};
use crate::audit::sign_ins::SignInCounts;
use crate::edit;
use crate::kinds::{Invalidation, Permission};
use crate::mail::{MailPolicy, MailSealer};
use crate::rules::UrlRule;
use crate::store::AdministrationStore;

pub use account_import::{AccountImport, IMPORT_BYTES, IMPORT_LINES, IMPORT_PASSWORDS};
pub use account_sign_ins::SignInsView;
pub use accounts::AccountFilter;
pub(crate) use accounts::find_declared;
pub use caller::{Caller, Idempotency};
pub use leaks::LeakedCredential;
pub use mail::CodePage;
pub use readings::{ApplicationReading, CredentialsReading, PersonReading, TenantReading};
pub use resource::Resource;
pub use scheduled_rotation::ScheduledRotation;
pub use usage::UsageQuery;

/// An operator's settings for all interfaces.
#[derive(Clone, Debug)]
pub struct EditPolicy {
    /// The public URL, from which issuers and endpoints are derived.
    pub public_url: String,
    /// The most live secrets that a client may have.
    pub live_secrets: u64,
    /// How many live API keys a client may have.
    pub api_keys: u64,
    /// How many clients a tenant may have.
    pub clients: u64,
    /// How long an administrator can cancel the deletion of a tenant.
    pub deletion_grace: Lifetime,
    /// How long a replica may use rows from its own memory.
    pub l1_lifetime: Lifetime,
    /// Decides to which URLs of tenants and clients the server may send requests.
    pub urls: UrlRule,
    /// Who can be sent mail.
    pub mail: MailPolicy,
}

/// The result of a creation, or of an earlier request with the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    pub value: T,
    /// Whether an earlier request with the same idempotency key created the row.
    pub replayed: bool,
}

/// Reads the current time. Slow work of a request needs the current time, because the `now` of the request is
/// in the past by then.
pub type ReadClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Removes changed rows from the caches of this process.
pub type Publish = Arc<dyn Fn(&[Invalidation]) + Send + Sync>;

/// Returns whether an account refuses unknown browsers, and how many wrong passwords in a row they have sent.
/// Each process counts its own.
pub type ThrottledNow =
    Arc<dyn Fn(&TenantId, &AccountId, Timestamp) -> (Option<Throttled>, u64) + Send + Sync>;

/// Changes tenants, clients, secrets and keys for authorized callers.
pub struct Administrator {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    pool: KeyPool,
    policy: EditPolicy,
    publish: Publish,
    clock: ReadClock,
    tenant_locks: TenantLocks,
    slow_hashes: TenantTurns,
    /// Computes the digests of the secrets that open console sessions.
    console: KeyedDigest,
    codes: AccountCodes,
    mail_sealer: MailSealer,
    imports: TenantTurns,
    sign_ins: parking_lot::Mutex<SignInCounts>,
    throttled: ThrottledNow,
    secret_writer: Arc<dyn SecretWriter>,
}

/// The administration of one tenant for one caller. The tenant need not exist yet.
#[derive(Clone, Copy)]
pub struct InTenant<'a> {
    administrator: &'a Administrator,
    caller: &'a Caller,
    tenant: &'a TenantId,
}

/// The number of slow hashes that run at the same time. Each needs 19 MiB and 11 ms of a core, and the token
/// endpoint needs the cores more. Tenants take turns.
const SLOW_HASHES: usize = 2;
/// The most slow hashes of one tenant that may wait for a turn.
const SLOW_HASHES_WAITING: usize = 1_024;

impl Administrator {
    #[must_use]
    pub fn new(
        store: Arc<dyn AdministrationStore>,
        sealer: Arc<dyn KeySealer>,
        pepper: Arc<Pepper>,
        pool: KeyPool,
        policy: EditPolicy,
        publish: Publish,
        clock: ReadClock,
    ) -> Self {
        let (tenant_locks, sign_ins) = (TenantLocks::default(), parking_lot::Mutex::default());
        let slow_hashes = TenantTurns::new(SLOW_HASHES, SLOW_HASHES_WAITING);
        let imports = {
            use account_import::{AT_ONCE, AT_ONCE_OF_TENANT, WAITING};
            TenantTurns::bounded(AT_ONCE, AT_ONCE_OF_TENANT, WAITING)
        };
        let console = KeyedDigest::for_purpose(pepper.expose(), "latchkey console session 1");
        let (codes, mail_sealer) = (AccountCodes::new(&pepper), MailSealer::new(&pepper));
        Self {
            store,
            sealer,
            pepper,
            pool,
            policy,
            publish,
            clock,
            tenant_locks,
            slow_hashes,
            console,
            codes,
            mail_sealer,
            imports,
            sign_ins,
            throttled: Arc::new(|_, _, _| (None, 0)),
            secret_writer: Arc::new(NoStores),
        }
    }

    /// Writes the secrets of rotations to these secret stores.
    #[must_use]
    pub fn writing(self, secret_writer: Arc<dyn SecretWriter>) -> Self {
        Self { secret_writer, ..self }
    }

    /// Shows which accounts are throttled. Without this function no account is shown as throttled, because
    /// only a program with sign-in counts failures.
    #[must_use]
    pub fn showing(self, throttled: ThrottledNow) -> Self {
        Self { throttled, ..self }
    }

    /// The public URL of the server. The documentation links start with this URL.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.policy.public_url
    }

    /// Finds the tenants that have these issuers or aliases, including deleted tenants. The store has an
    /// index for this.
    pub async fn issuer_owners(&self, issuers: &[Issuer]) -> Stored<Vec<(Issuer, TenantId)>> {
        self.store.find_issuer_owners(issuers).await
    }

    #[must_use]
    pub const fn of<'a>(&'a self, caller: &'a Caller, tenant: &'a TenantId) -> InTenant<'a> {
        InTenant { administrator: self, caller, tenant }
    }
}

impl Deref for InTenant<'_> {
    type Target = Administrator;

    fn deref(&self) -> &Administrator {
        self.administrator
    }
}

impl InTenant<'_> {
    fn require(&self, permission: Permission) -> edit::Edited<()> {
        self.caller.authority.require_in(self.tenant, permission)
    }

    fn context<'c>(&'c self, facts: &'c edit::Facts) -> edit::EditContext<'c> {
        let Self { caller, tenant, .. } = *self;
        let Caller { authority: by, now, if_match, .. } = caller;
        edit::EditContext {
            tenant,
            by,
            if_match: if_match.as_deref(),
            policy: &self.policy,
            now: *now,
            facts,
            secret_writer: &*self.secret_writer,
        }
    }
}
