//! Tests the counts of failures: their limit, their decay, and the audit records.

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn is_over(runs: &FailureRuns, tenant: &TenantId, account: &AccountId, browser: Option<BrowserId>) -> bool {
    runs.begin(tenant, account, browser, NOW).map(CountedAttempt::forgive).is_none()
}

fn fail(runs: &FailureRuns, tenant: &TenantId, account: &AccountId, browser: Option<BrowserId>) {
    drop(runs.begin(tenant, account, browser, NOW).unwrap());
}

#[test]
fn hundred_failures_in_a_row_block_that_browser_only() {
    let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
    let browsers = [None, Some([1; 16]), Some([2; 16])];
    for (at, browser) in browsers.into_iter().enumerate() {
        for _ in 0..99 {
            fail(&runs, &acme, &ada, browser);
        }
        assert!(!is_over(&runs, &acme, &ada, browser));
        runs.begin(&acme, &ada, browser, NOW).unwrap().succeed();
        for _ in 0..100 {
            assert!(!is_over(&runs, &acme, &ada, browser), "not in a row");
            fail(&runs, &acme, &ada, browser);
        }
        for (other, browser) in browsers.into_iter().enumerate() {
            assert_eq!(is_over(&runs, &acme, &ada, browser), other <= at);
        }
    }
    for (other, account) in [("globex", &ada), ("acme", &AccountId::from_bytes([2; 16]))] {
        assert!(!is_over(&runs, &tenant(other), account, None));
    }
    assert!(runs.forget(&tenant("globex"), &ada).is_empty());
    assert!(is_over(&runs, &acme, &ada, None));
    assert_eq!(runs.forget(&acme, &ada), [[1; 16], [2; 16]]);
    assert!(browsers.into_iter().all(|browser| !is_over(&runs, &acme, &ada, browser)));
}

// [shared 2.7]: Ten wrong passwords of a stranger refused the right one in every new browser, a hundred in a
//   row did so for ever, and nothing said so | fixed | A run loses one failure every half hour.
//   `account.throttled` in the audit, `account show` and the metric `latchkey_accounts_throttled` say it;
//   `account unlock` ends it in all replicas. Every refusal has one text, which says that several tries make
//   a person wait, and leaves at one instant
#[test]
fn a_run_loses_one_failure_every_half_hour() {
    let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
    let fit = |hours: u64| {
        let now = NOW + Lifetime::from_seconds(hours * 3_600);
        (0..1_000).take_while(|_| runs.begin(&acme, &ada, None, now).is_some()).count()
    };
    for (hours, expected) in [(0, 100), (0, 0), (1, 2), (2, 2), (26, 48), (76, 100)] {
        assert_eq!(fit(hours), expected, "{hours}");
    }
}

#[test]
fn throttled_account_is_audited_at_most_once_a_day() {
    let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
    let at = |seconds| NOW + Lifetime::from_seconds(seconds);
    for (seconds, is_told, since) in [
        (0, true, 0),
        (60, false, 0),
        (959, false, 0),
        // The account was not throttled for a while, and then again.
        (3_600, false, 3_600),
        (86_400, true, 86_400),
        (86_401, false, 86_400),
    ] {
        assert_eq!(runs.refused(&acme, &ada, at(seconds)).is_some(), is_told, "{seconds}");
        let throttled = Throttled { since: at(since), until: at(seconds + 900) };
        assert_eq!(runs.of(&acme, &ada, at(seconds)).0, Some(throttled));
        assert_eq!((runs.throttled(at(seconds)), runs.throttled(at(seconds + 900))), (1, 0));
    }
    assert_eq!(runs.of(&tenant("globex"), &ada, at(86_401)), (None, 0));
    runs.forget(&acme, &ada);
    assert_eq!(runs.of(&acme, &ada, at(86_401)), (None, 0));
}

#[test]
fn attempts_in_progress_count_towards_the_limit() {
    let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
    for _ in 0..98 {
        fail(&runs, &acme, &ada, None);
    }
    let under_way: Vec<_> = (0..10).filter_map(|_| runs.begin(&acme, &ada, None, NOW)).collect();
    assert_eq!(under_way.len(), 2);
    under_way.into_iter().for_each(CountedAttempt::forgive);
    assert!(!is_over(&runs, &acme, &ada, None));
}

#[test]
fn full_tables_evict_the_shortest_runs() {
    let (runs, acme) = (FailureRuns::default(), tenant("acme"));
    let bytes = |number: u32| u128::from(number).to_be_bytes();
    let account = |number: u32| AccountId::from_bytes(bytes(number));
    for _ in 0..MOST {
        fail(&runs, &acme, &account(0), Some(bytes(0)));
    }
    for number in 1..1_000 {
        fail(&runs, &acme, &account(0), Some(bytes(number)));
    }
    fail(&runs, &tenant("globex"), &account(0), None);
    for number in 1..70_000 {
        fail(&runs, &acme, &account(number), None);
    }
    assert!(is_over(&runs, &acme, &account(0), Some(bytes(0))));
    assert_eq!(runs.of(&tenant("globex"), &account(0), NOW).1, 1, "another tenant's count stays");
    let mut all = runs.runs.lock();
    assert!(all.len() <= ACCOUNTS, "{}", all.len());
    assert_eq!(all.get_mut(&acme, &account(0)).unwrap().known.len(), BROWSERS);
}
