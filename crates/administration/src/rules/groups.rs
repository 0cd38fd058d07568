//! The rules for groups of people: those that a tenant declares, those of an account, and the claim by
//! which a client gets them.

use accounts::is_reserved_group;
use registry::{ClaimPlace, GroupsClaim};
use values::folded;

use super::FieldErrors;
use super::text::{LONGEST_ID, is_absolute_uri};
use crate::documents::{GroupsClaimSettings, nearest};
use crate::edit::FieldError;

pub(crate) const MOST_DECLARED: usize = 1_000;

/// Checks the groups that a tenant declares.
pub(super) fn check_declared(errors: &mut FieldErrors, groups: Option<&Vec<String>>) {
    let Some(groups) = groups else { return };
    errors.check_distinct("/groups", groups);
    if groups.len() > MOST_DECLARED {
        let hint = "remove the list, so that accounts can have any group";
        errors.refuse("/groups", format!("a tenant can declare at most {MOST_DECLARED} groups"), hint);
    }
    for (index, group) in groups.iter().enumerate() {
        errors.check_text(&format!("/groups/{index}"), "the group", group, LONGEST_ID);
    }
    errors.extend(check_new_groups(None, &[], groups));
}

/// The errors in groups that are new for an account or a tenant. `declared` are the tenant's groups, if only
/// these are allowed. Groups of before may stay.
#[must_use]
pub fn check_new_groups(
    declared: Option<&[String]>,
    before: &[String],
    groups: &[String],
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, group) in groups.iter().enumerate().filter(|(_, group)| !before.contains(group)) {
        let error = |detail| FieldError::at(format!("/groups/{index}"), detail);
        if is_reserved_group(group) {
            let detail = "groups that begin with `latchkey:` are reserved for the platform";
            errors.push(error(detail).with_hint("choose another name"));
        } else if let Some(declared) = declared.filter(|declared| !declared.contains(group)) {
            let hint = match nearest(group, declared.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "add it to the `groups` of the tenant, or remove it here".to_owned(),
            };
            errors.push(error("the tenant does not declare this group").with_hint(hint));
        }
    }
    errors
}

/// Checks the claim by which a client gets groups.
pub(super) fn check_claim(errors: &mut FieldErrors, settings: &GroupsClaimSettings) -> GroupsClaim {
    let GroupsClaimSettings { claim, places } = settings;
    let is_uri = ["https://", "urn:"].iter().any(|scheme| claim.starts_with(scheme));
    let is_own = is_uri && is_absolute_uri(claim) && !folded(claim).starts_with("urn:latchkey:");
    let is_usual = ["groups", "roles"].contains(&claim.as_str());
    if !is_usual && (!is_own || claim.len() > LONGEST_ID) {
        let detail = "this cannot be the name of the claim with a person's groups";
        errors.refuse("/groups/claim", detail, "use groups, roles, or an https or urn URI of your own");
    }
    errors.check_distinct("/groups/in", places);
    let mut found = Vec::with_capacity(places.len());
    for (index, place) in places.iter().enumerate() {
        found.extend(errors.check_one_of(&format!("/groups/in/{index}"), place, &ClaimPlace::NAMED));
    }
    GroupsClaim { claim: claim.clone(), places: found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::test_states::pointers;

    #[test]
    fn new_groups_must_be_declared_and_unreserved() {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let check = |declared: Option<&[&str]>, before: &[&str], groups: &[&str]| {
            pointers(check_new_groups(declared.map(owned).as_deref(), &owned(before), &owned(groups)))
        };
        let reserved = ["staff", "latchkey:keys", "LATCHKEY:x", "latch\u{ad}key:y", "latchkey"];
        assert_eq!(check(None, &[], &reserved), ["/groups/1", "/groups/2", "/groups/3"]);
        assert_eq!(check(None, &reserved, &reserved), [""; 0]);
        assert_eq!(check(Some(&["staff", "ops"]), &[], &["ops", "Staff"]), ["/groups/1"]);
        assert_eq!(check(Some(&["ops"]), &["staff"], &["staff", "ops", "it"]), ["/groups/2"]);
        assert_eq!(check(Some(&[]), &[], &["staff"]), ["/groups/0"]);
    }
}
