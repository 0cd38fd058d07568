//! Checks that a commit contains everything that its changes need. If something is missing, the program has a
//! defect, and nothing is written.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use accounts::AccountId;
use tenancy::TenantId;

use crate::kinds::match_change;
use crate::{
    Change, ChangeKind, CommitRequest, Described, KeyChangeKind, PasswordChange, RowChange, SecretChangeKind,
};

/// A commit that no store can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a commit with {0}")]
pub struct Incomplete(&'static str);

/// Checks the request without the stored rows.
///
/// # Errors
/// [`Incomplete`] with the part that is missing or meaningless.
pub fn check_complete(request: &CommitRequest) -> Result<(), Incomplete> {
    let added = request.changes.iter().filter_map(|change| match change {
        Change::Tenant(row) if row.kind == ChangeKind::Added => Some(&row.after.id),
        _ => None,
    });
    let seen = request.before.iter().map(|state| &state.tenant.id).filter(|_| request.is_of_api_keys());
    let expected = request.expected_revisions.iter().map(|(tenant, _)| tenant);
    let known: HashSet<_> = expected.chain(added).chain(seen).collect();
    require(request.changes.iter().all(|change| known.contains(change.tenant())), "an unseen tenant")?;
    require(request.changes.iter().all(has_a_kind_of_its_own), "a change that its row does not know")?;

    let secrets: HashSet<_> =
        request.secrets.iter().map(|new| (&new.tenant, &new.client, &new.secret.id)).collect();
    let hashed = |change: &Change| match change {
        Change::Secret(tenant, client, secret) => {
            !matches!(secret.kind, SecretChangeKind::Added { .. })
                || secrets.contains(&(tenant, client, &secret.id))
        }
        _ => true,
    };
    require(request.changes.iter().all(hashed), "a secret without its hash")?;

    let changed: BTreeMap<_, _> = request.changes.iter().filter_map(password_change).collect();
    let given = request.passwords.iter();
    let given: BTreeMap<_, _> =
        given.map(|new| ((&new.tenant, &new.account), new.password.is_some())).collect();
    require(changed == given, "a password that is changed or given only")?;

    let keys: HashSet<_> = request.first_keys.iter().map(|(tenant, _)| tenant).collect();
    let sealed = |change: &Change| !matches!(change, Change::FirstKey(tenant, _) if !keys.contains(tenant));
    require(request.changes.iter().all(sealed), "a first key without its record")?;
    check_keys(request, |tenant| known.contains(tenant))
}

/// An announced key needs its record, and each record needs its change, because changes invalidate caches.
fn check_keys(request: &CommitRequest, is_known: impl Fn(&TenantId) -> bool) -> Result<(), Incomplete> {
    let keys = &request.keys;
    require(keys.due.iter().all(|(tenant, _)| is_known(tenant)), "an unseen tenant")?;
    let announced: BTreeSet<_> = request
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Key(tenant, key) => {
                matches!(key.kind, KeyChangeKind::Announced { .. }).then_some((tenant, key.id))
            }
            _ => None,
        })
        .collect();
    let added = keys.added.iter().map(|(tenant, key)| (tenant, key.id)).collect();
    require(announced == added, "a key that is announced or added only")?;
    let mut latest = BTreeMap::new();
    let follows = |(tenant, number): (_, u32)| {
        latest.insert(tenant, number).is_none_or(|before| number == before.saturating_add(1))
    };
    let mut numbers = keys.added.iter().map(|(tenant, key)| (tenant, key.id.number()));
    require(numbers.all(follows), "keys whose numbers do not follow one another")
}

/// The account of a change of a password, and whether the account has a password after it.
fn password_change(change: &Change) -> Option<((&TenantId, &AccountId), bool)> {
    let Change::AccountPassword(tenant, account, change) = change else { return None };
    Some(((tenant, account), matches!(change, PasswordChange::Set(_))))
}

/// Whether the kind of change exists for this kind of row.
fn has_a_kind_of_its_own(change: &Change) -> bool {
    fn knows<T: Described>(row: &RowChange<T>) -> bool {
        T::knows(row.kind)
    }
    match_change! { change,
        row => knows(row),
        Change::Secret(..)
        | Change::FirstKey(..)
        | Change::Key(..)
        | Change::AccountPassword(..)
        | Change::Sessions(..)
        | Change::Consent(..)
        | Change::Unlock(..)
        | Change::PasswordLink(..)
        | Change::Tokens(..) => true,
    }
}

fn require(holds: bool, else_with: &'static str) -> Result<(), Incomplete> {
    if holds { Ok(()) } else { Err(Incomplete(else_with)) }
}
