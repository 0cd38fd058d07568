//! The claims about a person at the userinfo endpoint (OpenID Connect Core §5.3, §5.4).

use accounts::Account;
use registry::{ClaimPlace, GroupsClaim};
use serde_json::{Map, Value};

use crate::{AccessTokenClaims, GrantedGroups, NamedPerson};

/// Scope, and its claims separated by blanks.
const CLAIMS: [(&str, &str); 4] = [
    (
        "profile",
        "name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate \
         zoneinfo locale updated_at",
    ),
    ("email", "email email_verified"),
    ("address", "address"),
    ("phone", "phone_number phone_number_verified"),
];

/// Every claim that a scope includes, and `sub`. A client may call the claim `groups` differently.
pub fn claims_supported() -> impl Iterator<Item = &'static str> {
    std::iter::once("sub").chain(claims_of_scopes(|_| true)).chain([GroupsClaim::SCOPE])
}

pub(crate) fn claims_of_scopes(has: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static str> {
    let scopes = CLAIMS.iter().filter(move |(scope, _)| has(scope));
    scopes.flat_map(|(_, claims)| claims.split(' '))
}

/// `account` must be the account of `person`, and `groups` what the client is granted. Returns
/// `None` if the person may no longer sign in.
#[must_use]
pub fn userinfo(
    token: &AccessTokenClaims<'_>,
    person: &NamedPerson,
    account: &Account,
    groups: Option<&GrantedGroups>,
) -> Option<Map<String, Value>> {
    let is_its_person = account.id == person.account;
    let may_sign_in = account.accepts_authentication_of(token.auth_time?);
    (is_its_person && may_sign_in).then(|| {
        let of_scope = claims_of_scopes(|name| token.has_scope(name)).map(shortened);
        let single = token.userinfo_claims.iter().map(String::as_str);
        let mut claims = claims_of(account, of_scope.chain(single));
        claims.extend(groups.and_then(|groups| groups.at(ClaimPlace::Userinfo)));
        // "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim
        // in the ID Token" (§5.3.2).
        claims.insert("sub".to_owned(), token.sub.as_ref().into());
        claims
    })
}

/// Shortens the lifetime so that the literal can be in one list with the texts of a token.
pub(crate) const fn shortened<'a>(name: &'static str) -> &'a str {
    name
}

/// The claims of the account that have these names: "If a Claim is not returned, that Claim Name
/// SHOULD be omitted from the JSON object" (§5.3.2).
pub(crate) fn claims_of<'n>(account: &Account, names: impl Iterator<Item = &'n str>) -> Map<String, Value> {
    let mut held = account.standard_claims();
    let held = names.filter_map(|name| Some((name.to_owned(), held.remove(name)?)));
    held.filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenancy::TenantId;
    use values::Timestamp;

    use super::*;
    use crate::test_fixtures::{ADA, claims};

    // [core Core §5.3, §5.4]: Userinfo takes GET and POST, answers `sub` and the claims of the scope, and
    //   leaves out what is absent
    #[test]
    fn userinfo_has_only_granted_claims() {
        let id = ADA.parse().unwrap();
        let mut account = Account::new(TenantId::parse("acme").unwrap(), id, Timestamp::from_seconds(1));
        account.claims =
            json!({ "name": "Ada", "phone_number": "+1", "locale": null }).as_object().unwrap().clone();
        let of = |scope: &str, single: &[&str]| {
            let mut token = claims("web", "1");
            (token.sub, token.auth_time) = (ADA.into(), Some(Timestamp::from_seconds(2)));
            token.scope = Some(scope.to_owned());
            token.userinfo_claims = single.iter().map(|name| (*name).to_owned()).collect();
            let person = NamedPerson { account: account.id.clone(), session: None };
            userinfo(&token, &person, &account, None).unwrap()
        };
        assert_eq!(Value::Object(of("openid", &[])), json!({ "sub": ADA }));
        assert_eq!(Value::Object(of("openid phone", &[])), json!({ "sub": ADA, "phone_number": "+1" }));
        let profile = of("profile openid", &[]);
        assert_eq!((profile["name"].as_str(), profile.contains_key("locale")), (Some("Ada"), false));
        assert!(!profile.contains_key("phone_number"));
        let single = of("openid phone", &["name", "phone_number", "locale", "nickname"]);
        assert_eq!(Value::Object(single), json!({ "sub": ADA, "phone_number": "+1", "name": "Ada" }));
    }
}
