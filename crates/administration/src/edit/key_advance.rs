//! Decides which steps time and policy require for a tenant's keys, and whether the announced key waits for
//! verifiers that have not fetched it.
//!
//! An inactive tenant gets no new key: planned times stay, and removed keys are destroyed. Its keys are
//! planned again when it becomes active.

use keys::life_cycle::{self, KeyPlan, KeyPolicy};
use keys::{KeyRecord, KeyStage};
use values::{Lifetime, Timestamp};

use super::EditContext;
use super::key_edit::KeyDecision;
use crate::store::{TenantKeys, VerifierFetch};

/// An announced key is checked this long before the last moment at which it can still be held back.
const AHEAD: Lifetime = Lifetime::from_seconds(5);
/// A key is held back for at least this long each time, within the limit of the policy.
const STEP: Lifetime = Lifetime::from_seconds(60);
/// A long hold is divided into at most this many steps, so that the audit does not get a record every minute.
const STEPS: u64 = 10;

/// Decides the scheduler's step.
pub(crate) fn advance(
    context: EditContext<'_>,
    state: &TenantKeys,
    fetches: &[VerifierFetch],
) -> KeyDecision {
    let policy = context.key_policy(state);
    let plan = life_cycle::next(&state.records, &policy, context.now);
    if state.lifecycle.serves() {
        hold(context, state, &policy, plan, fetches).into()
    } else {
        only_destroy(state, &policy, plan, context.now).into()
    }
}

/// Whether a verifier polls the keys: its last fetch is within the interval of polling verifiers.
pub(crate) fn polls(fetch: &VerifierFetch, policy: &KeyPolicy, now: Timestamp) -> bool {
    let span = policy.publish_before.max(Lifetime::from_seconds(kept(policy).saturating_mul(2)));
    now < fetch.last_fetch_at + span
}

/// Returns the plan, or a plan in which the announced key begins to sign later. Both have the time of the
/// next check.
fn hold(
    context: EditContext<'_>,
    state: &TenantKeys,
    policy: &KeyPolicy,
    plan: KeyPlan,
    fetches: &[VerifierFetch],
) -> KeyPlan {
    let Some(longest) = state.tenant.signing.hold_activation else { return plan };
    let announced = first_announced(state, policy, &plan, context.now);
    let Some((announced, active_from)) = announced.filter(|(_, at)| check_due_at(policy, *at) <= context.now)
    else {
        return seen_before_it_begins(context, state, policy, plan);
    };
    let lacks = |fetch: &VerifierFetch| fetch.newest_key < announced.id && polls(fetch, policy, context.now);
    if !fetches.iter().any(lacks) {
        return plan;
    }
    let advance_at = STEP.max(Lifetime::from_seconds(longest.seconds() / STEPS));
    let limit = announced.announced_at + policy.publish_before + longest;
    let until = (active_from + advance_at).min(limit);
    // The key no longer waits: it is too late to hold it back, or it has waited long enough.
    match life_cycle::hold(&state.records, policy, announced.id, until, context.now) {
        Ok(held) if until > active_from => due_by(held, check_due_at(policy, until), context.now),
        Ok(_) | Err(_) => plan,
    }
}

/// Adds a check before the next key begins to sign, if the policy lets the key wait for verifiers.
pub(super) fn seen_before_it_begins(
    context: EditContext<'_>,
    state: &TenantKeys,
    policy: &KeyPolicy,
    plan: KeyPlan,
) -> KeyPlan {
    if state.tenant.signing.hold_activation.is_none() {
        return plan;
    }
    let there = first_announced(state, policy, &plan, context.now).map(|(_, active_from)| active_from);
    match there.or(plan.announce.map(|new| new.active_from)) {
        Some(active_from) => due_by(plan, check_due_at(policy, active_from), context.now),
        None => plan,
    }
}

/// When to check whether a key that begins to sign at this time must be held back.
fn check_due_at(policy: &KeyPolicy, active_from: Timestamp) -> Timestamp {
    active_from.saturating_sub(propagation_delay(policy)).saturating_sub(AHEAD)
}

/// The existing key that begins to sign next, and when the plan says it does.
fn first_announced<'a>(
    state: &'a TenantKeys,
    policy: &KeyPolicy,
    plan: &KeyPlan,
    now: Timestamp,
) -> Option<(&'a KeyRecord, Timestamp)> {
    let rows = state.records.keys.iter().filter(|row| policy.concerns(row));
    let rows = rows.filter(|row| row.state(now) == KeyStage::Announced);
    let planned = rows.filter_map(|row| match plan.times.iter().find(|times| times.id == row.id) {
        Some(times) if times.removed_at.is_some_and(|removed| removed <= now) => None,
        Some(times) => Some((row, times.active_from)),
        None => Some((row, row.active_from)),
    });
    planned.min_by_key(|(row, active_from)| (*active_from, row.id))
}

fn only_destroy(state: &TenantKeys, policy: &KeyPolicy, plan: KeyPlan, now: Timestamp) -> KeyPlan {
    let whole = state.records.keys.iter().filter(|row| !row.sealed_private_key.is_empty());
    let left = whole.filter(|row| !plan.destroy.contains(&row.id));
    let due_at = left.filter_map(|row| Some(row.removed_at? + propagation_delay(policy))).min();
    KeyPlan { destroy: plan.destroy, due_at: due_at.map(|due| due.max(now)), ..KeyPlan::default() }
}

fn due_by(plan: KeyPlan, check_due_at: Timestamp, now: Timestamp) -> KeyPlan {
    let check_due_at = Some(check_due_at).filter(|check_due_at| *check_due_at > now);
    KeyPlan { due_at: plan.due_at.into_iter().chain(check_due_at).min(), ..plan }
}

/// How long until every replica acts on a changed row: the publication window of a key without the time for
/// which verifiers cache the key.
fn propagation_delay(policy: &KeyPolicy) -> Lifetime {
    Lifetime::from_seconds(policy.window().seconds().saturating_sub(kept(policy)))
}

/// How many seconds a verifier caches the key set.
fn kept(policy: &KeyPolicy) -> u64 {
    policy.jwks_max_age.seconds().saturating_add(policy.jwks_stale.seconds())
}

#[cfg(test)]
mod tests {
    use super::super::test_keys::{id, in_context, key_state, span, write};
    use super::super::test_states::{NOW, at, tenant_id, with};
    use super::*;
    use crate::kinds::state::RowLifecycle;

    fn advance_at(state: &mut TenantKeys, seconds: u64, fetches: &[VerifierFetch]) -> String {
        let decision = in_context(seconds, |context| advance(context, state, fetches));
        write(state, &decision, seconds)
    }

    /// Checks the result of each step. Steps without an effect are left out.
    #[track_caller]
    fn check(state: &mut TenantKeys, steps: &[(u64, &str)]) {
        for (seconds, expected) in steps {
            assert_eq!(advance_at(state, *seconds, &[]), *expected, "at {seconds}");
        }
    }

    #[test]
    fn keys_rotate_and_settled_keys_are_not_rewritten() {
        let steps = [
            (0, "1 announced for 0, due 9000"),
            (0, "due 9000"),
            (8999, "due 9000"),
            (9000, "2 announced for 10000, 1 0/-/- -> 0/10000/13690, due 13721"),
            (13_720, "due 13721"),
            (13_721, "1 destroyed, due 19000"),
        ];
        check(&mut key_state(), &steps);
    }

    #[test]
    fn inactive_tenant_gets_no_new_key() {
        let stops: [fn(&mut RowLifecycle); 3] = [
            |lifecycle| lifecycle.suspended_at = Some(NOW),
            |lifecycle| lifecycle.retired_at = Some(NOW),
            |lifecycle| lifecycle.deletion_due_at = Some(NOW),
        ];
        for stop in stops {
            let mut state = with(key_state(), |state| stop(&mut state.lifecycle));
            check(&mut state, &[(0, "due -")]);
            state.lifecycle = key_state().lifecycle;
            let second = "2 announced for 10000, 1 0/-/- -> 0/10000/13690, due 13721";
            check(&mut state, &[(0, "1 announced for 0, due 9000"), (9000, second)]);
            stop(&mut state.lifecycle);
            check(&mut state, &[(9001, "due 13721"), (13_721, "1 destroyed, due -"), (99_999, "due -")]);
            state.lifecycle = key_state().lifecycle;
            let third = "3 announced for 100999, 2 10000/-/- -> 10000/100999/104689, due 104720";
            check(&mut state, &[(99_999, third)]);
        }
    }

    fn fetch(last_fetch_at: u64, newest: u32) -> VerifierFetch {
        let (tenant, verifier) = (tenant_id("t"), format!("agent {last_fetch_at}"));
        VerifierFetch { tenant, verifier, last_fetch_at: at(last_fetch_at), newest_key: id(newest) }
    }

    /// A tenant that waits at most `hold` seconds for verifiers, with a key that begins to sign at 10 000.
    fn announced(hold: u64) -> TenantKeys {
        let mut state = with(key_state(), |state| state.tenant.signing.hold_activation = Some(span(hold)));
        check(&mut state, &[(0, "1 announced for 0, due 9000")]);
        let described = advance_at(&mut state, 9000, &[]);
        let expected = "2 announced for 10000, 1 0/-/- -> 0/10000/13690, due 9964";
        assert_eq!(described, expected, "it is seen beforehand");
        state
    }

    #[test]
    fn announced_key_waits_for_verifiers_without_it() {
        let begins = |seconds, hold, fetches: &[VerifierFetch]| {
            let mut state = announced(hold);
            advance_at(&mut state, seconds, fetches);
            state.records.keys[1].active_from.seconds() - NOW.seconds()
        };
        let lacking = [fetch(9500, 1)];
        assert_eq!(begins(9963, 600, &lacking), 10_000, "there is time yet");
        assert_eq!(begins(9964, 600, &lacking), 10_060);
        assert_eq!(begins(9969, 600, &lacking), 10_060);
        assert_eq!(begins(9970, 600, &lacking), 10_000, "replicas may act on it already");
        assert_eq!(begins(9964, 600, &[]), 10_000);
        assert_eq!(begins(9964, 600, &[fetch(9500, 2)]), 10_000);
        assert_eq!(begins(9964, 600, &[fetch(9500, 2), fetch(9700, 1)]), 10_060);
        assert_eq!(begins(9964, 600, &[fetch(8964, 1)]), 10_000, "it no longer polls");
        assert_eq!(begins(9964, 600, &[fetch(8965, 1)]), 10_060);
        assert_eq!(begins(9964, 10_000, &lacking), 11_000, "a tenth of a long hold");
        assert_eq!(begins(9964, 25, &lacking), 10_025, "as long as is allowed");
    }

    #[test]
    fn hold_limit_activates_key_despite_lagging_verifiers() {
        let mut state = announced(150);
        let mut seconds = 9964;
        let mut described = Vec::new();
        while state.records.keys[1].active_from > at(seconds) {
            let lacking = [fetch(seconds, 1)];
            described.push(advance_at(&mut state, seconds, &lacking));
            let due = state.due_at.unwrap().seconds() - NOW.seconds();
            seconds = due.min(state.records.keys[1].active_from.seconds() - NOW.seconds());
        }
        let held = |from: u64, to: u64, due| {
            let (goes, then) = (from + 3690, to + 3690);
            format!("1 0/{from}/{goes} -> 0/{to}/{then}, 2 {from}/-/- -> {to}/-/-, due {due}")
        };
        let expected = [
            held(10_000, 10_060, 10_024),
            held(10_060, 10_120, 10_084),
            held(10_120, 10_150, 10_114),
            "due 13871".to_owned(),
        ];
        assert_eq!(described, expected);
    }
}
