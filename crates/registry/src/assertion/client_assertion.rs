//! The rules for a client's assertion, `private_key_jwt` (RFC 7521 §4.2, RFC 7523 §2.2 and §3). [`ClientJwt`]
//! checks the form and the signature. `assertions.rs` finds the keys and uses up the identifier.

use keys::{SignedJwt, TokenError};
use latchkey_verifier::rules::ensure;
use protocol::{AssertionKind, Audience};
use serde::{Deserialize, Deserializer};
use tenancy::{AssertionPolicy, Tenant};
use values::{Lifetime, Timestamp};

use crate::assertion::single_use::{CLOCKS, is_made_since};
use crate::{AssertionCheck, ClientId, PublicUrls, SingleUseIdentifier};

/// The accepted values of `typ`. Most clients send the first value or no `typ`. RFC 7523bis §3 defines the
/// second value.
const TYPS: [&str; 2] = ["JWT", "client-authentication+jwt"];
/// JWT-SVID §2.3: "the value MUST be either JWT or JOSE".
const TYPS_OF_SVID: [&str; 2] = ["JWT", "JOSE"];

/// The maximum difference between a client's clock and this server's clock.
pub(crate) const LEEWAY: Lifetime = Lifetime::from_seconds(60);

#[derive(Debug, Deserialize)]
pub(crate) struct AssertionClaims {
    iss: String,
    sub: String,
    aud: Audience<'static>,
    // RFC 7523 §3 requires `exp`, and also the three claims above.
    #[serde(deserialize_with = "numeric_date")]
    exp: Timestamp,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    iat: Option<Timestamp>,
    #[serde(default)]
    jti: Option<String>,
}

/// The claims that a tenant accepts.
pub(crate) struct AcceptedClaims {
    /// The accepted values of `aud`: the tenant's issuer first, then its token endpoints.
    pub(crate) audiences: Vec<String>,
    pub(crate) policy: AssertionPolicy,
    /// [`Tenant::restored_at`].
    pub(crate) restored_at: Option<Timestamp>,
}

/// Parses an assertion.
///
/// # Errors
/// [`TokenError`].
pub(crate) fn read(jwt: &str, kind: AssertionKind) -> Result<SignedJwt<'_>, TokenError> {
    match kind {
        AssertionKind::Jwt => SignedJwt::parse(jwt, &TYPS),
        AssertionKind::JwtSvid => SignedJwt::parse(jwt, &TYPS_OF_SVID),
    }
}

/// The client that an assertion names. `None` if the `client_id` of the request is a different client. The
/// signature is not verified yet.
pub(crate) fn client_of(jwt: &SignedJwt<'_>, client_id: Option<&str>) -> Option<ClientId> {
    let subject = jwt.unverified_subject()?;
    // RFC 7521 §4.2: "if present, the value of the "client_id" parameter MUST identify the same client as is
    // identified by the client assertion".
    ClientId::parse(subject).ok().filter(|_| client_id.is_none_or(|id| id == subject))
}

impl AcceptedClaims {
    /// What a tenant of a server with these URLs accepts. The default tenant also has token endpoints without
    /// a tenant id.
    pub(crate) fn by(tenant: &Tenant, public_urls: &PublicUrls, is_default: bool) -> Self {
        // RFC 7523 §3: "The token endpoint URL of the authorization server MAY be used as a value for an
        // "aud" element". Aliases of the issuer are not accepted.
        let mut audiences = vec![tenant.issuer.to_string()];
        audiences.extend(public_urls.at(&format!("/api/v1/tenant/{}/oauth/token", tenant.id)));
        if is_default {
            audiences.extend(["/oauth/token", "/oauth2/token"].iter().flat_map(|path| public_urls.at(path)));
        }
        Self { audiences, policy: tenant.assertions, restored_at: tenant.restored_at }
    }
}

impl AssertionClaims {
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        self.aud.iter()
    }

    /// Checks the claims of an assertion whose signature was verified. Returns the identifier to use up.
    pub(crate) fn check(
        &self,
        client: &ClientId,
        accepted: &AcceptedClaims,
        now: Timestamp,
    ) -> Result<SingleUseIdentifier, AssertionCheck> {
        // RFC 7523 §3: "The JWT MUST contain an "iss" (issuer) claim that contains a unique identifier
        // for the entity that issued the JWT"; "For client authentication, the subject MUST be the
        // "client_id" of the OAuth client".
        let is_own = self.iss == client.as_str() && self.sub == client.as_str();
        ensure(is_own, AssertionCheck::Issuer)?;
        // RFC 7523 §3: "The JWT MUST contain an "aud" (audience) claim containing a value that
        // identifies the authorization server as an intended audience. … Comparison … MUST use the
        // Simple String Comparison method".
        let is_for_us = if accepted.policy.issuer_only {
            // RFC 7523bis §3: "the issuer identifier of the authorization server … MUST be used as the sole
            // audience value", as a string.
            matches!(&self.aud, Audience::One(name) if accepted.audiences.first().is_some_and(|issuer| name == issuer))
        } else {
            self.aud.iter().any(|name| accepted.audiences.iter().any(|known| known == name))
        };
        ensure(is_for_us, AssertionCheck::Audience)?;
        // RFC 7523 §3: "The authorization server MUST reject any JWT with an
        // expiration time that has passed".
        ensure(now < self.exp + LEEWAY, AssertionCheck::Expiry)?;
        // RFC 7523 §3: "the JWT MUST NOT be accepted for processing" before `nbf`.
        let begins = [self.nbf, self.iat].into_iter().flatten().max();
        ensure(begins.is_none_or(|begins| begins <= now + LEEWAY), AssertionCheck::Begin)?;
        // RFC 7523 §3: "may reject JWTs with an "exp" claim value that is unreasonably far in the
        // future", or an `iat` in the past.
        let since = self.iat.unwrap_or(now).min(now);
        ensure(self.exp <= since + accepted.policy.max_lifetime + LEEWAY, AssertionCheck::Lifetime)?;
        // The tenant's policy may have allowed a longer lifetime when the assertion was used, so this assumes
        // the longest.
        let is_new = is_made_since(accepted.restored_at, self.iat, AssertionPolicy::LONGEST, now);
        ensure(is_new, AssertionCheck::Restore)?;
        // RFC 7521 §5.2 allows a server to accept an assertion with an identifier only once. This server
        // requires an identifier and accepts each once.
        let jti = self.jti.as_deref().filter(|jti| !jti.is_empty()).ok_or(AssertionCheck::Identifier)?;
        Ok(SingleUseIdentifier::of_assertion(client, jti, self.exp + LEEWAY + CLOCKS))
    }
}

/// "Seconds since the epoch … non-integer values can be represented" (RFC 7519 §2).
pub(crate) fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if !(0.0..=1e15).contains(&seconds) {
        return Err(serde::de::Error::custom("no instant"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 10^15")]
    Ok(Timestamp::from_seconds(seconds as u64))
}

pub(crate) fn optional_numeric_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    numeric_date(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_000_000;
    const AUDIENCES: [&str; 2] = ["https://id.example.com", "https://id.example.com/token"];

    fn claims() -> Value {
        json!({ "iss": "svc", "sub": "svc", "aud": AUDIENCES[0], "exp": NOW + 60, "jti": "1" })
    }

    fn check(claims: Value) -> Result<SingleUseIdentifier, AssertionCheck> {
        check_under(claims, AssertionPolicy::default())
    }

    fn check_under(claims: Value, policy: AssertionPolicy) -> Result<SingleUseIdentifier, AssertionCheck> {
        let claims: AssertionClaims = serde_json::from_value(claims).map_err(|_| AssertionCheck::Claims)?;
        let accepted =
            AcceptedClaims { audiences: AUDIENCES.map(str::to_owned).into(), policy, restored_at: None };
        claims.check(&ClientId::parse("svc").unwrap(), &accepted, Timestamp::from_seconds(NOW))
    }

    fn with(name: &str, value: Value) -> Result<SingleUseIdentifier, AssertionCheck> {
        let mut claims = claims();
        claims[name] = value;
        check(claims)
    }

    // [assertions RFC 7521 §5.2]: Refused after its end; with an identifier, used once
    // [assertions RFC 7523 §3]: `iss` and `sub` are the client's id
    // [assertions RFC 7523 §3 c]: `exp` is required; `nbf` and `iat` are obeyed; a difference of 60 s between
    //   clocks is allowed
    // [assertions RFC 7523 §3 d]: An assertion may be refused whose end is far away, or whose issue long ago:
    //   here more than an hour
    #[test]
    fn issuer_audience_and_times_are_checked() {
        use AssertionCheck as E;
        for (name, value, expected) in [
            ("iss", json!("svc"), Ok(())),
            ("iss", json!("other"), Err(E::Issuer)),
            ("iss", json!("SVC"), Err(E::Issuer)),
            ("sub", json!("other"), Err(E::Issuer)),
            ("sub", json!(""), Err(E::Issuer)),
            ("aud", json!(AUDIENCES[1]), Ok(())),
            ("aud", json!(["https://other.example.com", AUDIENCES[0]]), Ok(())),
            ("aud", json!([]), Err(E::Audience)),
            ("aud", json!("https://id.example.com/"), Err(E::Audience)),
            ("aud", json!("https://ID.example.com"), Err(E::Audience)),
            ("aud", json!(["https://other.example.com"]), Err(E::Audience)),
            ("exp", json!(NOW - 59), Ok(())),
            ("exp", json!(NOW - 60), Err(E::Expiry)),
            ("exp", json!(0), Err(E::Expiry)),
            ("exp", json!(NOW + 3_660), Ok(())),
            ("exp", json!(NOW + 3_661), Err(E::Lifetime)),
            ("exp", json!(NOW as f64 + 60.5), Ok(())),
            ("exp", json!(1e15), Err(E::Lifetime)),
            ("nbf", json!(NOW + 60), Ok(())),
            ("nbf", json!(NOW + 61), Err(E::Begin)),
            ("iat", json!(NOW + 60), Ok(())),
            ("iat", json!(NOW + 61), Err(E::Begin)),
            ("iat", json!(NOW - 3_600), Ok(())),
            ("iat", json!(NOW - 3_601), Err(E::Lifetime)),
            ("jti", json!(""), Err(E::Identifier)),
            ("unknown", json!({ "a": [] }), Ok(())),
        ] {
            assert_eq!(with(name, value.clone()).map(|_| ()), expected, "{name} {value}");
        }
    }

    // [assertions RFC 7523bis §3]: Under the tenant's policy `assertions.audience: issuer`, `aud` is the
    //   issuer alone, as a string. Without it the rule above holds
    /// The policy of a FAPI 2.0 tenant.
    #[test]
    fn policy_may_restrict_audience_and_lifetime() {
        use AssertionCheck as E;
        let policy = AssertionPolicy { issuer_only: true, max_lifetime: Lifetime::from_seconds(300) };
        for (name, value, expected) in [
            ("aud", json!(AUDIENCES[0]), Ok(())),
            ("aud", json!(AUDIENCES[1]), Err(E::Audience)),
            ("aud", json!([AUDIENCES[0]]), Err(E::Audience)),
            ("aud", json!([AUDIENCES[0], AUDIENCES[1]]), Err(E::Audience)),
            ("aud", json!("https://id.example.com/"), Err(E::Audience)),
            ("aud", json!(""), Err(E::Audience)),
            ("exp", json!(NOW + 360), Ok(())),
            ("exp", json!(NOW + 361), Err(E::Lifetime)),
            ("iat", json!(NOW - 300), Ok(())),
            ("iat", json!(NOW - 301), Err(E::Lifetime)),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            assert_eq!(check_under(claims, policy).map(|_| ()), expected, "{name} {value}");
        }
    }

    #[test]
    fn claims_of_wrong_types_are_malformed() {
        for (name, values) in [
            ("iss", vec![json!(1), json!(null), json!(["svc"])]),
            ("sub", vec![json!(1), json!(null), json!(["svc"])]),
            ("aud", vec![json!(1), json!(null), json!({}), json!([1]), json!([[AUDIENCES[0]]])]),
            ("exp", vec![json!("1000060"), json!(null), json!(-1), json!([]), json!(1e16), json!(true)]),
            ("nbf", vec![json!("1000000"), json!(null), json!(-1), json!({})]),
            ("iat", vec![json!("1000000"), json!(null), json!(-0.5), json!({})]),
            ("jti", vec![json!(1), json!([]), json!({})]),
        ] {
            for value in values {
                assert_eq!(with(name, value.clone()), Err(AssertionCheck::Claims), "{name} {value}");
            }
        }
    }

    // [assertions RFC 7523 §3 g]: `jti` is optional. Here it is required, since each assertion is accepted
    //   once | departs
    // [assertions RFC 7523 §3 c]
    #[test]
    fn iss_sub_aud_exp_and_jti_are_required() {
        use AssertionCheck as E;
        for (name, error) in [
            ("iss", E::Claims),
            ("sub", E::Claims),
            ("aud", E::Claims),
            ("exp", E::Claims),
            ("jti", E::Identifier),
        ] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(check(claims), Err(error), "{name}");
        }
    }

    // [assertions RFC 7523 §3 e]: Ours: used assertions are remembered until no replica accepts them, also
    //   one whose clock is a minute behind, and at most 250 000 of a tenant, of which a client has 25 000 at
    //   most once half of them are used; a full share is 503 there and nowhere else, and replays take nothing
    //   of it
    #[test]
    fn identifier_is_kept_until_no_replica_accepts_it() {
        let used = with("exp", json!(NOW + 60)).unwrap();
        // The margins are the leeway for the client's clock, and the difference between the clocks of
        // replicas.
        assert_eq!(used.expires_at, Timestamp::from_seconds(NOW + 60 + 60 + 60));
    }
}
