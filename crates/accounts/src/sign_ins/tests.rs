//! Tests signing in, and what an attacker can learn from refusals.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use secrets::hash_password;
use tenancy::{Issuer, Tenant};
use tokio::task::JoinHandle;
use values::Lifetime;
use zeroize::Zeroizing;

use super::*;
use crate::{AccountIdentifier, AuthenticationMethod, SignInCheck};

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);
const PASSWORD: &str = "correct horse battery staple";

type Row = (Arc<Account>, Option<AccountPassword>);

#[derive(Default)]
struct FakeStore {
    accounts: Mutex<HashMap<(TenantId, Identifier), Row>>,
    reads: Mutex<usize>,
    fails: Mutex<bool>,
}

#[async_trait]
impl AccountStore for FakeStore {
    async fn find_by_identifier(&self, tenant: &TenantId, identifier: &Identifier) -> Stored<Option<Row>> {
        *self.reads.lock().unwrap() += 1;
        if *self.fails.lock().unwrap() {
            return Err(StoreError::unavailable("the test says so"));
        }
        Ok(self.accounts.lock().unwrap().get(&(tenant.clone(), identifier.clone())).cloned())
    }

    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Stored<bool> {
        let mut accounts = self.accounts.lock().unwrap();
        let rows = accounts.iter_mut().filter(|((of, _), _)| of == tenant).map(|(_, row)| row);
        let row =
            rows.into_iter().find(|(row, password)| row.id == *account && password.as_ref() == Some(before));
        Ok(row.map(|row| row.1 = Some(after.clone())).is_some())
    }

    async fn find_account(&self, _: &TenantId, _: &AccountId) -> Stored<Option<Arc<Account>>> {
        Ok(None)
    }
}

struct TestEnv {
    store: Arc<FakeStore>,
    pool: Arc<HashPool>,
    sign_ins: Arc<SignIns>,
    passwords: AccountPasswords,
}

/// One sign-in. The source is always the same and the browser unknown, unless a test changes this.
#[derive(Clone)]
struct Try {
    tenant: TenantId,
    identifier: String,
    password: String,
    known_accounts: Vec<AccountId>,
    browser: u8,
    limits: PasswordLimits,
    now: Timestamp,
}

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn attempt(tenant_id: &str, identifier: &str, password: &str) -> Try {
    Try {
        tenant: tenant(tenant_id),
        identifier: identifier.to_owned(),
        password: password.to_owned(),
        known_accounts: Vec::new(),
        browser: 1,
        limits: PasswordLimits::default(),
        now: NOW,
    }
}

fn test_env() -> TestEnv {
    let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
    let (store, pool) = (Arc::<FakeStore>::default(), Arc::new(HashPool::without_threads()));
    let sign_ins = SignIns::new(Arc::clone(&store) as _, &pepper, Arc::clone(&pool));
    let test_env =
        TestEnv { store, pool, sign_ins: Arc::new(sign_ins), passwords: AccountPasswords::new(&pepper) };
    test_env.put("acme", "ada@example.com", Some(PASSWORD), AccountStatus::Active);
    test_env
}

impl TestEnv {
    fn put(&self, id: &str, text: &str, password: Option<&str>, status: AccountStatus) -> AccountId {
        let (tenant, identifier) = (tenant(id), Identifier::parse(text).unwrap());
        let id = AccountId::generate();
        let held = AccountIdentifier { identifier: identifier.clone(), verified_at: None };
        let account =
            Account { status, identifiers: vec![held], ..Account::new(tenant.clone(), id.clone(), NOW) };
        let password = password.map(|text| {
            let hash = hash_password(&Secret::new(text.to_owned()), &PasswordSalt::generate()).unwrap();
            self.passwords.bind(&tenant, &id, &hash).unwrap()
        });
        self.store.accounts.lock().unwrap().insert((tenant, identifier), (Arc::new(account), password));
        id
    }

    /// Starts a sign-in from this address and lets it run up to the hash.
    async fn begin(&self, attempt: Try, address: Option<u8>) -> JoinHandle<Result<AccountId, SignInError>> {
        let sign_ins = Arc::clone(&self.sign_ins);
        let begun = tokio::spawn(async move {
            let Try { tenant, identifier, password, known_accounts, browser, limits, now } = attempt;
            let source = CallerAddress::new(address.map(|last| [192, 0, 2, last].into()));
            let accounts = known_accounts.into_iter().map(|account| (account, NOW)).collect();
            let (password, history) =
                (Secret::new(password), BrowserHistory { browser: [browser; 16], accounts });
            let signed_in = sign_ins
                .sign_in_with_password((&tenant, limits), &identifier, password, &source, &history, now)
                .await;
            let (account, authentication) = signed_in?;
            assert_eq!((authentication.account(), authentication.at()), (&account.id, now));
            assert_eq!((authentication.tenant(), &account.tenant), (&tenant, &tenant));
            assert_eq!(authentication.methods(), [AuthenticationMethod::Password]);
            Ok(account.id.clone())
        });
        yield_often().await;
        begun
    }

    /// The result, the number of hashes, and the milliseconds until the answer.
    async fn sign_in(&self, attempt: Try) -> (Result<AccountId, SignInError>, u64, u128) {
        let (arrival, hashes) = (Instant::now(), self.pool.hashes_computed());
        let begun = self.begin(attempt, None).await;
        while self.pool.step() || self.pool.step_foreign() {}
        let result = begun.await.unwrap();
        (result, self.pool.hashes_computed() - hashes, arrival.elapsed().as_millis())
    }

    /// Checks the time of a refusal and returns the number of its hashes.
    async fn refuse(&self, attempt: Try) -> u64 {
        let what = format!("{} {}", attempt.tenant, attempt.identifier);
        let (result, hashes, milliseconds) = self.sign_in(attempt).await;
        assert!(matches!(result, Err(SignInError::Refused)), "{what}: {result:?}");
        // Tokio's clock has a resolution of one millisecond.
        assert!((500..=501).contains(&milliseconds), "{what}: {milliseconds}");
        hashes
    }

    async fn accepts(&self, attempt: Try) -> bool {
        self.sign_in(attempt).await.0.is_ok()
    }
}

async fn yield_often() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

// [V6 6.3.6]: 3 | E-mail is no factor | The only method is the password; an address is what a person types as
//   a name
// [V6 6.6.1]: 2 | Codes by telephone or SMS go to validated numbers, beside stronger methods; at level 3
//   there are none | There are none
#[tokio::test(start_paused = true)]
async fn correct_password_signs_in_immediately() {
    let test_env = test_env();
    for (identifier, password) in
        [("ada@example.com", PASSWORD), (" Ada@EXAMPLE.com ", PASSWORD), ("ada@example.com", PASSWORD)]
    {
        let (result, hashes, milliseconds) = test_env.sign_in(attempt("acme", identifier, password)).await;
        assert!(result.is_ok(), "{identifier}");
        assert_eq!((hashes, milliseconds), (1, 0), "{identifier}");
    }
    assert_eq!(*test_env.store.reads.lock().unwrap(), 3);
}

/// Recovery responds at the same instant whether it has found an account, queued a message, or neither.
#[tokio::test(start_paused = true)]
async fn responses_leave_at_one_instant_whatever_their_work() {
    let test_env = test_env();
    for milliseconds in 0..400 {
        let arrival = Instant::now();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        test_env.sign_ins.wait_for_refusal(arrival).await;
        assert_eq!(arrival.elapsed(), GRID, "{milliseconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn decomposed_password_is_accepted() {
    let test_env = test_env();
    test_env.put("acme", "composed", Some("f\u{fc}nfzehn Zeichen"), AccountStatus::Active);
    let decomposed = attempt("acme", "composed", "fu\u{308}nfzehn Zeichen");
    assert!(test_env.accepts(decomposed).await);
}

// [attacks #34]
/// Changes bytes at both ends, and on both sides of the lengths at which other hashes cut passwords.
#[tokio::test(start_paused = true)]
async fn long_password_with_changed_or_missing_byte_is_refused() {
    let test_env = test_env();
    let right: String = ('!'..='~').cycle().take(1_024).collect();
    for tenant in ["acme", "globex"] {
        test_env.put(tenant, "longest", Some(&right), AccountStatus::Active);
        let changed = |at: usize| {
            let other = if right[at..].starts_with('x') { "y" } else { "x" };
            format!("{}{other}{}", &right[..at], &right[at + 1..])
        };
        let mut wrong: Vec<String> =
            [0, 55, 56, 71, 72, 73, 127, 128, 255, 256, 511, 512, 1_000, 1_023].map(changed).into();
        wrong.extend([8, 55, 64, 72, 128, 512, 1_023].map(|length| right[..length].to_owned()));
        wrong.extend([right[1..].to_owned(), format!("{right}!"), format!(" {}", &right[1..])]);
        for (hour, password) in wrong.iter().enumerate() {
            assert_ne!(*password, right);
            // Attempts an hour apart are within every limit.
            let now = NOW + Lifetime::from_seconds(3_600 * hour as u64);
            let attempt = Try { now, ..attempt(tenant, "longest", password) };
            assert_eq!(test_env.refuse(attempt).await, 1, "{hour}");
        }
        let now = NOW + Lifetime::from_seconds(3_600 * 100);
        assert!(test_env.accepts(Try { now, ..attempt(tenant, "longest", &right) }).await);
    }
}

// [attacks #17]: Which accounts exist | One text, one status, one length, one hash, one instant. `cargo xtask
//   soak --only sign-in-times` and `recovery-times` compare the times of 2 000 answers by Welch's t and fail
//   above 4.5 ([performance.md](performance.md#what-the-time-of-a-refused-sign-in-reveals)); CI does not run
//   them
// [V6 6.3.8]: 3 | A failed attempt does not say which accounts exist | not met | One text, one cost and one
//   of few instants for each refusal. But an account whose imported hash takes longer than 100 ms stands out
//   ([known gaps](#known-gaps))
#[tokio::test(start_paused = true)]
async fn every_refusal_costs_one_hash_and_equal_time() {
    let test_env = test_env();
    test_env.put("acme", "suspended", Some(PASSWORD), AccountStatus::Suspended);
    test_env.put("acme", "passkey-only", None, AccountStatus::Active);
    let long = "x".repeat(5_000);
    for (tenant, identifier, password) in [
        ("acme", "ada@example.com", "wrong"),
        ("acme", "ada@example.com", ""),
        ("acme", "ada@example.com", &long),
        ("acme", "nobody@example.com", PASSWORD),
        ("acme", "not an identifier", PASSWORD),
        ("acme", "", PASSWORD),
        ("acme", "suspended", PASSWORD),
        ("acme", "passkey-only", PASSWORD),
        ("acme", "passkey-only", ""),
        ("globex", "ada@example.com", PASSWORD),
    ] {
        assert_eq!(test_env.refuse(attempt(tenant, identifier, password)).await, 1, "{identifier}");
    }
}

#[tokio::test(start_paused = true)]
async fn same_address_in_two_tenants_is_two_accounts() {
    let test_env = test_env();
    let other = test_env.put("globex", "ada@example.com", Some("another password"), AccountStatus::Active);
    for (tenant, password, expected) in [
        ("globex", "another password", true),
        ("globex", PASSWORD, false),
        ("acme", "another password", false),
    ] {
        let (result, ..) = test_env.sign_in(attempt(tenant, "ada@example.com", password)).await;
        assert_eq!(result.ok(), expected.then(|| other.clone()), "{tenant} {password}");
    }
}

#[tokio::test(start_paused = true)]
async fn account_row_of_another_tenant_is_refused() {
    let test_env = test_env();
    {
        let mut accounts = test_env.store.accounts.lock().unwrap();
        let identifier = Identifier::parse("ada@example.com").unwrap();
        let row = accounts[&(tenant("acme"), identifier.clone())].clone();
        accounts.insert((tenant("globex"), identifier), row);
    }
    test_env.refuse(attempt("globex", "ada@example.com", PASSWORD)).await;
}

#[tokio::test(start_paused = true)]
async fn correct_password_over_the_limit_is_refused_without_hash() {
    let test_env = test_env();
    for _ in 0..10 {
        assert_eq!(test_env.sign_in(attempt("acme", "ada@example.com", "wrong")).await.1, 1);
    }
    let right = attempt("acme", "ada@example.com", PASSWORD);
    assert_eq!(test_env.refuse(right.clone()).await, 0);
    let later = Try { now: NOW + Lifetime::from_seconds(90), ..right };
    assert!(test_env.accepts(later).await);
}

/// [`TestEnv::refuse`] checks the instant.
#[tokio::test(start_paused = true)]
async fn refusals_during_a_wait_leave_at_one_instant() {
    let test_env = test_env();
    for identifier in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(test_env.refuse(attempt("acme", identifier, "wrong")).await, 1);
        }
        for password in [PASSWORD, "wrong"] {
            assert_eq!(test_env.refuse(attempt("acme", identifier, password)).await, 0, "{identifier}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn known_browser_of_the_account_bypasses_the_limit() {
    let test_env = test_env();
    let other = test_env.put("acme", "bob", Some(PASSWORD), AccountStatus::Active);
    let id = test_env.sign_in(attempt("acme", "ada@example.com", PASSWORD)).await.0.unwrap();
    for _ in 0..10 {
        drop(test_env.sign_in(attempt("acme", "ada@example.com", "wrong")).await);
    }
    for (known_accounts, expected) in [(vec![], false), (vec![other.clone()], false), (vec![other, id], true)]
    {
        let right = Try { known_accounts, ..attempt("acme", "ada@example.com", PASSWORD) };
        assert_eq!(test_env.accepts(right).await, expected);
    }
}

// [passwords §3.2.2]: At most 100 failed attempts in a row; the person is not shut out by strangers. The
//   count is in the memory of each replica; with Redis, replicas share it
// [attacks #18]
#[tokio::test(start_paused = true)]
async fn hundred_failures_block_only_their_browser_until_unlock() {
    let test_env = test_env();
    let ids = ["acme", "globex"]
        .map(|id| (id, test_env.put(id, "ada@example.com", Some(PASSWORD), AccountStatus::Active)));
    for (of, id) in &ids {
        let at = |number: u64| NOW + Lifetime::from_seconds(90 * number);
        let wrong = |known_accounts: Vec<AccountId>, number| Try {
            known_accounts,
            now: at(number),
            ..attempt(of, "ada@example.com", "wrong")
        };
        let right = |known_accounts: Vec<AccountId>, number| Try {
            password: PASSWORD.to_owned(),
            ..wrong(known_accounts, number)
        };
        // An attempt every 90 seconds. Every half hour one failure is dropped, so 105 attempts reach the
        // limit of 100.
        let until_refused = async |known_accounts: Vec<AccountId>, mut number| {
            while test_env.sign_in(wrong(known_accounts.clone(), number)).await.1 == 1 {
                number += 1;
            }
            number
        };
        assert_eq!(until_refused(Vec::new(), 0).await, 105);
        assert_eq!(test_env.refuse(right(Vec::new(), 106)).await, 0);
        assert!(test_env.accepts(right(vec![id.clone()], 107)).await);
        for (tenant_id, is_right) in [(if *of == "acme" { "globex" } else { "acme" }, false), (*of, true)] {
            test_env.sign_ins.forget_failures(&tenant(tenant_id), id);
            assert_eq!(test_env.accepts(right(Vec::new(), 106)).await, is_right);
        }
        let refused = until_refused(vec![id.clone()], 108).await;
        assert_eq!(refused, 108 + 105, "a known browser has a hundred of its own");
        assert!(!test_env.accepts(right(vec![id.clone()], refused + 1)).await);
        let other = Try { browser: 2, ..right(vec![id.clone()], refused + 1) };
        assert!(test_env.accepts(other).await, "and so has another known browser");
        test_env.sign_ins.forget_failures(&tenant(of), id);
        assert!(test_env.accepts(right(vec![id.clone()], refused + 1)).await);
    }
}

// [shared 2.13]
#[tokio::test(start_paused = true)]
async fn source_limit_counts_accounts_not_passwords() {
    let test_env = test_env();
    for of in ["acme", "globex"] {
        test_env.put(of, "grace", Some(PASSWORD), AccountStatus::Active);
        let id = test_env.put(of, "hedy", Some(PASSWORD), AccountStatus::Active);
        let limits = PasswordLimits { source: std::num::NonZeroU32::new(3), ..PasswordLimits::default() };
        let attempt = |name: &str, password| Try { limits, ..attempt(of, name, password) };
        for number in 0..10 {
            drop(test_env.sign_in(attempt(&format!("name-{}", number % 2), "wrong")).await);
        }
        assert!(test_env.accepts(attempt("grace", PASSWORD)).await);
        drop(test_env.sign_in(attempt("name-2", "wrong")).await);
        assert_eq!(test_env.refuse(attempt("grace", PASSWORD)).await, 0, "it has failed at three");
        let known = Try { known_accounts: vec![id], ..attempt("hedy", PASSWORD) };
        assert!(test_env.accepts(known).await, "a known browser passes");
        assert!(test_env.sign_ins.take_throttled(NOW).is_empty(), "no account is throttled");
        let later = Try { now: NOW + Lifetime::from_seconds(900), ..attempt("grace", PASSWORD) };
        assert!(test_env.accepts(later).await);
    }
}

// [shared 2.7]
#[tokio::test(start_paused = true)]
async fn throttled_account_is_reported_once_until_unlocked() {
    let test_env = test_env();
    for of in ["acme", "globex"] {
        let id = test_env.put(of, "grace", Some(PASSWORD), AccountStatus::Active);
        for _ in 0..20 {
            drop(test_env.sign_in(attempt(of, "grace", "wrong")).await);
            drop(test_env.sign_in(attempt(of, "nobody", "wrong")).await);
        }
        let note = ThrottledNote { tenant: tenant(of), account: Ok(id.clone()), since: NOW };
        assert_eq!(test_env.sign_ins.take_throttled(NOW), [note]);
        let throttled = Throttled { since: NOW, until: NOW + Lifetime::from_seconds(900) };
        assert_eq!(test_env.sign_ins.throttled(&tenant(of), &id, NOW), (Some(throttled), 10));
        assert_eq!(test_env.sign_ins.accounts_throttled(NOW), 1);
        assert!(!test_env.accepts(attempt(of, "grace", PASSWORD)).await);
        test_env.sign_ins.forget_failures(&tenant(of), &id);
        assert_eq!(test_env.sign_ins.throttled(&tenant(of), &id, NOW), (None, 0));
        assert!(test_env.accepts(attempt(of, "grace", PASSWORD)).await);
    }
}

/// The browsers are known. A known browser may try twenty times in a quarter of an hour, so twenty attempts
/// run concurrently.
#[tokio::test(start_paused = true)]
async fn concurrent_attempts_do_not_exceed_the_limit() {
    let test_env = test_env();
    for of in ["acme", "globex"] {
        let id = test_env.put(of, "grace", Some(PASSWORD), AccountStatus::Active);
        let wrong = |number: u64| Try {
            known_accounts: vec![id.clone()],
            now: NOW + Lifetime::from_seconds(90 * number),
            ..attempt(of, "grace", "wrong")
        };
        // An attempt every 90 seconds. Every half hour one failure is dropped, so 104 attempts stay below the
        // limit.
        for number in 0..104 {
            assert_eq!(test_env.sign_in(wrong(number)).await.1, 1, "{number}");
        }
        let hashes = test_env.pool.hashes_computed();
        let mut tries = Vec::new();
        for _ in 0..20 {
            tries.push(test_env.begin(wrong(104), None).await);
        }
        while test_env.pool.step() {}
        for attempt in tries {
            assert!(attempt.await.unwrap().is_err());
        }
        assert_eq!(test_env.pool.hashes_computed() - hashes, 1, "{of}");
    }
}

#[tokio::test(start_paused = true)]
async fn changed_account_forgets_known_browsers() {
    let test_env = test_env();
    let mut people = Vec::new();
    for of in ["acme", "globex"] {
        people.push((of, test_env.put(of, "grace", Some(PASSWORD), AccountStatus::Active)));
    }
    for (at, (of, id)) in people.iter().enumerate() {
        // The account's password or status has changed, or it was signed out everywhere.
        let key = (tenant(of), Identifier::parse("grace").unwrap());
        if let Some((account, _)) = test_env.store.accounts.lock().unwrap().get_mut(&key) {
            let valid_from = NOW + Lifetime::from_seconds(1);
            *account = Arc::new(Account { valid_from, ..(**account).clone() });
        }
        for (other, (tenant, known)) in people.iter().enumerate() {
            for _ in 0..10 {
                drop(test_env.sign_in(attempt(tenant, "grace", "wrong")).await);
            }
            let right = Try { known_accounts: vec![known.clone()], ..attempt(tenant, "grace", PASSWORD) };
            assert_eq!(test_env.accepts(right).await, other > at, "{of} {tenant} {id}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unchecked_attempts_do_not_count() {
    let test_env = test_env();
    *test_env.store.fails.lock().unwrap() = true;
    for _ in 0..20 {
        let (result, hashes, milliseconds) =
            test_env.sign_in(attempt("acme", "ada@example.com", PASSWORD)).await;
        assert!(matches!(result, Err(SignInError::Store(_))), "{result:?}");
        assert_eq!((hashes, milliseconds), (0, 0));
    }
    *test_env.store.fails.lock().unwrap() = false;
    // No thread computes hashes, so each wait ends after five seconds.
    for _ in 0..20 {
        let busy = test_env.begin(attempt("acme", "ada@example.com", PASSWORD), None).await.await.unwrap();
        assert!(matches!(busy, Err(SignInError::Busy)));
    }
    assert!(test_env.accepts(attempt("acme", "ada@example.com", PASSWORD)).await);
}

// [V6 6.3.2]
#[tokio::test(start_paused = true)]
async fn well_known_password_is_refused_like_wrong_password() {
    let TestEnv { store, pool, sign_ins, passwords } = test_env();
    let sign_ins = Arc::into_inner(sign_ins).unwrap().refusing(&[PASSWORD]);
    let test_env = TestEnv { store, pool, sign_ins: Arc::new(sign_ins), passwords };
    assert_eq!(test_env.refuse(attempt("acme", "ada@example.com", PASSWORD)).await, 1);
}

/// From PyPI bcrypt: `bcrypt.hashpw(b"a long enough password", …)`.
const FOREIGN: &str = "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO";

impl TestEnv {
    fn stored(&self, id: &str, text: &str) -> AccountPassword {
        let key = (tenant(id), Identifier::parse(text).unwrap());
        self.store.accounts.lock().unwrap()[&key].1.clone().unwrap()
    }

    /// Gives the account a hash of another system.
    fn import(&self, id: &str, text: &str, status: AccountStatus, hash: &str) {
        self.put(id, text, None, status);
        let key = (tenant(id), Identifier::parse(text).unwrap());
        self.store.accounts.lock().unwrap().get_mut(&key).unwrap().1 = Some(hash.parse().unwrap());
    }
}

// [V11 11.4.2]
#[tokio::test(start_paused = true)]
async fn imported_hash_is_replaced_after_sign_in() {
    let test_env = test_env();
    for id in ["acme", "globex"] {
        test_env.import(id, "grace", AccountStatus::Active, FOREIGN);
    }
    let wrong = attempt("acme", "grace", "a long enough passworD");
    assert_eq!(test_env.refuse(wrong.clone()).await, 1, "it costs one turn");
    assert_eq!(test_env.stored("acme", "grace").to_string(), FOREIGN);

    let right = attempt("acme", "grace", "a long enough password");
    assert!(test_env.accepts(right.clone()).await);
    let rewritten = test_env.stored("acme", "grace");
    assert!(rewritten.to_string().starts_with("p2$") && rewritten.foreign().is_none());
    let (again, hashes, _) = test_env.sign_in(right).await;
    assert!(again.is_ok() && hashes == 1);
    assert_eq!(test_env.stored("acme", "grace"), rewritten, "ours is not rewritten again");
    test_env.refuse(wrong).await;
    assert_eq!(test_env.stored("globex", "grace").to_string(), FOREIGN, "the other tenant's is another one");
}

#[tokio::test(start_paused = true)]
async fn suspended_account_keeps_its_imported_hash() {
    let test_env = test_env();
    test_env.import("acme", "grace", AccountStatus::Suspended, FOREIGN);
    assert_eq!(test_env.refuse(attempt("acme", "grace", "a long enough password")).await, 1);
    assert_eq!(test_env.stored("acme", "grace").to_string(), FOREIGN);
}

/// 256 MiB in four passes. An earlier version could import such a hash.
const COSTLY: &str =
    "$argon2id$v=19$m=262144,t=4,p=1$c29tZXNhbHRzb21lc2FsdA$Bbc7AsSwsWnLmslps97XOc/5NtvR731yFk3utRv275E";

// [shared 2.1]: Costly imported hashes (256 MiB, four passes: 2 to 5 s) were in the one pool, whose turns
//   were by source and counted jobs: two addresses stopped the first checks of right client secrets of all
//   tenants, six the sign-ins of all | fixed | Imported hashes have a thread and a queue of their own, with
//   turns of tenants, then of sources, by measured seconds. The turns of the pool are of tenants, then of
//   sources. Import refuses what takes longer than about half a second; what was imported before is still
//   checked ([decision 38](decisions/0038-hashes-by-tenant.md))
/// Each tenant is the busy one once. The expensive checks never run, because they would take seconds.
#[tokio::test(start_paused = true)]
async fn costly_imported_hashes_do_not_delay_other_tenants() {
    for (busy, quiet) in [("globex", "acme"), ("acme", "globex")] {
        let test_env = test_env();
        for number in 0..20 {
            test_env.import(busy, &format!("m{number}"), AccountStatus::Active, COSTLY);
        }
        test_env.put(quiet, "grace", Some(PASSWORD), AccountStatus::Active);
        let mut open = Vec::new();
        for number in 0..20 {
            open.push(
                test_env.begin(attempt(busy, &format!("m{number}"), "wrong"), Some(1 + number % 10)).await,
            );
        }
        assert_eq!(test_env.pool.callers(), 20);
        // The pool's threads have nothing else to do, so the person has the first turn.
        for address in [1, 100] {
            let person = test_env.begin(attempt(quiet, "grace", PASSWORD), Some(address)).await;
            assert!(test_env.pool.step());
            assert!(person.await.unwrap().is_ok());
        }
        assert!(!test_env.pool.step(), "no imported hash is in the pool");
        assert!(open.iter().all(|form| !form.is_finished()));
        open.iter().for_each(JoinHandle::abort);
        yield_often().await;
        assert!(!test_env.pool.step_foreign(), "nobody waits any more, so nothing is checked");
    }
}

/// The checks of the tenant are those of the caller.
#[tokio::test(start_paused = true)]
async fn sign_in_checks_agree_with_sign_ins() {
    use SignInCheck::{AccountActive, Password, Throttling};
    let test_env = test_env();
    let mut shown = Tenant::new(tenant("acme"), Issuer::derived("https://id.example.com", &tenant("acme")));
    (shown.strategies.oauth2, shown.strategies.oidc) = (true, true);
    for (name, has_password, status, wrong, failed) in [
        ("fine", true, AccountStatus::Active, 0, None),
        ("suspended", true, AccountStatus::Suspended, 0, Some(AccountActive)),
        ("new", false, AccountStatus::Active, 0, Some(Password)),
        ("new-and-suspended", false, AccountStatus::Suspended, 0, Some(Password)),
        ("guessed", true, AccountStatus::Suspended, 11, Some(Throttling)),
    ] {
        let id = test_env.put("acme", name, has_password.then_some(PASSWORD), status);
        for _ in 0..wrong {
            test_env.refuse(attempt("acme", name, "wrong")).await;
        }
        let identifier = Identifier::parse(name).unwrap();
        let (account, stored) = test_env.sign_ins.find(&shown.id, &identifier).await.unwrap().unwrap();
        let account = Account { password_changed_at: stored.map(|_| NOW), ..(*account).clone() };
        let is_throttled = test_env.sign_ins.throttled(&shown.id, &id, NOW).0.is_some();
        let found = SignInCheck::ORDER.iter().find(|check| !check.passes(&shown, &account, is_throttled));
        assert_eq!(found.copied(), failed, "{name}");
        assert_eq!(test_env.accepts(attempt("acme", name, PASSWORD)).await, failed.is_none(), "{name}");
    }
}
