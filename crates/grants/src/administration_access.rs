//! May the bearer of this token use the admin API? The token's subject must be the client itself,
//! and its only audience must be the admin audience (RFC 8725 §3.9, RFC 9068 §4). With a second
//! audience, another API could use the token here in the client's name.

use keys::TokenError;

use crate::AccessTokenClaims;

/// The caller has verified the token for its tenant and audience.
pub(crate) fn decide(claims: &AccessTokenClaims<'_>, audience: &str) -> Result<(), TokenError> {
    let only_here = claims.aud.iter().eq([audience]);
    let for_itself = claims.sub == claims.client_id;
    if only_here && for_itself { Ok(()) } else { Err(TokenError::WrongAudience) }
}

#[cfg(test)]
mod tests {
    use protocol::Audience;

    use super::*;
    use crate::test_fixtures::claims;

    fn check(aud: Audience<'static>, sub: &'static str, admitted: bool) {
        let claims = AccessTokenClaims { aud: aud.clone(), sub: sub.into(), ..claims("ops", "1") };
        assert_eq!(decide(&claims, "urn:latchkey:admin").is_ok(), admitted, "{aud:?} {sub}");
    }

    #[test]
    fn admin_audience_must_be_the_only_audience() {
        let many = |names: &[&str]| Audience::Many(names.iter().map(|name| (*name).to_owned()).collect());
        check(Audience::One("urn:latchkey:admin".into()), "ops", true);
        check(many(&["urn:latchkey:admin"]), "ops", true);
        check(many(&["urn:latchkey:admin", "api"]), "ops", false);
        check(many(&["urn:latchkey:admin", "urn:latchkey:admin"]), "ops", false);
        check(many(&[]), "ops", false);
        check(Audience::One("urn:latchkey:admin:x".into()), "ops", false);
    }

    // [rfc9700 §4.15]
    #[test]
    fn token_with_a_user_subject_is_refused() {
        check(Audience::One("urn:latchkey:admin".into()), "user-1", false);
    }
}
