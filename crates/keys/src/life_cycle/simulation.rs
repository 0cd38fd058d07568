//! Simulates random lives of a tenant: schedulers that run late, early or never, commands, policy changes,
//! two replicas whose clocks and rows differ, and verifiers that honour `Cache-Control`. Invariants are
//! checked after every step.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use protocol::SigningAlgorithm;
use tenancy::SigningPolicy;
use values::{Lifetime, Timestamp};

use super::*;
use crate::key_record::row_in_use;
use crate::{ImportedKey, KeyAlgorithm, KeyId, KeyRecord, KeyStage, PrivateKeyDocument};

const OPAQUE: KeyAlgorithm = KeyAlgorithm::OpaqueTokens;
const CASES: u32 = 6_000;
/// Time advances in quarters of a second. Clocks show whole seconds.
const TICKS: u64 = 4;
/// Seconds after which a commit is abandoned.
const LATEST_COMMIT: u64 = 10;
const START: u64 = 1_000_000 * TICKS;
const ALGORITHMS: [SigningAlgorithm; 3] =
    [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA];

#[derive(Clone, Copy, Debug)]
struct TestEnv {
    /// How long a replica uses cached rows, in seconds.
    l1_lifetime: u64,
    /// How far each replica's clock is ahead of true time, in ticks. At most the skew of any policy.
    clocks: [u64; 2],
    apart: u64,
    /// Whether windows are as small as possible.
    small: bool,
}

#[derive(Clone, Debug)]
struct Settings {
    algorithm: usize,
    jwks_max_age: u64,
    jwks_stale: u64,
    skew: u64,
    ahead: u64,
    signs_for: u64,
    lifetime: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    WaitUntilDue { late: i64 },
    Wake,
    Sign { lag: [Index; 2], lifetime: Index },
    Encrypt { lag: Index, lifetime: Index },
    Fetch { verifier: Index, lag: [Index; 2] },
    Change(Settings),
    RotateNow,
    Emergency,
    Revoke(Index),
    Import { same_algorithm: bool },
    Hold { key: Index, until: u64 },
}

#[derive(Debug, Default)]
struct Counts {
    steps: u64,
    plans: u64,
    announced: u64,
    commands: u64,
    changes: u64,
    tokens: u64,
    encrypted: u64,
    broken_by_command: u64,
    fetches: u64,
    shortened: u64,
    verified: u64,
    instants: u64,
    prolonged: u64,
    refused_imports: u64,
    slow_commits: u64,
    most_keys: usize,
}

fn test_envs() -> impl Strategy<Value = TestEnv> {
    let usual = (Just(10), 0..=30 * TICKS, 0..=30 * TICKS, Just(30), Just(false));
    let small = prop_oneof![Just(0), 0..=2_u64]
        .prop_flat_map(|apart| (1..=2_u64, 0..=apart * TICKS, 0..=apart * TICKS, Just(apart), Just(true)));
    prop_oneof![usual.boxed(), small.boxed()].prop_map(|(l1_lifetime, one, two, apart, small)| TestEnv {
        l1_lifetime,
        clocks: [one, two],
        apart,
        small,
    })
}

fn settings(test_env: TestEnv) -> BoxedStrategy<Settings> {
    let TestEnv { apart, small, .. } = test_env;
    let age = if small {
        prop_oneof![1_u64..4].boxed()
    } else {
        prop_oneof![40_u64..600, 600_u64..100_000].boxed()
    };
    let stale = if small { prop_oneof![Just(0), 0_u64..3].boxed() } else { (0_u64..600).boxed() };
    let skew =
        if small { prop_oneof![Just(apart), apart..=apart + 2].boxed() } else { (apart..=120).boxed() };
    let ahead = prop_oneof![Just(0), 0_u64..1_000, 0_u64..200_000];
    let ahead = if small { prop_oneof![Just(0), 0_u64..5].boxed() } else { ahead.boxed() };
    let signs_for = prop_oneof![1_u64..2_000, 1_u64..10_000_000];
    let signs_for = if small { (1_u64..10).boxed() } else { signs_for.boxed() };
    let lifetime = prop_oneof![1_u64..100, 1_u64..10_000, 1_u64..3_000_000];
    let lifetime = if small { prop_oneof![1_u64..10, 1_u64..100].boxed() } else { lifetime.boxed() };
    (0..3_usize, age, stale, skew, ahead, signs_for, lifetime)
        .prop_map(|(algorithm, jwks_max_age, jwks_stale, skew, ahead, signs_for, lifetime)| Settings {
            algorithm,
            jwks_max_age,
            jwks_stale,
            skew,
            ahead,
            signs_for,
            lifetime,
        })
        .boxed()
}

/// Steps, each with its replica and the delay between decision and commit as a fraction of the margin.
fn steps(test_env: TestEnv) -> impl Strategy<Value = Vec<(bool, Step, Index)>> {
    let wait = prop_oneof![0_u64..40, 0_u64..5_000, 0_u64..1_000_000, 0_u64..200_000_000];
    let wait = if test_env.small { prop_oneof![0_u64..8, 0_u64..40].boxed() } else { wait.boxed() };
    let late = prop_oneof![-40_i64..=40, -100_000_i64..0, 0_i64..10_000_000, Just(0)];
    let late = if test_env.small { prop_oneof![-8_i64..=8, Just(0)].boxed() } else { late.boxed() };
    let lag = any::<[Index; 2]>();
    let until = prop_oneof![0_u64..1_000, 0_u64..3_000_000];
    let until = if test_env.small { (0_u64..20).boxed() } else { until.boxed() };
    let step = prop_oneof![
        4 => wait.prop_map(Step::Wait),
        6 => late.prop_map(|late| Step::WaitUntilDue { late }),
        6 => Just(Step::Wake),
        8 => (lag.clone(), any::<Index>()).prop_map(|(lag, lifetime)| Step::Sign { lag, lifetime }),
        3 => any::<(Index, Index)>().prop_map(|(lag, lifetime)| Step::Encrypt { lag, lifetime }),
        4 => (any::<Index>(), lag).prop_map(|(verifier, lag)| Step::Fetch { verifier, lag }),
        2 => settings(test_env).prop_map(Step::Change),
        2 => Just(Step::RotateNow),
        1 => Just(Step::Emergency),
        1 => any::<Index>().prop_map(Step::Revoke),
        1 => any::<bool>().prop_map(|same_algorithm| Step::Import { same_algorithm }),
        1 => (any::<Index>(), until).prop_map(|(key, until)| Step::Hold { key, until }),
    ];
    prop::collection::vec((any::<bool>(), step, any::<Index>()), 1..80)
}

struct Token {
    key: KeyId,
    is_opaque: bool,
    expires: Timestamp,
}

/// A verifier's copy of the key set.
#[derive(Clone, Default)]
struct Copy {
    fetched: u64,
    fresh_until: u64,
    keys: Vec<KeyId>,
}

/// Rows and policy since a point in true time.
#[derive(Clone)]
struct Snapshot {
    since: u64,
    records: KeyRecords,
    policy: KeyPolicy,
}

struct World<'a> {
    time: u64,
    test_env: TestEnv,
    history: Vec<Snapshot>,
    /// For each key: when it was committed, and whether verifiers could know it before it signed.
    committed: Vec<(KeyId, u64, bool)>,
    due_at: Option<Timestamp>,
    tokens: Vec<Token>,
    revoked: Vec<KeyId>,
    copies: [Copy; 3],
    /// The end of previous, longer lifetimes of tokens and of cached key sets, as in the store.
    previous_tokens_until: Option<Timestamp>,
    previous_jwks: Option<(Lifetime, Timestamp)>,
    /// The replica and the policy of the latest plan.
    planned_with: (usize, KeyPolicy),
    counts: &'a RefCell<Counts>,
}

impl World<'_> {
    fn clock(&self, replica: usize) -> Timestamp {
        Timestamp::from_seconds((self.time + self.test_env.clocks[replica]) / TICKS)
    }

    fn policy(&self, now: Timestamp) -> KeyPolicy {
        self.latest().policy.clone().with_previous(self.previous_tokens_until, self.previous_jwks, now)
    }

    /// Records the effects of the current policy that outlast it.
    fn note(&mut self, previous: &KeyPolicy, policy: &KeyPolicy, now: Timestamp) {
        let l1_lifetime = previous.l1_lifetime;
        if policy.longest_token < previous.longest_token {
            let until = now + previous.longest_token + l1_lifetime;
            self.previous_tokens_until = self.previous_tokens_until.max(Some(until));
        }
        if kept(policy) < kept(previous) {
            let (age, until) = (kept(previous), now + kept(previous) + l1_lifetime + previous.skew);
            self.previous_jwks = match self.previous_jwks {
                Some((known, end)) if end > now => Some((known.max(age), end.max(until))),
                Some(_) | None => Some((age, until)),
            };
        }
    }

    /// How long a replica may use old rows, in ticks.
    fn lag(&self, lag: Index) -> u64 {
        lag.index(usize::try_from(self.test_env.l1_lifetime * TICKS).unwrap() + 1) as u64
    }

    fn latest(&self) -> &Snapshot {
        self.history.last().unwrap()
    }

    fn seen(&self, lag: u64) -> &Snapshot {
        let at = self.time - lag;
        self.history.iter().rev().find(|snapshot| snapshot.since <= at).unwrap_or(&self.history[0])
    }

    /// Executes the step and returns the plan to commit, if any.
    fn take(&mut self, replica: usize, step: Step) -> Option<KeyPlan> {
        let now = self.clock(replica);
        let records = self.latest().records.clone();
        let policy = self.policy(now);
        match step {
            Step::Wait(seconds) => self.time += seconds,
            Step::WaitUntilDue { late } => {
                let due = (self.due_at.map_or(0, Timestamp::seconds) * TICKS).saturating_add_signed(late);
                self.time = self.time.max(due.saturating_sub(self.test_env.clocks[replica]));
            }
            Step::Wake => {
                let plan = next(&records, &policy, now);
                let same = self.planned_with == (replica, policy.clone());
                let early = same && self.due_at.is_some_and(|due| now < due);
                assert!(!early || plan.is_empty(), "before it is due: {plan:?}");
                return Some(plan);
            }
            Step::Change(settings) => {
                self.counts.borrow_mut().changes += 1;
                let policy = policy_of(&settings, self.test_env);
                self.note(&self.latest().policy.clone(), &policy, now);
                let moved = extend_retention(&records, &policy, now);
                self.counts.borrow_mut().prolonged += moved.len() as u64;
                let mut records = KeyRecords { copies_kept: kept(&policy), ..records };
                for times in moved {
                    let row = records.keys.iter_mut().find(|row| row.id == times.id).unwrap();
                    assert!(times.removed_at > row.removed_at && !self.revoked.contains(&row.id));
                    assert_eq!(
                        (times.active_from, times.retiring_from),
                        (row.active_from, row.retiring_from)
                    );
                    row.removed_at = times.removed_at;
                }
                self.history.push(Snapshot { since: self.time, records, policy });
                self.due_at = Some(now);
            }
            Step::Sign { lag, lifetime } => self.sign(replica, lag.map(|lag| self.lag(lag)), lifetime),
            Step::Encrypt { lag, lifetime } => self.encrypt(replica, self.lag(lag), lifetime),
            Step::Fetch { verifier, lag } => {
                let verifier = verifier.index(self.copies.len());
                self.copies[verifier] = self.fetch(replica, lag.map(|lag| self.lag(lag)));
            }
            Step::RotateNow => return Some(rotate_now(&records, &policy, now)),
            Step::Emergency => {
                let revoked = rotate_in_emergency(&records, &policy, now);
                assert!(revoked.plan.announce.is_some_and(|key| key.algorithm != OPAQUE));
                self.check_revocation(&revoked, &records, now);
                // If another replica dropped a key before it ever signed, the key may stay published until
                // this clock catches up.
                let dropped = |key: &&KeyRecord| key.removed_at.is_some() && key.retiring_from.is_none();
                let lived = records.keys.iter().filter(|key| key.state(now) != KeyStage::Removed);
                for key in lived.filter(|key| !dropped(key)) {
                    let times = revoked.plan.times.iter().find(|times| times.id == key.id);
                    let removed_at = times.map_or(key.removed_at, |times| times.removed_at);
                    let gone = self.clock(0).min(self.clock(1)).max(key.announced_at);
                    assert!(removed_at.is_some_and(|removed| removed <= gone), "{key:?}");
                }
                return Some(revoked.plan);
            }
            Step::Revoke(index) => {
                if records.keys.is_empty() {
                    return None;
                }
                let id = records.keys[index.index(records.keys.len())].id;
                match revoke(&records, &policy, id, now) {
                    Ok(revoked) => {
                        self.check_revocation(&revoked, &records, now);
                        self.revoked.push(id);
                        return Some(revoked.plan);
                    }
                    Err(error) => assert_eq!(error, KeyCommandError::Removed(id)),
                }
            }
            Step::Import { same_algorithm } => {
                let is_wanted =
                    |algorithm: &SigningAlgorithm| (policy.algorithm == *algorithm) == same_algorithm;
                let algorithm = ALGORITHMS.into_iter().find(is_wanted).unwrap();
                let thumbprint = format!("imported {}", records.next);
                let imported = ImportedKey {
                    algorithm,
                    pkcs8: PrivateKeyDocument::copy_of(b"x"),
                    thumbprint,
                    public_jwk: String::new(),
                };
                match import(&records, &policy, &imported, now) {
                    Ok(plan) => {
                        assert!(same_algorithm && plan.announce.is_some());
                        return Some(plan);
                    }
                    Err(KeyCommandError::Overtakes(_)) => self.counts.borrow_mut().refused_imports += 1,
                    Err(error) => assert!(
                        !same_algorithm && matches!(error, KeyCommandError::OtherAlgorithm { .. }),
                        "{error}"
                    ),
                }
            }
            Step::Hold { key, until } => {
                if records.keys.is_empty() {
                    return None;
                }
                let id = records.keys[key.index(records.keys.len())].id;
                let until = now + Lifetime::from_seconds(until);
                return hold(&records, &policy, id, until, now).ok();
            }
        }
        None
    }

    /// The ticks that the skew leaves for a commit: the skew minus the difference of the clocks, at most the
    /// longest commit.
    fn margin(&self) -> u64 {
        (self.latest().policy.skew.seconds() - self.test_env.apart).min(LATEST_COMMIT) * TICKS
    }

    fn check_revocation(&mut self, revoked: &RevocationPlan, before: &KeyRecords, now: Timestamp) {
        let gone: Vec<_> = before
            .keys
            .iter()
            .filter(|key| key.state(now) != KeyStage::Removed)
            .filter(|key| {
                revoked.plan.times.iter().any(|times| {
                    times.id == key.id && times.removed_at.is_some_and(|at| at <= now.max(key.announced_at))
                })
            })
            .map(|key| key.id)
            .collect();
        check_shown(revoked, before, now);
        // The command must report every valid token whose key it removes.
        for token in self.tokens.iter().filter(|token| gone.contains(&token.key)) {
            let alive = (0..2).any(|replica| token.expires > self.clock(replica));
            let said =
                revoked.breaks.iter().any(|broken| broken.key == token.key && broken.until >= token.expires);
            assert!(
                !alive || said || self.revoked.contains(&token.key),
                "{:?} of {}",
                token.expires,
                token.key
            );
        }
        self.revoked.extend(gone);
    }

    /// Commits a plan that was decided earlier, at `now`.
    fn commit(&mut self, replica: usize, plan: &KeyPlan, now: Timestamp) {
        let policy = self.policy(now);
        let mut records = self.latest().records.clone();
        assert!(plan.due_at.is_none_or(|due| due >= now), "due in the past: {plan:?}");
        let mut moved_forward = Vec::new();
        // The longest window of all policies since the key was committed.
        let longest = |id| {
            let committed = self.committed.iter().find(|entry| entry.0 == id).map_or(0, |entry| entry.1);
            let since = self.history.iter().filter(|snapshot| snapshot.since >= committed);
            since.map(|snapshot| snapshot.policy.window()).fold(policy.window(), Ord::max)
        };
        for times in &plan.times {
            let row = records.keys.iter_mut().find(|row| row.id == times.id).unwrap();
            let is_revoked = self.revoked.contains(&row.id);
            assert_ne!(row.state(now), KeyStage::Removed, "a removed key is left alone");
            let earlier = times.removed_at.is_some_and(|at| row.removed_at.is_some_and(|before| at < before));
            let dropped = row.state(now) == KeyStage::Announced && times.retiring_from.is_none();
            assert!(!earlier || is_revoked || dropped, "removed earlier: {row:?} {times:?}");
            // A revocation makes the next key sign immediately, even if it was not published for long enough.
            if times.active_from < row.active_from && times.active_from < row.announced_at + longest(row.id) {
                moved_forward.push(row.id);
            }
            times.write_to(row);
        }
        for id in &plan.destroy {
            let row = records.keys.iter_mut().find(|row| row.id == *id).unwrap();
            for lag in [0, self.test_env.l1_lifetime * TICKS] {
                let at = Timestamp::from_seconds((self.time - lag) / TICKS);
                assert_eq!(row.state(at), KeyStage::Removed, "destroyed while a replica needs it");
            }
            row.sealed_private_key.clear();
        }
        if let Some(announcement) = plan.announce {
            assert_eq!(announcement.id, records.next, "a number is never given twice");
            assert!(records.keys.iter().all(|row| row.id < announcement.id));
            let Announcement { id, algorithm, announced_at, active_from, shown, .. } = announcement;
            records.next = KeyId::numbered(id.number() + 1);
            records.keys.push(KeyRecord {
                id,
                algorithm,
                sealed_private_key: vec![1],
                thumbprint: id.to_string(),
                public_jwk: None,
                announced_at,
                active_from,
                retiring_from: None,
                removed_at: None,
                shown,
            });
            let ahead = active_from > now;
            if ahead {
                assert!(active_from >= announced_at + policy.window(), "{announcement:?}");
            }
            self.committed.push((id, self.time, ahead));
        }
        for id in moved_forward {
            self.committed.iter_mut().filter(|entry| entry.0 == id).for_each(|entry| entry.2 = false);
        }
        for row in &records.keys {
            assert!(row.announced_at <= row.active_from, "{row:?}");
            assert!(row.retiring_from.is_none_or(|retiring| retiring >= row.active_from), "{row:?}");
            let end = row.retiring_from.unwrap_or(row.announced_at);
            assert!(row.removed_at.is_none_or(|removed| removed >= end), "{row:?}");
        }
        // A plan adds at most one key. A key that takes over immediately may need a successor immediately, so
        // planning again can find more.
        let again = next(&records, &policy, now);
        let more = plan.announce.is_some() && plan.due_at == Some(now);
        assert!(again.is_empty() || more, "planning again finds {again:?} after {plan:?} in {records:?}");
        assert!(more || again.due_at == plan.due_at, "{again:?} {plan:?}");
        self.due_at = plan.due_at;
        let mut counts = self.counts.borrow_mut();
        counts.plans += 1;
        counts.announced += u64::from(plan.announce.is_some());
        counts.most_keys = counts
            .most_keys
            .max(records.keys.iter().filter(|row| row.state(now) != KeyStage::Removed).count());
        drop(counts);
        self.planned_with = (replica, policy);
        let policy = self.latest().policy.clone();
        self.history.push(Snapshot { since: self.time, records, policy });
    }

    fn sign(&mut self, replica: usize, lag: [u64; 2], lifetime: Index) {
        let now = self.clock(replica);
        let (records, policy) = (&self.seen(lag[0]).records, &self.seen(lag[1]).policy);
        if signing(records).next().is_none() {
            return;
        }
        let Some(key) = row_in_use(|| records.keys.iter(), policy.algorithm, policy.skew, now) else {
            panic!("nothing signs at {now:?} in {records:?}");
        };
        let (id, signed_by) = (key.id, key.announced_at);
        let &(_, committed, ahead) = self.committed.iter().find(|entry| entry.0 == id).unwrap();
        if ahead {
            // The window without the skew, because the clocks may have used up the skew.
            let KeyPolicy { jwks_max_age, jwks_stale, .. } =
                self.history.iter().find(|snapshot| snapshot.since >= committed).unwrap().policy;
            let least = jwks_max_age.seconds() + jwks_stale.seconds() + self.test_env.l1_lifetime;
            let published = self.time - committed;
            assert!(published >= least * TICKS, "signed {published} ticks after it was published");
            assert!(now >= signed_by);
        }
        // A replica with the previous policy issues tokens with the previous lifetime.
        let longest = usize::try_from(policy.longest_token.seconds()).unwrap();
        let lifetime = 1 + lifetime.index(longest) as u64;
        self.tokens.push(Token {
            key: id,
            is_opaque: false,
            expires: now + Lifetime::from_seconds(lifetime),
        });
        self.counts.borrow_mut().tokens += 1;
    }

    /// Issues an opaque token with rows that may be old. The first one creates its key, as in the ring's
    /// cache.
    fn encrypt(&mut self, replica: usize, lag: u64, lifetime: Index) {
        let now = self.clock(replica);
        let Snapshot { records, policy, .. } = self.seen(lag).clone();
        let in_use = row_in_use(|| records.keys.iter(), OPAQUE, policy.skew, now).map(|row| row.id);
        let id = in_use.unwrap_or(records.next);
        if in_use.is_none() {
            let begins_later = |row: &KeyRecord| row.algorithm == OPAQUE && row.active_from > now;
            let latest = self.latest().clone();
            if records.keys.iter().any(begins_later) || latest.records.next != id {
                return;
            }
            let key = crate::test_keys::record(&crate::test_keys::numbered(1, SigningAlgorithm::EdDSA));
            let (sealed_private_key, thumbprint) = (vec![1], id.to_string());
            let times = KeyRecord { announced_at: now, active_from: now, removed_at: None, ..key };
            let key = KeyRecord { id, algorithm: OPAQUE, sealed_private_key, thumbprint, ..times };
            let mut records = latest.records;
            records.next = KeyId::numbered(id.number() + 1);
            records.keys.push(key);
            self.committed.push((id, self.time, false));
            self.history.push(Snapshot { since: self.time, records, ..latest });
            self.due_at = Some(now);
            // Nothing has been planned since.
            self.planned_with.0 = usize::MAX;
        }
        let longest = usize::try_from(policy.longest_token.seconds()).unwrap();
        let expires = now + Lifetime::from_seconds(1 + lifetime.index(longest) as u64);
        self.tokens.push(Token { key: id, is_opaque: true, expires });
        self.counts.borrow_mut().encrypted += 1;
    }

    /// Every replica has the key of every opaque token, or does not know its number yet.
    fn check_opaque_tokens(&self) {
        for (replica, lag) in [(0, 0), (1, 0), (0, self.test_env.l1_lifetime), (1, self.test_env.l1_lifetime)]
        {
            let (now, Snapshot { records, .. }) = (self.clock(replica), self.seen(lag * TICKS));
            for token in self.tokens.iter().filter(|token| token.is_opaque && token.expires > now) {
                let row = records.keys.iter().find(|row| row.id == token.key);
                let opens = |row: &KeyRecord| {
                    !row.sealed_private_key.is_empty() && row.state(now) != KeyStage::Removed
                };
                assert!(row.map_or(token.key >= records.next, opens), "{} is not in {records:?}", token.key);
            }
        }
    }

    fn fetch(&self, replica: usize, lag: [u64; 2]) -> Copy {
        self.counts.borrow_mut().fetches += 1;
        let (records, policy) = (&self.seen(lag[0]).records, &self.seen(lag[1]).policy);
        let now = self.clock(replica);
        let published = signing(records).filter(|row| row.state(now) != KeyStage::Removed);
        let keys: Vec<_> = published.map(|row| row.id).collect();
        assert!(signing(records).next().is_none() || !keys.is_empty(), "the key set is empty");
        let JwksCacheLifetime { max_age, stale } = cache_lifetime(records, policy, now);
        assert!(max_age <= policy.jwks_max_age && max_age.seconds() >= 1 && stale <= policy.jwks_stale);
        self.counts.borrow_mut().shortened += u64::from(max_age < policy.jwks_max_age);
        let fresh_until = self.time + (max_age.seconds() + stale.seconds()) * TICKS;
        Copy { fetched: self.time, fresh_until, keys }
    }

    /// Checks the invariants until `until`, also at times in between when a state changes.
    fn pass_until(&mut self, until: u64, from: u64) {
        let clocks = self.test_env.clocks;
        let rows = self.latest().records.keys.iter();
        let times = rows.flat_map(|row| [Some(row.active_from), row.retiring_from, row.removed_at]);
        let mut turns: Vec<_> = times
            .flatten()
            .flat_map(|turn| clocks.map(|clock| (turn.seconds() * TICKS).saturating_sub(clock)))
            .flat_map(|turn| [turn.saturating_sub(1), turn])
            .filter(|turn| (from..until).contains(turn))
            .collect();
        turns.sort_unstable();
        turns.dedup();
        for turn in turns.into_iter().chain([until]) {
            self.time = turn;
            self.check();
        }
    }

    fn check(&mut self) {
        for replica in 0..2 {
            let now = self.clock(replica);
            let Snapshot { records, policy, .. } = self.latest();
            let is_active = |row: &&KeyRecord| row.state(now) == KeyStage::Active;
            let opaque = records.keys.iter().filter(|row| row.algorithm == OPAQUE);
            assert!(opaque.filter(is_active).count() <= 1, "two encrypt at {now:?}: {records:?}");
            if signing(records).next().is_none() {
                continue;
            }
            let active: Vec<_> = signing(records).filter(is_active).collect();
            let begun = |row: &&KeyRecord| row.announced_at <= now;
            let made_ahead = active.is_empty() && signing(records).any(|row| row.announced_at > now);
            assert!(active.len() == 1 || made_ahead, "{} active at {now:?}: {records:?}", active.len());
            assert!(row_in_use(|| records.keys.iter(), policy.algorithm, policy.skew, now).is_some());
            assert!(signing(records).filter(begun).count() > 0 || made_ahead);
            self.counts.borrow_mut().instants += 1;
        }
        let [one, two] = [self.clock(0), self.clock(1)];
        let revoked = &self.revoked;
        let mut counts = self.counts.borrow_mut();
        self.tokens.retain(|token| {
            let alive = token.expires > one.min(two);
            let broken = alive && revoked.contains(&token.key);
            counts.broken_by_command += u64::from(broken);
            alive && !broken
        });
        drop(counts);
        self.check_opaque_tokens();
        for verifier in 0..self.copies.len() {
            if self.copies[verifier].fresh_until <= self.time {
                self.copies[verifier] = self.fetch(verifier % 2, [0, self.test_env.l1_lifetime * TICKS]);
            }
            let copy = &self.copies[verifier];
            let signed = self.tokens.iter().filter(|token| !token.is_opaque);
            for token in signed.filter(|token| token.expires > one.max(two)) {
                let (_, committed, ahead) =
                    *self.committed.iter().find(|entry| entry.0 == token.key).unwrap();
                // If a key had to sign immediately, only verifiers that have fetched since then know it.
                if ahead || copy.fetched >= committed + self.test_env.l1_lifetime * TICKS {
                    assert!(copy.keys.contains(&token.key), "{} is not in {:?}", token.key, copy.keys);
                    self.counts.borrow_mut().verified += 1;
                }
            }
        }
    }
}

fn signing(records: &KeyRecords) -> impl Iterator<Item = &KeyRecord> {
    records.keys.iter().filter(|row| row.algorithm != OPAQUE)
}

/// The shown times of a revocation are at most its time, and in the order of a key's life. Another replica
/// may have a fast clock.
fn check_shown(revoked: &RevocationPlan, before: &KeyRecords, now: Timestamp) {
    for times in &revoked.plan.times {
        let row = before.keys.iter().find(|row| row.id == times.id).unwrap();
        let (seen, was) = (times.as_shown(), KeyTimes::from_key(row).as_shown());
        let announced_at = row.shown.announced_at.unwrap_or(row.announced_at);
        assert!(seen.active_from == was.active_from || seen.active_from >= now, "{row:?} {times:?}");
        if let Some(removed) =
            seen.removed_at.filter(|_| times.removed_at != row.removed_at && times.removed_at <= Some(now))
        {
            let has_begun = times.active_from <= now;
            let begun = if has_begun { seen.active_from } else { announced_at };
            assert_eq!(removed, now.max(begun), "{row:?} {times:?}");
            assert_eq!(seen.retiring_from.is_some(), has_begun, "{row:?} {times:?}");
            let mut after = row.clone();
            times.write_to(&mut after);
            assert!(is_revoked(&after), "{row:?} {times:?}");
            let kept = was.retiring_from.filter(|retiring| *retiring <= now);
            assert!(kept.is_none_or(|kept| seen.retiring_from == Some(kept)), "{row:?} {times:?}");
            assert!(
                seen.retiring_from.is_none_or(|end| seen.active_from <= end && end <= removed),
                "{row:?} {times:?}"
            );
        }
    }
    if let Some(Announcement { announced_at, active_from, shown, .. }) = revoked.plan.announce {
        assert_eq!(shown.announced_at.unwrap_or(announced_at), now);
        assert!(shown.active_from.unwrap_or(active_from) >= now);
    }
}

fn policy_of(settings: &Settings, test_env: TestEnv) -> KeyPolicy {
    let span = Lifetime::from_seconds;
    let window = settings.jwks_max_age + settings.jwks_stale + settings.skew + test_env.l1_lifetime;
    let publish_before = window + settings.ahead;
    let signing = SigningPolicy {
        algorithm: ALGORITHMS[settings.algorithm],
        rotate_every: span(publish_before + settings.signs_for),
        publish_before: span(publish_before),
        jwks_max_age: span(settings.jwks_max_age),
        jwks_stale: span(settings.jwks_stale),
        skew: span(settings.skew),
        ..SigningPolicy::default()
    };
    let policy = KeyPolicy::new(&signing, span(settings.lifetime), span(test_env.l1_lifetime));
    assert!(policy.publish_before >= policy.window());
    policy
}

/// The maximum age of copies.
fn kept(policy: &KeyPolicy) -> Lifetime {
    Lifetime::from_seconds(policy.jwks_max_age.seconds() + policy.jwks_stale.seconds())
}

fn live(test_env: TestEnv, settings: &Settings, steps: Vec<(bool, Step, Index)>, counts: &RefCell<Counts>) {
    let policy = policy_of(settings, test_env);
    let records = KeyRecords { next: KeyId::numbered(1), copies_kept: kept(&policy), keys: Vec::new() };
    let mut world = World {
        time: START,
        test_env,
        planned_with: (0, policy.clone()),
        history: vec![Snapshot { since: START, records, policy }],
        committed: Vec::new(),
        due_at: None,
        tokens: Vec::new(),
        revoked: Vec::new(),
        copies: Default::default(),
        previous_tokens_until: None,
        previous_jwks: None,
        counts,
    };
    for (replica, step, delay) in steps {
        counts.borrow_mut().steps += 1;
        let from = world.time;
        let replica = usize::from(replica);
        let (decided_at, is_command) = (world.clock(replica), !matches!(step, Step::Wake));
        if let Some(plan) = world.take(replica, step) {
            let passes = delay.index(usize::try_from(world.margin()).unwrap() + 1) as u64;
            world.pass_until(from + passes, from);
            counts.borrow_mut().slow_commits += u64::from(passes > 0);
            counts.borrow_mut().commands += u64::from(is_command);
            world.commit(replica, &plan, decided_at);
            world.check();
        } else {
            let until = world.time;
            world.pass_until(until, from);
        }
    }
}

// [V13 13.3.4]: 3 | Secrets expire and are replaced as documented | not met | Signing keys rotate
//   automatically. Client secrets end at `expires`, which is optional
// [http RFC 9111 §4.2]
/// Generates the same lives in each run, so that the result changes only if the planner changes. Use
/// `TestRunner::new(config)` with more cases to search for failures.
#[test]
fn random_life_cycles_never_break_a_verifier() {
    let counts = RefCell::new(Counts::default());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let lives = test_envs().prop_flat_map(|test_env| (Just(test_env), settings(test_env), steps(test_env)));
    let outcome = runner.run(&lives, |(test_env, settings, steps)| {
        live(test_env, &settings, steps, &counts);
        Ok(())
    });
    println!("{CASES} lives: {:?}", counts.borrow());
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
