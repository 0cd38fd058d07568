//! The claims about a person at the userinfo endpoint (OpenID Connect Core §5.3, §5.4).

use accounts::Account;
use serde_json::{Map, Value};

use crate::AccessTokenClaims;

/// The claims that each scope requests.
const CLAIMS: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// All claims that a scope can request, and `sub`.
pub fn claims_supported() -> impl Iterator<Item = &'static str> {
    std::iter::once("sub").chain(CLAIMS.iter().flat_map(|(_, claims)| claims.iter().copied()))
}

/// What the bearer of a token learns about its person; `None` where the person may not sign in any more.
#[must_use]
pub fn userinfo(token: &AccessTokenClaims<'_>, account: &Account) -> Option<Map<String, Value>> {
    let is_its_person = account.id.as_str() == token.sub;
    let may_sign_in = account.accepts_authentication_of(token.auth_time?);
    (is_its_person && may_sign_in).then(|| claims(account, token.scope.as_deref().unwrap_or_default()))
}

/// The claims of a token with this scope. "If a Claim is not returned, that Claim Name SHOULD be omitted from the JSON object" (§5.3.2).
fn claims(account: &Account, scope: &str) -> Map<String, Value> {
    let mut held = account.standard_claims();
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), account.id.as_str().into());
    let requested = CLAIMS.iter().filter(|(name, _)| scope.split(' ').any(|token| token == *name));
    for name in requested.flat_map(|(_, claims)| *claims) {
        if let Some(value) = held.remove(*name).filter(|value| !value.is_null()) {
            claims.insert((*name).to_owned(), value);
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use protocol::Timestamp;
    use serde_json::json;
    use tenancy::TenantId;

    use super::*;
    use crate::test_fixtures::ADA;

    #[test]
    fn a_scope_has_its_claims_and_no_others() {
        let id = ADA.parse().unwrap();
        let mut account = Account::new(TenantId::parse("acme").unwrap(), id, Timestamp::from_seconds(1));
        account.claims =
            json!({ "name": "Ada", "phone_number": "+1", "locale": null }).as_object().unwrap().clone();
        assert_eq!(Value::Object(claims(&account, "openid")), json!({ "sub": ADA }));
        assert_eq!(
            Value::Object(claims(&account, "openid phone")),
            json!({ "sub": ADA, "phone_number": "+1" })
        );
        let profile = claims(&account, "profile openid");
        assert_eq!((profile["name"].as_str(), profile.contains_key("locale")), (Some("Ada"), false));
        assert!(!profile.contains_key("phone_number"));
    }
}
