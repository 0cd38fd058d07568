//! The checks of a token, each with its name, its rule and the fix for a failure. Verification runs them in
//! this order (RFC 7519 §7.2, RFC 8725, RFC 9068 §4).

use latchkey_verifier::Check;

/// The name of a check, its rule, and the fix if it fails.
pub type CheckTexts = (&'static str, &'static str, &'static str);

pub trait DescribedCheck: Copy {
    fn texts(self) -> CheckTexts;

    fn name(self) -> &'static str {
        self.texts().0
    }

    /// The rule in general, without the expected values of a specific token.
    fn rule(self) -> &'static str {
        self.texts().1
    }

    fn fix(self) -> &'static str {
        self.texts().2
    }
}

/// The checks of an access token, in the order in which they run.
pub(crate) const CHECKS: [Check; 19] = [
    Check::Length,
    Check::Parts,
    Check::Encoding,
    Check::HeaderObject,
    Check::ClaimsObject,
    Check::HeaderMembers,
    Check::HeaderTypes,
    Check::Algorithm,
    Check::Issuer,
    Check::Key,
    Check::KeyAlgorithm,
    Check::Signature,
    Check::RegisteredClaims,
    Check::Expiry,
    Check::NotBefore,
    Check::IssuedAt,
    Check::Typ,
    Check::Audience,
    Check::KindClaims,
];

impl DescribedCheck for Check {
    fn texts(self) -> CheckTexts {
        let (rule, fix) = match self {
            Self::Length => {
                ("at most 16384 bytes", "copy only the token; a Latchkey token is smaller than 2 KiB")
            }
            Self::Parts => (
                "three parts separated by dots (RFC 7515 section 7.1)",
                "copy the full token, with all three parts",
            ),
            Self::Encoding => (
                "each part in base64url without padding (RFC 7515 section 2)",
                "copy the token exactly as it was issued; do not wrap, cut or re-encode it",
            ),
            Self::HeaderObject => (
                "the header is a JSON object with unique names (RFC 7515 section 4)",
                "request a new token from the issuer; if you change the header, the signature no longer matches",
            ),
            Self::ClaimsObject => (
                "the claims are a JSON object with unique names (RFC 7519 section 4)",
                "request a new token from the issuer; if you change the claims, the signature no longer matches",
            ),
            Self::HeaderMembers => (
                "no jku, jwk, x5u, x5c, x5t, x5t#S256, crit or b64",
                "identify the key only by `kid`; a token must not choose the key that verifies it",
            ),
            Self::HeaderTypes => (
                "`alg` is a string, and `kid` and `typ`, if present, are strings too",
                "the issuer must write a header such as \
                    {\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"oauth2-key-1\"}",
            ),
            Self::Algorithm => (
                "RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA",
                "sign with a private key; Latchkey never accepts `none` or HMAC (HS256, ...) (RFC 8725 section 3.1)",
            ),
            Self::Issuer => (
                "a string",
                "request the token from the tenant that the API trusts; each tenant has its own issuer",
            ),
            Self::Key => (
                "the `kid` of a published key",
                "if the key is new, fetch the JWKS again; if the key was removed, request a new token; \
                    otherwise the token comes from another tenant or server",
            ),
            Self::KeyAlgorithm => (
                "the algorithm of the key",
                "the issuer must sign with the key's own algorithm; a key works with only one algorithm",
            ),
            Self::Signature => (
                "signed with the key that has this `kid`",
                "the token was changed, or another key with the same `kid` signed it: every tenant has an \
                    `oauth2-key-1`. Check the tenant, fetch the JWKS again, and request a new token",
            ),
            Self::RegisteredClaims => (
                "`aud` is a string or a list of strings; `exp`, `iat` and `nbf` are whole seconds",
                "the issuer must set all four claims (RFC 7519 section 4.1)",
            ),
            Self::Expiry => (
                "later than now",
                "request a new token before the old token expires; if the token is new, correct the clock \
                    of this machine or of the issuer",
            ),
            Self::NotBefore => (
                "not later than now",
                "wait until then; if the token is new, synchronize the clocks of this machine and of the issuer",
            ),
            Self::IssuedAt => {
                ("not later than now", "synchronize the clocks of this machine and of the issuer")
            }
            Self::Typ => (
                "the type of an access token",
                "use an access token. After a change of `access_token.typ` the server accepts the previous \
                    type until the last token of that type expires: pass the previous type with --typ",
            ),
            Self::Audience => (
                "the name of the API",
                "request the token for this API (with `resource`, or the client's audiences), or correct \
                    the name that the API expects",
            ),
            Self::KindClaims => (
                "the claims of an access token (RFC 9068 section 2.2)",
                "use an access token that a Latchkey tenant issued",
            ),
            // These checks concern requests. Their own inspections describe them.
            _ => ("", ""),
        };
        (Self::name(self), rule, fix)
    }
}

#[cfg(test)]
mod tests {
    use latchkey_verifier::Algorithm;
    use latchkey_verifier::rules::{LONGEST_TOKEN, NOT_ALLOWED};

    use super::*;

    #[test]
    fn check_names_are_unique_and_texts_present() {
        for (index, check) in CHECKS.into_iter().enumerate() {
            assert_eq!(CHECKS.iter().position(|other| other.name() == check.name()), Some(index));
            assert!(!check.rule().is_empty() && !check.fix().is_empty(), "{check:?}");
            assert!(!check.fix().ends_with('.'), "{check:?}: a clause, which the output may continue");
        }
    }

    #[test]
    fn rule_texts_contain_the_enforced_values() {
        assert!(Check::Length.rule().contains(&LONGEST_TOKEN.to_string()));
        assert!(NOT_ALLOWED.iter().all(|name| Check::HeaderMembers.rule().contains(name)));
        assert!(Algorithm::ALL.iter().all(|name| Check::Algorithm.rule().contains(name.as_str())));
    }
}
