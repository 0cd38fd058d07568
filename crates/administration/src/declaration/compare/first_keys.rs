//! A private key belongs to one tenant only. Compares the first keys of a declaration with each other and
//! with the store.

use std::collections::HashMap;

use tenancy::TenantId;

use crate::declaration::Declaration;
use crate::declaration::plan::{Conflict, ConflictKind, Conflicts};
use crate::kinds::Change;

/// A tenant and the RFC 7638 thumbprint of its first key.
type Key<'a> = (&'a TenantId, &'a str);

/// Checks every declared key as if no tenant existed.
///
/// # Errors
/// [`Conflicts`] between two tenants of the declaration.
pub fn check_declared(declaration: &Declaration) -> Result<(), Conflicts> {
    let declared = declaration.tenants.iter();
    check_planned(
        declared.filter_map(|(id, tenant)| Some((id, tenant.first_key.as_ref()?.thumbprint.as_str()))),
    )
}

/// The keys that the changes add. Keys that their tenants already have are not among them.
pub(super) fn planned(changes: &[Change]) -> impl Iterator<Item = Key<'_>> {
    changes.iter().filter_map(|change| match change {
        Change::FirstKey(tenant, key) => Some((tenant, key.thumbprint.as_str())),
        _ => None,
    })
}

/// Refuses two new tenants with the same key: nothing says which of them should have it.
pub(super) fn check_planned<'a>(keys: impl Iterator<Item = Key<'a>>) -> Result<(), Conflicts> {
    let mut owners: HashMap<&str, &TenantId> = HashMap::new();
    let mut conflicts = Vec::new();
    for (tenant, thumbprint) in keys {
        let owner = *owners.entry(thumbprint).or_insert(tenant);
        if owner != tenant {
            conflicts.push(Conflict::of_tenant(tenant, ConflictKind::FirstKeyTaken(owner.clone())));
        }
    }
    if conflicts.is_empty() { Ok(()) } else { Err(Conflicts(conflicts)) }
}

/// A stored key stays with its tenant, even after the tenant is deleted.
pub(super) fn check_stored(conflicts: &mut Vec<Conflict>, keys: &[Key<'_>], stored: &[(String, TenantId)]) {
    for (tenant, thumbprint) in keys {
        let taken = stored.iter().find(|(known, owner)| known == thumbprint && owner != *tenant);
        let kind = taken.map(|(_, owner)| ConflictKind::FirstKeyTaken(owner.clone()));
        conflicts.extend(kind.map(|kind| Conflict::of_tenant(tenant, kind)));
    }
}
