//! Keys for the tests of the rules. The tenant publishes a key a thousand seconds before it signs, and each
//! key signs for ten thousand seconds.

use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::SigningAlgorithm;
use tenancy::{SigningPolicy, Tenant};
use values::{Lifetime, Timestamp};

use super::key_edit::KeyDecision;
use super::test_states::{NOW, at, operator, policy, state};
use super::{Edit, EditContext, Facts};
use crate::kinds::Change;
use crate::kinds::change::KeyChangeKind;
use crate::store::TenantKeys;

pub(super) fn span(seconds: u64) -> Lifetime {
    Lifetime::from_seconds(seconds)
}

pub(super) fn id(number: u32) -> KeyId {
    KeyId::numbered(number)
}

/// A tenant without keys. Replicas see a change after at most 31 seconds, and a key is removed 3690 seconds
/// after it has retired.
pub(super) fn key_state() -> TenantKeys {
    let signing = SigningPolicy {
        algorithm: SigningAlgorithm::ES256,
        rotate_every: span(10_000),
        publish_before: span(999),
        jwks_max_age: span(70),
        jwks_stale: span(40),
        skew: span(20),
        ..SigningPolicy::default()
    };
    TenantKeys {
        tenant: Tenant { signing, ..state("t").tenant },
        lifecycle: state("t").lifecycle,
        revision: 7,
        longest_token: span(3600),
        previous_tokens_until: None,
        previous_jwks: None,
        due_at: None,
        records: KeyRecords { next: id(1), copies_kept: Lifetime::from_seconds(110), keys: Vec::new() },
    }
}

/// Decides `seconds` after [`NOW`].
pub(super) fn in_context<T>(seconds: u64, decide: impl FnOnce(EditContext<'_>) -> T) -> T {
    decide(EditContext {
        tenant: &state("t").tenant.id,
        by: &operator(),
        if_match: None,
        policy: &policy(),
        now: at(seconds),
        facts: &Facts::default(),
        secret_writer: &crate::administrator::secret_writer::NoStores,
    })
}

pub(super) fn write(state: &mut TenantKeys, decision: &KeyDecision, seconds: u64) -> String {
    let made = decision.plan.announce.map(|announced| KeyRecord {
        id: announced.id,
        algorithm: announced.algorithm,
        sealed_private_key: vec![1],
        thumbprint: format!("thumbprint of {}", announced.id),
        public_jwk: None,
        announced_at: announced.announced_at,
        active_from: announced.active_from,
        retiring_from: None,
        removed_at: None,
        shown: announced.shown,
    });
    let (Edit { changes, keys, .. }, records) = decision.edit(state, made, at(seconds));
    let is_settled = changes.is_empty() && state.due_at == decision.plan.due_at;
    let due = (!is_settled).then(|| (state.tenant.id.clone(), decision.plan.due_at));
    assert_eq!(keys.due, Vec::from_iter(due));
    let announced = |change: &&Change| matches!(change, Change::Key(_, key) if matches!(key.kind, KeyChangeKind::Announced { .. }));
    assert_eq!(keys.added.len(), changes.iter().filter(announced).count());
    (state.records, state.due_at) = (records, decision.plan.due_at);
    let due = format!("due {}", end(state.due_at));
    changes.iter().map(described).chain([due]).collect::<Vec<_>>().join(", ")
}

fn described(change: &Change) -> String {
    let Change::Key(_, change) = change else { panic!("{change:?}") };
    let kind = match &change.kind {
        KeyChangeKind::Announced { active_from, imported, .. } => {
            let verb = if *imported { "imported" } else { "announced" };
            format!("{verb} for {}", end(Some(*active_from)))
        }
        KeyChangeKind::Rescheduled { before, after } => {
            let [before, after] = [before.as_shown(), after.as_shown()].map(|times| {
                [Some(times.active_from), times.retiring_from, times.removed_at].map(end).join("/")
            });
            format!("{before} -> {after}")
        }
        KeyChangeKind::Revoked { after } => format!("revoked {}", end(after.as_shown().removed_at)),
        KeyChangeKind::Destroyed => "destroyed".to_owned(),
    };
    format!("{} {kind}", change.id.number())
}

fn end(end: Option<Timestamp>) -> String {
    let since = |end: Timestamp| i128::from(end.seconds()) - i128::from(NOW.seconds());
    end.map_or("-".to_owned(), |end| since(end).to_string())
}
