//! The assertion of a person who signed in at `/flow/execute` (Thunder-compatible API): a JWT that
//! is valid only at `/applications…`. No API accepts it as an access token: it has another `typ`
//! (RFC 8725 §3.11), another audience, no `client_id` and no `scope`.

use registry::SignedInUser;
use serde::{Deserialize, Serialize};
use tenancy::Tenant;
use uuid::Uuid;
use values::{Lifetime, Timestamp};

pub(crate) const TYP: &str = "latchkey-admin+jwt";
const LIFETIME: Lifetime = Lifetime::from_seconds(3600);

/// The members have the order of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminAssertion {
    pub iss: String,
    /// The person's user name.
    pub sub: String,
    pub aud: String,
    pub exp: Timestamp,
    pub iat: Timestamp,
    pub nbf: Timestamp,
    pub jti: String,
    /// The permissions that the person has, of those that the sign-in requested. Separated by
    /// blanks.
    pub authorized_permissions: String,
    /// Identifies the password of the sign-in, so that a new password invalidates the assertion.
    pub credential: String,
}

impl AdminAssertion {
    #[must_use]
    pub fn permits(&self, permission: &str) -> bool {
        self.authorized_permissions.split(' ').any(|held| held == permission)
    }

    pub(crate) fn new(
        tenant: &Tenant,
        user: &SignedInUser,
        permissions: &[&str],
        now: Timestamp,
        jti: Uuid,
    ) -> Self {
        Self {
            iss: tenant.issuer.to_string(),
            sub: user.name.clone(),
            aud: tenant.id.admin_audience(),
            exp: now + LIFETIME,
            iat: now,
            nbf: now,
            jti: jti.to_string(),
            authorized_permissions: permissions.join(" "),
            credential: user.credential.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_fixtures;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn admin() -> SignedInUser {
        SignedInUser { name: "admin".to_owned(), permissions: Vec::new(), credential: "c-1".to_owned() }
    }

    #[test]
    fn assertion_has_expected_claims() {
        let tenant = test_fixtures::acme();
        let assertion = AdminAssertion::new(&tenant, &admin(), &["system", "other"], NOW, Uuid::nil());
        assert_eq!(
            serde_json::to_value(&assertion).unwrap(),
            json!({
                "iss": tenant.issuer.as_str(),
                "sub": "admin",
                "aud": format!("urn:latchkey:tenant:{}", tenant.id),
                "exp": NOW.seconds() + 3600,
                "iat": NOW.seconds(),
                "nbf": NOW.seconds(),
                "jti": "00000000-0000-0000-0000-000000000000",
                "authorized_permissions": "system other",
                "credential": "c-1",
            })
        );
    }

    #[test]
    fn permission_must_match_a_whole_word() {
        let tenant = test_fixtures::acme();
        for (held, requested, expected) in [
            (&["system"][..], "system", true),
            (&["other", "system"], "system", true),
            (&["systems"], "system", false),
            (&["sys", "tem"], "system", false),
            (&[], "system", false),
        ] {
            let assertion = AdminAssertion::new(&tenant, &admin(), held, NOW, Uuid::nil());
            assert_eq!(assertion.permits(requested), expected, "{held:?}");
        }
    }
}
