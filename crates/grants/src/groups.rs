//! The claim with a person's groups, for a client with the scope `groups`. It has the groups at the time of
//! issuing. Applications derive permissions from it, so it never has only a part of the groups.

use accounts::Account;
use protocol::StaticClaims;
use registry::{ClaimPlace, GroupsClaim};
use serde_json::Value;

use crate::Grantee;

const MOST: usize = 100;
/// Bytes of JSON. Browsers and proxies must accept an ID token as `id_token_hint`.
const LONGEST: usize = 4_096;

/// Why a claim is left out. The texts follow "because".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupsLeftOut {
    #[error("the person has {0} groups, and a claim can have at most {MOST}")]
    TooMany(usize),
    #[error("the person's groups take {0} bytes of JSON, and a claim can have at most {LONGEST}")]
    TooLong(usize),
}

/// A claim of a client that is granted the scope `groups`.
#[derive(Clone, Debug)]
pub struct GrantedGroups {
    pub claim: GroupsClaim,
    /// A list, which may be empty.
    pub groups: Result<Vec<String>, GroupsLeftOut>,
    /// The number of the person's groups that no claim may contain.
    pub ignored: usize,
}

impl GrantedGroups {
    pub(crate) fn new(Grantee { tenant, client }: &Grantee<'_>, account: &Account) -> Self {
        let groups: Vec<_> = account.claimed_groups(tenant.groups.as_deref()).map(str::to_owned).collect();
        let ignored = account.groups.len() - groups.len();
        Self { claim: client.code_flow.groups.clone(), groups: within_limits(groups), ignored }
    }

    /// The name and the value of the claim, if this place has it.
    #[must_use]
    pub fn at(&self, place: ClaimPlace) -> Option<(String, Value)> {
        let groups = self.groups.as_ref().ok().filter(|_| self.claim.is_in(place))?;
        Some((self.claim.claim.clone(), groups.clone().into()))
    }

    /// Why the client does not get the claim, if it is registered for the claim in one of these places.
    #[must_use]
    pub fn left_out(&self, places: &[ClaimPlace]) -> Option<GroupsLeftOut> {
        let is_registered = places.iter().any(|place| self.claim.is_in(*place));
        self.groups.as_ref().err().copied().filter(|_| is_registered)
    }

    /// Replaces a static claim with the same name, even if there is no value: the static value is not about
    /// the person.
    pub(crate) fn replace_in(&self, statics: &mut StaticClaims) {
        if self.claim.is_in(ClaimPlace::AccessToken) {
            statics.0.remove(&self.claim.claim);
            statics.0.extend(self.at(ClaimPlace::AccessToken));
        }
    }
}

fn within_limits(groups: Vec<String>) -> Result<Vec<String>, GroupsLeftOut> {
    let bytes = Value::from(groups.clone()).to_string().len();
    match groups.len() {
        count if count > MOST => Err(GroupsLeftOut::TooMany(count)),
        _ if bytes > LONGEST => Err(GroupsLeftOut::TooLong(bytes)),
        _ => Ok(groups),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_fixtures::{ADA, acme, web_client};

    fn granted(groups: &[&str], declared: Option<&[&str]>, places: &[ClaimPlace]) -> GrantedGroups {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (mut tenant, mut client) = (acme(), web_client("web"));
        tenant.groups = declared.map(owned);
        client.code_flow.groups = GroupsClaim { claim: "roles".to_owned(), places: places.to_vec() };
        let now = values::Timestamp::from_seconds(1);
        let mut account = Account::new(tenant.id.clone(), ADA.parse().unwrap(), now);
        account.groups = owned(groups);
        GrantedGroups::new(&Grantee { tenant: &tenant, client: &client }, &account)
    }

    #[test]
    fn claim_has_declared_unreserved_groups() {
        let all = ["staff", "latchkey:keys", "LatchKey:x", "latch\u{ad}key:y", "ops"];
        for (groups, declared, expected) in [
            (&all[..], None, &["staff", "ops"][..]),
            (&all, Some(&["ops", "latchkey:keys"][..]), &["ops"]),
            (&all, Some(&[]), &[]),
            (&[], None, &[]),
        ] {
            assert_eq!(granted(groups, declared, &[]).groups.unwrap(), expected, "{groups:?} {declared:?}");
        }
    }

    #[test]
    fn claim_is_complete_or_left_out() {
        let names: Vec<_> = (0..=MOST).map(|number| format!("group-{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let of = |groups: &[&str]| granted(groups, None, &[ClaimPlace::IdToken]).groups.map(|all| all.len());
        assert_eq!(of(&names[..MOST]), Ok(MOST));
        assert_eq!(of(&names), Err(GroupsLeftOut::TooMany(MOST + 1)));
        // The brackets and quotes count.
        for (length, expected) in [(4_092, Ok(1)), (4_093, Err(GroupsLeftOut::TooLong(4_097)))] {
            assert_eq!(of(&[&"a".repeat(length)]), expected);
        }
    }

    #[test]
    fn only_registered_places_have_the_claim() {
        use ClaimPlace::{AccessToken, IdToken, Userinfo};
        let all = [IdToken, Userinfo, AccessToken];
        for place in all {
            let granted = granted(&["staff"], None, &[place]);
            for other in all {
                let expected = (other == place).then(|| ("roles".to_owned(), json!(["staff"])));
                assert_eq!(granted.at(other), expected);
                let many: Vec<_> = (0..=MOST).map(|number| number.to_string()).collect();
                let many =
                    self::granted(&many.iter().map(String::as_str).collect::<Vec<_>>(), None, &[place]);
                assert_eq!((many.at(other), many.left_out(&[other]).is_some()), (None, other == place));
            }
        }
        assert_eq!(GroupsClaim::default().places, [IdToken, Userinfo]);
    }

    #[test]
    fn persons_groups_replace_a_static_claim() {
        let long = "a".repeat(LONGEST);
        for (place, groups, expected) in [
            (ClaimPlace::AccessToken, "staff", json!({ "plan": 1, "roles": ["staff"] })),
            (ClaimPlace::AccessToken, &*long, json!({ "plan": 1 })),
            (ClaimPlace::IdToken, "staff", json!({ "plan": 1, "roles": "all" })),
        ] {
            let statics = json!({ "plan": 1, "roles": "all" });
            let mut statics = StaticClaims(statics.as_object().unwrap().clone());
            granted(&[groups], None, &[place]).replace_in(&mut statics);
            assert_eq!(Value::Object(statics.0), expected);
        }
    }
}
