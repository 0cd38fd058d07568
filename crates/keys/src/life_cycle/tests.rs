//! Tests the rules of the life cycle one by one.

use protocol::SigningAlgorithm;
use values::{Lifetime, Timestamp};

use super::*;
use crate::test_keys::{at, numbered, record, records};
use crate::{ImportedKey, KeyId, KeyRecord, PrivateKeyDocument, RsaSize};

const ES256: SigningAlgorithm = SigningAlgorithm::ES256;
const EDDSA: SigningAlgorithm = SigningAlgorithm::EdDSA;

/// The window is 140, the propagation delay is 30, and a key is removed 190 after it retires.
fn policy(algorithm: SigningAlgorithm) -> KeyPolicy {
    let span = Lifetime::from_seconds;
    KeyPolicy {
        algorithm: algorithm.into(),
        rsa_size: RsaSize::Bits2048,
        rotate_every: span(10_000),
        publish_before: span(1_000),
        jwks_max_age: span(70),
        jwks_stale: span(40),
        skew: span(20),
        l1_lifetime: span(9),
        longest_token: span(100),
        previous_tokens_until: None,
    }
}

fn id(number: u32) -> KeyId {
    KeyId::numbered(number)
}

fn none() -> KeyRecords {
    records(Vec::new())
}

/// The rows after the plan is committed.
fn after(records: &KeyRecords, plan: &KeyPlan) -> KeyRecords {
    let mut records = records.clone();
    for times in &plan.times {
        let row = records.keys.iter_mut().find(|row| row.id == times.id).unwrap();
        times.write_to(row);
    }
    for destroyed in &plan.destroy {
        records.keys.iter_mut().find(|row| row.id == *destroyed).unwrap().sealed_private_key.clear();
    }
    if let Some(Announcement { id, algorithm, announced_at, active_from, shown, .. }) = plan.announce {
        records.next = KeyId::numbered(id.number() + 1);
        let (sealed_private_key, thumbprint) = (vec![1], id.to_string());
        let key = KeyRecord { algorithm, ..record(&numbered(id.number(), ES256)) };
        records.keys.push(KeyRecord {
            id,
            sealed_private_key,
            thumbprint,
            announced_at,
            active_from,
            shown,
            ..key
        });
    }
    records
}

/// Each row as `active_from retiring_from removed_at`.
fn shown(records: &KeyRecords) -> String {
    let end = |end: Option<Timestamp>| end.map_or("-".to_owned(), |end| end.seconds().to_string());
    let row = |row: &KeyRecord| {
        let (retiring, removed) = (end(row.retiring_from), end(row.removed_at));
        format!("{} {retiring} {removed}", row.active_from.seconds())
    };
    records.keys.iter().map(row).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(records: &KeyRecords, plan: &KeyPlan, expected: &str, due_at: u64) -> KeyRecords {
    let rows = after(records, plan);
    assert_eq!(shown(&rows), expected);
    assert_eq!(plan.due_at, Some(at(due_at)));
    rows
}

fn first() -> KeyRecords {
    after(&none(), &next(&none(), &policy(ES256), at(500)))
}

/// The first key, and its successor, which becomes active at 10 500.
fn announced() -> KeyRecords {
    after(&first(), &next(&first(), &policy(ES256), at(9_500)))
}

#[test]
fn keys_rotate_on_schedule_and_are_finally_destroyed() {
    let policy = policy(ES256);
    let rows = check(&none(), &next(&none(), &policy, at(500)), "500 - -", 9_500);
    assert!(next(&rows, &policy, at(9_499)).is_empty());
    let rows = check(&rows, &next(&rows, &policy, at(9_500)), "500 10500 10690, 10500 - -", 10_720);
    assert!(next(&rows, &policy, at(10_719)).is_empty());
    let plan = next(&rows, &policy, at(10_720));
    assert_eq!((plan.destroy.as_slice(), plan.due_at), ([id(1)].as_slice(), Some(at(19_500))));
}

#[test]
fn late_run_does_not_shorten_publication() {
    let plan = next(&first(), &policy(ES256), at(99_999_999));
    check(&first(), &plan, "500 100000999 100001189, 100000999 - -", 100_001_219);
}

// [V11 11.1.4]: 3 | The inventory has a plan for new standards, such as post-quantum ones | not met | A
//   tenant's algorithm changes without an outage, and sealed values name their format; there is no plan yet,
//   since verifiers' libraries know no post-quantum signature
// [V11 11.2.2]: 2 | Algorithms and keys can be replaced | not met | Signing algorithm and every key can,
//   sealed values are written again; the parameters of argon2id and AES-256-GCM are fixed in the code, behind
//   a version in what is stored
// [keys RFC 7517 §4.5], [http RFC 9111 §4.2]
#[test]
fn another_algorithm_takes_over_after_its_publication() {
    let plan = next(&first(), &policy(EDDSA), at(600));
    assert_eq!(plan.announce.unwrap().algorithm, EDDSA);
    let rows = check(&first(), &plan, "500 1600 1790, 1600 - -", 1_820);
    // The algorithm is changed back: the new key is dropped, or if it is too late, it signs and is replaced.
    let plan = next(&rows, &policy(ES256), at(1_570));
    check(&rows, &plan, "500 - -, 1600 - 1570", 1_600);
    let plan = next(&rows, &policy(ES256), at(1_571));
    assert!(plan.is_empty() && plan.due_at == Some(at(1_600)));
    let plan = next(&rows, &policy(ES256), at(1_600));
    check(&rows, &plan, "500 1600 1790, 1600 2600 2790, 2600 - -", 1_820);
}

#[test]
fn longer_tokens_extend_retention_and_shorter_never_reduce_it() {
    let long = KeyPolicy { longest_token: Lifetime::from_seconds(5_000), ..policy(ES256) };
    let rows =
        check(&announced(), &next(&announced(), &long, at(9_600)), "500 10500 15590, 10500 - -", 15_620);
    assert!(next(&rows, &policy(ES256), at(9_700)).is_empty());
    // After the lifetime becomes shorter again, the key is kept for tokens with the longer lifetime, and the
    // plan reports which tokens its removal would invalidate.
    let mindful = policy(ES256).with_previous(Some(at(14_800)), None, at(9_700));
    assert_eq!(mindful.longest_token, Lifetime::from_seconds(5_100));
    check(&announced(), &next(&announced(), &mindful, at(9_700)), "500 10500 15690, 10500 - -", 15_720);
    let revocation =
        revoke(&rows, &policy(ES256).with_previous(Some(at(14_800)), None, at(11_000)), id(1), at(11_000));
    assert_eq!(revocation.unwrap().breaks, [BrokenTokens { key: id(1), until: at(14_820) }]);
}

#[test]
fn longer_cached_copies_delay_the_next_key() {
    let mindful = |age, until, now| {
        let previous = Some((Lifetime::from_seconds(age), at(until)));
        policy(ES256).with_previous(None, previous, at(now))
    };
    for (age, until, now, window, publish_before) in [
        (110, 9_000, 8_000, 140, 1_000),
        (210, 9_000, 8_000, 240, 1_100),
        (210, 9_000, 8_999, 240, 1_100),
        (210, 9_000, 9_000, 140, 1_000),
        (0, 9_000, 8_000, 140, 1_000),
    ] {
        let policy = mindful(age, until, now);
        let found = (policy.window().seconds(), policy.publish_before.seconds());
        assert_eq!(found, (window, publish_before), "{age} until {until} at {now}");
        assert_eq!(policy.retention(), self::policy(ES256).retention());
    }
    let rows = after(&first(), &next(&first(), &mindful(2_000, 9_500, 9_000), at(9_000)));
    assert_eq!(shown(&rows), "500 11890 12080, 11890 - -");
}

#[test]
fn policy_allows_one_second_for_clock_rounding() {
    let span = Lifetime::from_seconds;
    let settings = tenancy::SigningPolicy {
        publish_before: span(2),
        jwks_max_age: span(1),
        jwks_stale: span(0),
        skew: span(0),
        rsa_bits: 3072,
        ..tenancy::SigningPolicy::default()
    };
    let policy = KeyPolicy::new(&settings, span(5), span(1));
    assert_eq!((policy.window(), policy.publish_before), (span(3), span(3)));
    assert_eq!((policy.propagation_delay(), policy.retention()), (span(2), span(6)));
    let plan = rotate_now(&first(), &policy, at(600));
    let announced = plan.announce.unwrap();
    assert_eq!((announced.active_from, announced.spec().rsa()), (at(603), Some(RsaSize::Bits3072)));
}

// [http RFC 5861 §3, §4]: Both durations of a key set become shorter as a new key comes near, so that no copy
//   is used a second beyond it; while the store is unavailable, stale keys are used no longer than their
//   successors wait to sign
#[test]
fn copies_expire_when_the_next_key_is_due() {
    let kept = |records: &KeyRecords, policy: &KeyPolicy, now| {
        let JwksCacheLifetime { max_age, stale } = cache_lifetime(records, policy, at(now));
        (max_age.seconds(), stale.seconds())
    };
    let of = |records: &KeyRecords, now| kept(records, &policy(ES256), now);
    for (now, expected) in [
        (500, (70, 40)),
        (9_390, (70, 40)),
        (9_391, (70, 39)),
        (9_429, (70, 1)),
        (9_430, (70, 0)),
        (9_431, (69, 0)),
        (9_490, (10, 0)),
        (9_499, (1, 0)),
        (9_500, (1, 0)),
        (9_569, (1, 0)),
        // This policy does not announce keys.
        (9_570, (70, 40)),
        (99_999, (70, 40)),
    ] {
        assert_eq!(of(&first(), now), expected, "at {now}");
    }
    for (now, expected) in
        [(9_500, (70, 40)), (10_500, (70, 40)), (19_430, (70, 0)), (19_460, (40, 0)), (19_500, (1, 0))]
    {
        assert_eq!(of(&announced(), now), expected, "announced, at {now}");
    }
    assert_eq!(of(&none(), 500), (70, 40));
    // With another algorithm, the next key is due immediately.
    assert_eq!(kept(&first(), &policy(EDDSA), 500), (1, 0));
    let short = KeyPolicy { jwks_max_age: Lifetime::from_seconds(1), ..policy(ES256) };
    assert_eq!(kept(&first(), &short, 500), (1, 40));
    assert_eq!(kept(&first(), &short, 9_499), (1, 0));
    // The rows were written under a policy of 70 + 40 = 110. A replica may still use them together with a
    // policy that has longer times.
    for (max_age, stale, expected) in [(1_000, 500, (110, 0)), (100, 500, (100, 10)), (50, 30, (50, 30))] {
        let [jwks_max_age, jwks_stale] = [max_age, stale].map(Lifetime::from_seconds);
        let changed = KeyPolicy { jwks_max_age, jwks_stale, ..policy(ES256) };
        assert_eq!(kept(&first(), &changed, 500), expected);
    }
}

#[test]
fn rotating_now_never_delays_a_planned_rotation() {
    let rotate = |records: &KeyRecords, now| rotate_now(records, &policy(ES256), at(now));
    check(&first(), &rotate(&first(), 600), "500 1600 1790, 1600 - -", 1_820);
    check(&announced(), &rotate(&announced(), 9_600), "500 10500 10690, 10500 - -", 10_720);
    let held =
        after(&announced(), &hold(&announced(), &policy(ES256), id(2), at(20_000), at(9_600)).unwrap());
    check(&held, &rotate(&held, 9_700), "500 10700 20190, 10700 - -", 19_700);
    check(&none(), &rotate(&none(), 600), "600 - -", 9_600);
}

#[test]
fn emergency_rotation_leaves_only_one_new_key() {
    let RevocationPlan { plan, breaks } = rotate_in_emergency(&announced(), &policy(ES256), at(10_000));
    check(&announced(), &plan, "500 9980 9980, 10500 - 9980, 9980 - -", 10_010);
    assert_eq!(breaks, [BrokenTokens { key: id(1), until: at(10_120) }]);
    let RevocationPlan { breaks, .. } = rotate_in_emergency(&announced(), &policy(ES256), at(10_550));
    let of_the_previous = BrokenTokens { key: id(1), until: at(10_620) };
    assert_eq!(breaks, [of_the_previous, BrokenTokens { key: id(2), until: at(10_670) }]);
    // The first key signed until 10 500, although revoking the second key moves its stored time to 10 490.
    let revocation = revoke(&announced(), &policy(ES256), id(2), at(10_510)).unwrap();
    let rows = after(&announced(), &revocation.plan);
    let RevocationPlan { breaks, .. } = rotate_in_emergency(&rows, &policy(ES256), at(10_512));
    assert_eq!(breaks, [of_the_previous, BrokenTokens { key: id(3), until: at(10_632) }]);
}

#[test]
fn revoked_key_is_replaced_by_announced_or_new_key() {
    let revoke = |records: &KeyRecords, number, now| revoke(records, &policy(ES256), id(number), at(now));
    let revocation = revoke(&announced(), 1, 10_000).unwrap();
    check(&announced(), &revocation.plan, "500 9980 9980, 9980 - -", 10_010);
    assert_eq!(revocation.breaks, [BrokenTokens { key: id(1), until: at(10_120) }]);
    let revocation = revoke(&first(), 1, 10_000).unwrap();
    check(&first(), &revocation.plan, "500 9980 9980, 9980 - -", 10_010);
    // Revoking an announced key invalidates no tokens, and another key replaces it.
    let revocation = revoke(&announced(), 2, 10_000).unwrap();
    check(&announced(), &revocation.plan, "500 11000 11190, 10500 - 9980, 11000 - -", 10_010);
    assert!(revocation.breaks.is_empty());
    // Close to the takeover, a slow clock also finds exactly one key to sign with.
    let revocation = revoke(&announced(), 1, 10_510).unwrap();
    check(&announced(), &revocation.plan, "500 10490 10490, 10490 - -", 10_520);
    let revocation = revoke(&announced(), 2, 10_510).unwrap();
    check(&announced(), &revocation.plan, "500 10490 10690, 10500 - 10490, 10490 - -", 10_520);
    // The revoked key has just become active and retired. On a slow clock, the previous key still signs.
    let mut four = announced();
    let times = (at(10_500), Some(at(10_505)), Some(at(10_695)));
    (four.keys[1].active_from, four.keys[1].retiring_from, four.keys[1].removed_at) = times;
    let key = first().keys.remove(0);
    let (retiring_from, removed_at) = (Some(at(11_505)), Some(at(11_695)));
    four.keys.push(KeyRecord {
        id: id(3),
        active_from: at(10_505),
        retiring_from,
        removed_at,
        ..key.clone()
    });
    four.keys.push(KeyRecord { id: id(4), active_from: at(11_505), ..key });
    let revocation = revoke(&four, 2, 10_510).unwrap();
    let expected = "500 10490 10690, 10500 - 10490, 10490 11505 11695, 11505 - -";
    check(&four, &revocation.plan, expected, 10_520);
    assert_eq!(revoke(&first(), 2, 10_000), Err(KeyCommandError::Unknown(id(2))));
    assert_eq!(revoke(&announced(), 1, 10_690), Err(KeyCommandError::Removed(id(1))));
}

/// The rows as shown to people, each with its announcement time first.
#[track_caller]
fn check_shown(records: &KeyRecords, plan: &KeyPlan, expected: &str) -> KeyRecords {
    let rows = after(records, plan);
    let mut seen = rows.clone();
    for row in &mut seen.keys {
        row.announced_at = row.shown.announced_at.unwrap_or(row.announced_at);
        KeyTimes::from_key(row).as_shown().write_to(row);
    }
    let announced = seen.keys.iter().map(|row| row.announced_at.seconds());
    let all = shown(&seen);
    let text = announced.zip(all.split(", ")).map(|(at, row)| format!("{at} {row}"));
    assert_eq!(text.collect::<Vec<_>>().join(", "), expected);
    rows
}

#[test]
fn revoked_keys_show_the_time_of_revocation() {
    let policy = policy(ES256);
    let emergency = |records: &KeyRecords, now| rotate_in_emergency(records, &policy, at(now)).plan;
    let revoke =
        |records: &KeyRecords, number, now| revoke(records, &policy, id(number), at(now)).unwrap().plan;
    // The announced key never signed.
    let rows = check_shown(
        &announced(),
        &emergency(&announced(), 10_000),
        "500 500 10000 10000, 9500 10500 - 10000, 10000 10000 - -",
    );
    // Shortly after a takeover, the previous key is removed at the same time as the current key.
    let plan = emergency(&announced(), 10_510);
    check_shown(&announced(), &plan, "500 500 10500 10510, 9500 10500 10510 10510, 10510 10510 - -");
    // A second emergency within the skew keeps the shown times of the first one. The key of the first one is
    // shown as retired after it began to sign.
    let rows = check_shown(
        &rows,
        &emergency(&rows, 10_005),
        "500 500 10000 10000, 9500 10500 - 10000, 10000 10000 10005 10005, 10005 10005 - -",
    );
    // Later steps do not change the shown times.
    let rows = check_shown(
        &rows,
        &next(&rows, &policy, at(18_985)),
        "500 500 10000 10000, 9500 10500 - 10000, 10000 10000 10005 10005, 10005 10005 19985 20175, 18985 19985 - -",
    );
    assert_eq!(rows.keys[3].active_from, at(9_985), "it signs on a clock that is behind");
    // Only one key is removed, and the announced key takes over immediately.
    let plan = revoke(&announced(), 1, 10_000);
    check_shown(&announced(), &plan, "500 500 10000 10000, 9500 10000 - -");
    // A key that was announced within the skew is shown with its announcement time.
    let late = after(&first(), &rotate_now(&first(), &policy, at(10_000)));
    check_shown(&late, &revoke(&late, 1, 10_005), "500 500 10005 10005, 10000 10005 - -");
    // A revocation close to the takeover does not change the shown time of the takeover.
    let plan = revoke(&announced(), 1, 10_510);
    check_shown(&announced(), &plan, "500 500 10500 10510, 9500 10500 - -");
    let plan = revoke(&announced(), 2, 10_510);
    check_shown(&announced(), &plan, "500 500 10500 10690, 9500 10500 10510 10510, 10510 10510 - -");
}

#[test]
fn imported_key_waits_unless_it_is_the_first() {
    let imported = |algorithm, thumbprint: &str| ImportedKey {
        algorithm,
        pkcs8: PrivateKeyDocument::copy_of(b"x"),
        thumbprint: thumbprint.to_owned(),
        public_jwk: String::new(),
    };
    let import = |records: &KeyRecords, key: &ImportedKey, now| import(records, &policy(ES256), key, at(now));
    let key = imported(ES256, "own");
    check(&none(), &import(&none(), &key, 500).unwrap(), "500 - -", 9_500);
    check(&first(), &import(&first(), &key, 600).unwrap(), "500 1600 1790, 1600 - -", 1_820);
    let plan = import(&announced(), &key, 9_600).unwrap();
    check(&announced(), &plan, "500 10500 10690, 10500 10600 10790, 10600 - -", 10_720);
    let known = import(&first(), &imported(ES256, "oauth2-key-1"), 600);
    assert_eq!(known, Err(KeyCommandError::AlreadyThere(id(1))));
    let other = KeyCommandError::OtherAlgorithm { found: EDDSA, wanted: ES256.into() };
    assert_eq!(import(&first(), &imported(EDDSA, "own"), 600), Err(other));
}

#[test]
fn holding_a_key_extends_its_predecessor() {
    let hold = |number, until, now| hold(&announced(), &policy(ES256), id(number), at(until), at(now));
    let plan = hold(2, 12_000, 10_000).unwrap();
    check(&announced(), &plan, "500 12000 12190, 12000 - -", 12_220);
    assert!(hold(2, 10_000, 10_000).unwrap().is_empty(), "never earlier");
    assert_eq!(hold(2, 12_000, 10_471), Err(KeyCommandError::TooLate(id(2))));
    assert_eq!(hold(2, 12_000, 10_500), Err(KeyCommandError::NotAnnounced(id(2))));
    assert_eq!(hold(1, 12_000, 10_000), Err(KeyCommandError::NotAnnounced(id(1))));
    assert_eq!(hold(3, 12_000, 10_000), Err(KeyCommandError::Unknown(id(3))));
}

#[test]
fn second_active_key_is_retired() {
    let mut rows = first();
    rows.keys.push(KeyRecord {
        id: id(2),
        algorithm: EDDSA.into(),
        active_from: at(700),
        ..rows.keys[0].clone()
    });
    rows.next = id(3);
    let plan = next(&rows, &policy(ES256), at(1_000));
    check(&rows, &plan, "500 - -, 700 1030 1220", 1_250);
    let plan = next(&rows, &policy(EDDSA), at(1_000));
    check(&rows, &plan, "500 1030 1220, 700 - -", 1_250);
}
