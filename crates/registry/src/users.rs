//! The administrators that the configuration declares. They are few and only in memory; a reload replaces all
//! of them.
//!
//! Their passwords share one salt if possible, so each sign-in costs one argon2id, for known and unknown
//! names.
//!
//! They are no accounts, because callers of the Thunder-compatible API would lose: names of any bytes,
//! compared exactly; the permission `system`; the right password, which is never refused after wrong ones;
//! and a removal that counts while the store does not answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use parking_lot::RwLock;
use subtle::ConstantTimeEq as _;
use tenancy::Tenant;
use tokio::time::sleep;
use values::{Secret, Timestamp};

use crate::flow_id::FlowIds;
use secrets::{
    Busy, CallerAddress, FailedAttempts, HashJob, HashPool, KeyedDigest, Lane, OutOfMemory, PasswordSalt,
    Pepper, SecretHash, SignInDelays, hash_password, is_fit_secret, salt_of,
};

pub struct Users {
    pool: Arc<HashPool>,
    failed_attempts: FailedAttempts,
    flow_ids: FlowIds,
    delays: SignInDelays,
    /// The key of the digests that identify a password ([`Users::has_credential`]).
    credentials: KeyedDigest,
    samples: &'static [&'static str],
    declared: RwLock<Arc<Declared>>,
}

#[derive(Debug)]
pub struct DeclaredUser {
    pub name: String,
    pub password: DeclaredPassword,
    /// The permissions that the person may request.
    pub permissions: Vec<String>,
}

#[derive(Debug)]
pub enum DeclaredPassword {
    Value(Secret),
    /// An argon2id hash with this server's parameters.
    Hash(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInUser {
    pub name: String,
    /// The permissions that the person may request.
    pub permissions: Vec<String>,
    /// A digest that identifies the password, see [`Users::has_credential`]. Reveals nothing about the
    /// password.
    pub credential: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserSignInError {
    /// An unknown name or a wrong password. Callers cannot distinguish them.
    #[error("the user name or the password is wrong")]
    Refused,
    /// Too many passwords are waiting to be checked.
    #[error("too many passwords are waiting to be checked")]
    Busy,
}

#[derive(Default)]
struct Declared {
    users: BTreeMap<String, User>,
    /// The applications that a sign-in may name.
    applications: Vec<String>,
    /// The salt of all hashes except imported ones.
    salt: Option<PasswordSalt>,
}

struct User {
    hash: SecretHash,
    permissions: Vec<String>,
    /// A keyed digest of the declared password. The hash would not do, because it has a new salt after each
    /// start.
    credential: String,
}

pub struct HashedUsers {
    users: Vec<(DeclaredUser, SecretHash)>,
    applications: Vec<String>,
    salt: PasswordSalt,
}

impl HashedUsers {
    /// Hashes declared passwords. `applications` are the ids that sign-ins may name. Each password takes 11
    /// ms of a core, so do not call this on a thread that serves requests.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub fn from_declared(
        declared: impl IntoIterator<Item = DeclaredUser>,
        applications: Vec<String>,
    ) -> Result<Self, OutOfMemory> {
        let salt = PasswordSalt::generate();
        let hashed = declared.into_iter().map(|user| {
            let hash = match &user.password {
                DeclaredPassword::Value(password) => hash_password(password, &salt)?,
                DeclaredPassword::Hash(phc) => SecretHash::Password(phc.clone()),
            };
            Ok((user, hash))
        });
        Ok(Self { users: hashed.collect::<Result<_, _>>()?, applications, salt })
    }
}

impl Users {
    /// Creates the service without people.
    #[must_use]
    pub fn new(pool: Arc<HashPool>, pepper: &Pepper, failed_attempts: FailedAttempts) -> Self {
        let flow_ids = FlowIds::new(pepper);
        let credentials = KeyedDigest::for_purpose(pepper.expose(), "latchkey sign-in credential 1");
        let (samples, delays, declared) = (&[][..], SignInDelays::default(), RwLock::default());
        Self { pool, failed_attempts, flow_ids, delays, credentials, samples, declared }
    }

    /// Sets published sample passwords that are refused for all people.
    #[must_use]
    pub fn refusing(self, samples: &'static [&'static str]) -> Self {
        Self { samples, ..self }
    }

    /// Replaces all declared people.
    pub fn replace(&self, users: HashedUsers) {
        let HashedUsers { users, applications, salt } = users;
        let user = |(DeclaredUser { name, password, permissions }, hash)| {
            let credential = self.credential(&name, &password);
            (name, User { hash, permissions, credential })
        };
        let users = users.into_iter().map(user).collect();
        let declared = Declared { users, applications, salt: Some(salt) };
        *self.declared.write() = Arc::new(declared);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.declared().users.is_empty()
    }

    #[must_use]
    pub fn accepts_application(&self, id: &str) -> bool {
        self.declared().applications.iter().any(|accepted| accepted == id)
    }

    /// A new identifier for a sign-in with two calls. Nothing is stored.
    #[must_use]
    pub fn begin_flow(&self, now: Timestamp) -> String {
        self.flow_ids.generate(now)
    }

    /// Whether this or another replica issued the identifier less than ten minutes ago.
    #[must_use]
    pub fn is_flow(&self, id: &str, now: Timestamp) -> bool {
        self.flow_ids.admits(id, now)
    }

    /// Whether this person is still declared and still has the permission. A change of the configuration
    /// invalidates earlier sign-ins.
    #[must_use]
    pub fn permits(&self, name: &str, permission: &str) -> bool {
        self.declared()
            .users
            .get(name)
            .is_some_and(|user| user.permissions.iter().any(|held| held == permission))
    }

    #[must_use]
    pub fn is_declared(&self, name: &str) -> bool {
        self.declared().users.contains_key(name)
    }

    /// Whether this person is still declared with the password of this digest. Changing the password
    /// invalidates earlier sign-ins.
    #[must_use]
    pub fn has_credential(&self, name: &str, credential: &str) -> bool {
        let declared = self.declared();
        let own = declared.users.get(name).map(|user| user.credential.as_bytes());
        own.is_some_and(|own| own.ct_eq(credential.as_bytes()).into())
    }

    /// Checks a password as one attempt at this tenant. Costs one argon2id for known and unknown names. After
    /// failures of the same name from the same source, waits up to five seconds first. Over the limit of
    /// failed attempts, the hash waits behind all others.
    ///
    /// # Errors
    /// [`UserSignInError`]. Only a refusal counts as a failed attempt.
    pub async fn sign_in(
        &self,
        tenant: &Tenant,
        name: &str,
        password: Secret,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Result<SignedInUser, UserSignInError> {
        let delay = self.delays.begin(name, *source, now);
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let attempt = self.failed_attempts.begin(&tenant.id, tenant.limits.failed_attempts, source, now);
        let declared = self.declared();
        let may_open = is_fit_secret(password.expose()) && !self.samples.contains(&password.expose());
        let user = declared.users.get(name).filter(|_| may_open);
        let own_salt = user.and_then(|user| match &user.hash {
            SecretHash::Password(phc) => salt_of(phc),
            SecretHash::Token(_) => None,
        });
        let salt = own_salt.or_else(|| declared.salt.clone()).unwrap_or_else(PasswordSalt::dummy);
        // A text that cannot be a password is replaced by a dummy, so that the duration is the same.
        let secret = if may_open { password } else { Secret::new(String::new()) };
        let lane = if attempt.is_over_limit() { Lane::Last } else { Lane::SignIn };
        let job = HashJob { secret, salt, key: None, only_if: None };
        let hashed = self.pool.hash(&tenant.id, job, lane, source).await;
        let hash = match hashed {
            Ok(hash) => hash,
            Err(Busy) => {
                self.delays.unchecked(name, *source);
                attempt.forgive();
                return Err(UserSignInError::Busy);
            }
        };
        let user = user.filter(|user| user.hash.matches(&hash)).ok_or(UserSignInError::Refused)?;
        attempt.forgive();
        self.delays.succeeded(name, *source);
        let User { permissions, credential, .. } = user;
        Ok(SignedInUser {
            name: name.to_owned(),
            permissions: permissions.clone(),
            credential: credential.clone(),
        })
    }

    fn credential(&self, name: &str, password: &DeclaredPassword) -> String {
        let (form, password) = match password {
            DeclaredPassword::Value(password) => ("value", password.expose()),
            DeclaredPassword::Hash(phc) => ("hash", phc.as_str()),
        };
        let digest = self.credentials.of([form, name, password].map(str::as_bytes));
        BASE64URL.encode(&digest[..16])
    }

    fn declared(&self) -> Arc<Declared> {
        Arc::clone(&self.declared.read())
    }
}

impl fmt::Debug for HashedUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.users.iter().map(|(user, _)| &user.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use values::Rate;

    use super::*;
    use crate::authentication::authenticator::tests::tenant;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn declared(name: &str, password: &str) -> DeclaredUser {
        DeclaredUser {
            name: name.to_owned(),
            password: DeclaredPassword::Value(Secret::new(password.to_owned())),
            permissions: vec!["system".to_owned()],
        }
    }

    fn copy(user: &DeclaredUser) -> DeclaredUser {
        let password = match &user.password {
            DeclaredPassword::Value(password) => {
                DeclaredPassword::Value(Secret::new(password.expose().to_owned()))
            }
            DeclaredPassword::Hash(phc) => DeclaredPassword::Hash(phc.clone()),
        };
        DeclaredUser { name: user.name.clone(), password, permissions: user.permissions.clone() }
    }

    fn users(declared: impl IntoIterator<Item = DeclaredUser>) -> (Users, Arc<HashPool>) {
        start(&Pepper::generate(), Rate::per_minute(10_000), declared)
    }

    fn start(
        pepper: &Pepper,
        limit: Rate,
        declared: impl IntoIterator<Item = DeclaredUser>,
    ) -> (Users, Arc<HashPool>) {
        let pool = Arc::new(HashPool::start(NonZeroUsize::MIN).unwrap());
        let users = Users::new(Arc::clone(&pool), pepper, FailedAttempts::new(limit));
        users.replace(HashedUsers::from_declared(declared, Vec::new()).unwrap());
        (users, pool)
    }

    async fn sign_in(users: &Users, name: &str, password: &str) -> Result<SignedInUser, UserSignInError> {
        users
            .sign_in(&tenant("acme"), name, Secret::new(password.to_owned()), &CallerAddress::new(None), NOW)
            .await
    }

    // [V11 11.4.2]
    #[tokio::test]
    async fn password_signs_in_only_its_user() {
        let (users, _) = users([declared("admin", "admin"), declared("root", "other")]);
        for (name, password, expected) in [
            ("admin", "admin", true),
            ("root", "other", true),
            ("admin", "other", false),
            ("root", "admin", false),
            ("Admin", "admin", false),
            ("admin", "", false),
            ("nobody", "admin", false),
            ("", "", false),
        ] {
            let signed_in = sign_in(&users, name, password).await;
            assert_eq!(signed_in.is_ok(), expected, "{name}:{password}");
        }
    }

    #[tokio::test]
    async fn every_sign_in_costs_one_hash() {
        let (users, pool) = users([declared("admin", "admin"), declared("root", "other")]);
        let long = "x".repeat(5000);
        for (name, password) in
            [("admin", "admin"), ("admin", "wrong"), ("nobody", "wrong"), ("admin", ""), ("admin", &long)]
        {
            let before = pool.hashes_computed();
            drop(sign_in(&users, name, password).await);
            assert_eq!(pool.hashes_computed() - before, 1, "{name}");
        }
    }

    #[tokio::test]
    async fn user_with_imported_hash_can_sign_in() {
        let phc = hash_password(&Secret::new("imported".to_owned()), &PasswordSalt::generate()).unwrap();
        let imported = DeclaredUser {
            password: DeclaredPassword::Hash(phc.to_string()),
            ..declared("second", "unused")
        };
        let (users, _) = users([declared("admin", "admin"), imported]);
        assert!(sign_in(&users, "second", "imported").await.is_ok());
        assert!(sign_in(&users, "admin", "admin").await.is_ok());
        assert_eq!(sign_in(&users, "second", "admin").await, Err(UserSignInError::Refused));
    }

    #[tokio::test]
    async fn well_known_password_is_refused_like_wrong_password() {
        let (users, pool) = users([declared("admin", "admin"), declared("root", "other")]);
        let users = users.refusing(&["admin"]);
        assert_eq!(sign_in(&users, "admin", "admin").await, Err(UserSignInError::Refused));
        assert_eq!(pool.hashes_computed(), 1);
        assert!(sign_in(&users, "root", "other").await.is_ok());
    }

    #[tokio::test]
    async fn removed_user_is_unknown() {
        let (users, _) = users([declared("admin", "admin")]);
        assert!(users.permits("admin", "system") && !users.permits("admin", "other"));
        users.replace(HashedUsers::from_declared([declared("other", "admin")], Vec::new()).unwrap());
        assert!(!users.permits("admin", "system") && !users.is_declared("admin"));
        assert_eq!(sign_in(&users, "admin", "admin").await, Err(UserSignInError::Refused));
    }

    // [found 23]
    #[tokio::test]
    async fn credential_survives_restart_until_password_changes() {
        let pepper = Pepper::from_bytes(zeroize::Zeroizing::new([7; 32]));
        let start = |declared: Vec<_>| start(&pepper, Rate::per_minute(10_000), declared).0;
        let phc = hash_password(&Secret::new("admin".to_owned()), &PasswordSalt::generate()).unwrap();
        let imported = || DeclaredUser {
            password: DeclaredPassword::Hash(phc.to_string()),
            ..declared("admin", "unused")
        };
        for first in [declared("admin", "admin"), imported()] {
            let users = start(vec![copy(&first)]);
            let credential = sign_in(&users, "admin", "admin").await.unwrap().credential;
            assert!(!credential.contains("admin") && credential.len() == 22, "{credential}");
            let again = start(vec![copy(&first)]);
            assert!(again.has_credential("admin", &credential), "the same password, salted anew");
            assert!(!again.has_credential("admin", "") && !again.has_credential("root", &credential));
            for other in [declared("admin", "Admin"), declared("root", "admin")] {
                users.replace(HashedUsers::from_declared([other], Vec::new()).unwrap());
                assert!(!users.has_credential("admin", &credential));
            }
            users.replace(HashedUsers::from_declared([first], Vec::new()).unwrap());
            assert!(users.has_credential("admin", &credential), "it is declared again");
        }
        let (others, _) = users([declared("admin", "admin")]);
        let here = start(vec![declared("admin", "admin"), declared("root", "admin")]);
        let [admin, root] = ["admin", "root"];
        let credential = sign_in(&here, admin, "admin").await.unwrap().credential;
        assert!(!others.has_credential(admin, &credential), "under another pepper it is another");
        assert_ne!(sign_in(&here, root, "admin").await.unwrap().credential, credential);
    }

    // [V6 6.3.1], [found 9]
    #[tokio::test]
    async fn failures_delay_sign_ins_of_any_name() {
        let (users, _) = users([declared("admin", "admin")]);
        for name in ["nobody", "admin"] {
            for (password, at_least) in
                [("wrong", 0), ("wrong", 0), ("wrong", 0), ("wrong", 100), ("wrong", 200), ("admin", 400)]
            {
                let before = tokio::time::Instant::now();
                let signed_in = sign_in(&users, name, password).await;
                assert_eq!(signed_in.is_ok(), name == password, "{name}:{password}");
                assert!(before.elapsed().as_millis() >= at_least, "{name} after {at_least} ms at least");
            }
        }
        let next = |name| users.delays.begin(name, CallerAddress::new(None), NOW);
        assert!(next("admin").is_zero(), "who has signed in begins anew");
        assert!(!next("nobody").is_zero());
    }

    #[tokio::test]
    async fn source_over_the_limit_is_still_served() {
        let (users, _) = start(&Pepper::generate(), Rate::per_minute(1), [declared("admin", "admin")]);
        for _ in 0..3 {
            assert_eq!(sign_in(&users, "admin", "wrong").await, Err(UserSignInError::Refused));
        }
        assert!(sign_in(&users, "admin", "admin").await.is_ok());
    }

    #[test]
    fn debug_shows_no_password() {
        let user = declared("admin", "canary-password");
        let printed = format!("{user:?}");
        let hashed = HashedUsers::from_declared([user], Vec::new()).unwrap();
        let printed = format!("{printed} {hashed:?}");
        assert!(!printed.contains("canary") && !printed.contains("argon2"), "{printed}");
    }
}
