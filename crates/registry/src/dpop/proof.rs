//! The rules for a DPoP proof (RFC 9449 §4.3). [`ProofJwt`] checks the form and the signature with the key in
//! the JWT. `nonces.rs` checks nonces, and `proofs.rs` uses up the identifier.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::rules::{ProofJwt, ensure, normalized};
use protocol::Thumbprint;
use serde::Deserialize;
use tenancy::Tenant;
use values::{Lifetime, Timestamp};

use crate::assertion::client_assertion::numeric_date;
use crate::assertion::single_use::{CLOCKS, is_made_since};
use crate::{DpopCheck, SenderKeys, SingleUseIdentifier};

pub(crate) const TYP: &str = "dpop+jwt";
/// The maximum difference between `iat` and now: "preferably only for a relatively brief period on the order
/// of seconds or minutes" (RFC 9449 §11.1).
const WINDOW: Lifetime = Lifetime::from_seconds(60);

/// The claims of a proof (RFC 9449 §4.2).
#[derive(Debug, Deserialize)]
pub(crate) struct DpopClaims {
    pub(crate) jti: String,
    pub(crate) htm: String,
    pub(crate) htu: String,
    #[serde(deserialize_with = "numeric_date")]
    iat: Timestamp,
    #[serde(default)]
    ath: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
}

/// The request that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct DpopRequest<'a> {
    pub method: &'a str,
    /// The path as the client sent it.
    pub path: &'a str,
    /// The access token of the request, at a protected resource.
    pub access_token: Option<&'a str>,
}

/// Returns when a nonce expires, or `None` if this server did not issue the nonce.
pub(crate) type AcceptedUntil<'a> = &'a dyn Fn(&str) -> Option<Timestamp>;

pub(crate) struct DpopExpectations<'a> {
    pub(crate) method: &'a str,
    /// The acceptable URIs of the request, normalized.
    pub(crate) uris: &'a [String],
    pub(crate) access_token: Option<&'a str>,
    /// Checks a nonce. `None` if the tenant does not require nonces.
    pub(crate) nonce: Option<AcceptedUntil<'a>>,
    /// [`Tenant::restored_at`].
    pub(crate) restored_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// A proof for its request whose signature is not verified yet.
pub struct UnverifiedProof<'a> {
    jwt: ProofJwt<'a>,
    jti: String,
    uri: String,
    expires_at: Timestamp,
}

/// A verified proof.
#[derive(Debug)]
pub struct DpopProof {
    pub key: Thumbprint,
    pub(crate) identifier: SingleUseIdentifier,
}

impl<'a> DpopExpectations<'a> {
    /// The expectations for a request to this tenant.
    pub(crate) fn new(
        tenant: &Tenant,
        request: &DpopRequest<'a>,
        uris: &'a [String],
        accepted_until: AcceptedUntil<'a>,
        now: Timestamp,
    ) -> Self {
        // RFC 9449 §11.3: "A server MUST NOT accept any DPoP proofs without the nonce claim when a DPoP nonce
        // has been provided to the client."
        let nonce = tenant.access_token.require_dpop_nonce.then_some(accepted_until);
        let DpopRequest { method, access_token, .. } = *request;
        Self { method, uris, access_token, nonce, restored_at: tenant.restored_at, now }
    }
}

/// The proof in the `DPoP` headers. `None` if there is no such header. Fails if the header is repeated or is
/// not text.
pub(crate) fn only_proof<'a>(
    mut headers: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<&'a str>, DpopCheck> {
    let Some(first) = headers.next() else { return Ok(None) };
    // RFC 9449 §4.3, check 1: "There is not more than one DPoP HTTP request header field."
    ensure(headers.next().is_none(), DpopCheck::Repeated)?;
    str::from_utf8(first).map(Some).map_err(|_| DpopCheck::Form)
}

/// Parses a proof and checks everything except the signature and single use.
pub(crate) fn read<'a>(
    proof: &'a str,
    expected: &DpopExpectations<'_>,
) -> Result<UnverifiedProof<'a>, DpopCheck> {
    // `ProofJwt` does the checks 2, 4, 5 and 7 of RFC 9449 §4.3, which apply to every JWT that contains its
    // key.
    let jwt = ProofJwt::parse(proof, TYP)?;
    let claims: DpopClaims = jwt.unverified_claims().map_err(|_| DpopCheck::Claims)?;
    let (uri, until) = claims.check(expected)?;
    Ok(UnverifiedProof { jwt, jti: claims.jti, uri, expires_at: until + CLOCKS })
}

impl UnverifiedProof<'_> {
    /// Verifies the signature.
    ///
    /// # Errors
    /// [`DpopCheck::Signature`], [`DpopCheck::Key`].
    pub fn verify(&self) -> Result<DpopProof, DpopCheck> {
        let key = Thumbprint::new(self.jwt.verify()?.into_bytes());
        let identifier = SingleUseIdentifier::of_dpop_proof(&key, &self.uri, &self.jti, self.expires_at);
        Ok(DpopProof { key, identifier })
    }
}

impl DpopClaims {
    /// Checks the claims of a proof. Returns the normalized `htu`, and the time from which the proof is
    /// refused anyway.
    pub(crate) fn check(&self, expected: &DpopExpectations<'_>) -> Result<(String, Timestamp), DpopCheck> {
        use DpopCheck as E;
        // RFC 9449 §4.3, check 3: "All required claims per Section 4.2 are contained in the JWT."
        ensure(!self.jti.is_empty(), E::Claims)?;
        // Check 8: "The htm claim matches the HTTP method of the current request." Methods are
        // case-sensitive (RFC 9110 §9.1).
        ensure(self.htm == expected.method, E::Method)?;
        // Check 9: "The htu claim matches the HTTP URI value for the HTTP request in which the JWT was
        // received, ignoring any query and fragment parts."
        let uri = normalized(&self.htu).filter(|uri| expected.uris.contains(uri)).ok_or(E::Uri)?;
        let until = self.accepted_until(expected)?;
        let is_new = is_made_since(expected.restored_at, Some(self.iat), WINDOW, expected.now);
        ensure(is_new, E::Restore)?;
        // Check 12: "ensure that the value of the ath claim equals the hash of that access token".
        let is_of_token = expected.access_token.is_none_or(|token| self.ath == Some(hash(token)));
        ensure(is_of_token, E::Token)?;
        Ok((uri, until))
    }

    /// Check 11: "The creation time of the JWT, as determined by either the iat claim or a server managed
    /// timestamp via the nonce claim, is within an acceptable window".
    fn accepted_until(&self, expected: &DpopExpectations<'_>) -> Result<Timestamp, DpopCheck> {
        let now = expected.now;
        // Check 10: "If the server provided a nonce value to the client, the nonce claim matches the
        // server-provided nonce value."
        if let Some(accepted_until) = expected.nonce {
            return self.nonce.as_deref().and_then(accepted_until).ok_or(DpopCheck::Nonce);
        }
        let is_of_now = self.iat <= now + WINDOW && now <= self.iat + WINDOW;
        ensure(is_of_now, DpopCheck::Time)?;
        Ok(self.iat + WINDOW)
    }
}

impl SenderKeys {
    /// Whether the request has proved possession of the key that a token, code or refresh token is bound to.
    /// Also `true` if the token is not bound to a key.
    #[must_use]
    pub fn prove_dpop_key(&self, bound_to: Option<Thumbprint>) -> bool {
        // RFC 9449 §4.3, check 12: "confirm that the public key to which the access token is bound matches
        // the public key from the DPoP proof". §5 and §10 require the same for refresh tokens and codes.
        bound_to.is_none() || self.dpop == bound_to
    }
}

/// "the result of a base64url encoding the SHA-256 hash of the ASCII encoding of the associated access
/// token's value" (RFC 9449 §4.2).
fn hash(access_token: &str) -> String {
    BASE64URL.encode(digest(&SHA256, access_token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_000_000;
    const URI: &str = "https://id.example/api/v1/tenant/acme/oauth/token";
    /// The access token of RFC 9449 §7.1 and its hash.
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

    fn claims() -> Value {
        json!({ "jti": "1", "htm": "POST", "htu": URI, "iat": NOW })
    }

    fn check(claims: Value, access_token: Option<&str>, needs_nonce: bool) -> Result<Timestamp, DpopCheck> {
        let claims: DpopClaims = serde_json::from_value(claims).map_err(|_| DpopCheck::Claims)?;
        let nonce = |nonce: &str| (nonce == "good").then_some(Timestamp::from_seconds(7));
        let expected = DpopExpectations {
            method: "POST",
            uris: &[URI.to_owned()],
            access_token,
            nonce: needs_nonce.then_some(&nonce),
            restored_at: None,
            now: Timestamp::from_seconds(NOW),
        };
        let (uri, until) = claims.check(&expected)?;
        assert_eq!(uri, URI);
        Ok(until)
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    // [dpop RFC 9449 §4.3]: 1: not more than one header `DPoP`
    #[test]
    fn request_has_at_most_one_proof() {
        let read = |headers: &[&'static [u8]]| only_proof(headers.iter().copied());
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"a.b.c"]), Ok(Some("a.b.c")));
        assert_eq!(read(&[b"a.b.c", b"a.b.c"]), Err(DpopCheck::Repeated));
        assert_eq!(read(&[b"", b"a.b.c"]), Err(DpopCheck::Repeated));
        assert_eq!(read(&[b"\xff"]), Err(DpopCheck::Form));
    }

    // [dpop RFC 9449 §4.3, §7.1]
    #[test]
    fn sender_key_accepts_only_its_own_proof() {
        let [one, other] = [1, 2].map(|byte| Thumbprint::new([byte; 32]));
        let sender = SenderKeys { dpop: Some(one), certificate: Some(other) };
        assert!(sender.prove_dpop_key(None) && sender.prove_certificate(None));
        assert!(sender.prove_dpop_key(Some(one)) && sender.prove_certificate(Some(other)));
        assert!(!sender.prove_dpop_key(Some(other)) && !sender.prove_certificate(Some(one)));
        let nobody = SenderKeys::default();
        assert!(nobody.prove_dpop_key(None) && !nobody.prove_dpop_key(Some(one)));
        assert!(nobody.prove_certificate(None) && !nobody.prove_certificate(Some(other)));
    }

    // [dpop RFC 9449 §4.3 c]: 3: all required claims
    // [dpop RFC 9449 §4.3 h]: 8: `htm` is the method
    // [dpop RFC 9449 §4.3, §11.1]: 11: made within a minute of now, or with a nonce of the last two minutes
    // [dpop RFC 9449 §4.2]
    #[test]
    fn method_uri_and_time_are_checked() {
        use DpopCheck as E;
        let good = Ok(NOW + 60);
        for (name, value, expected) in [
            ("jti", json!("x"), good),
            ("jti", json!(""), Err(E::Claims)),
            ("jti", json!(1), Err(E::Claims)),
            ("jti", json!(null), Err(E::Claims)),
            ("htm", json!("GET"), Err(E::Method)),
            ("htm", json!("post"), Err(E::Method)),
            ("htm", json!("POST "), Err(E::Method)),
            ("htm", json!(""), Err(E::Method)),
            ("htm", json!(["POST"]), Err(E::Claims)),
            ("htm", json!(null), Err(E::Claims)),
            ("htu", json!(format!("{URI}?a=b#c")), good),
            ("htu", json!("HTTPS://ID.example:443/api/v1/tenant/%61cme/oauth/token"), good),
            ("htu", json!("https://id.example/api/v1/tenant/globex/oauth/token"), Err(E::Uri)),
            ("htu", json!("https://id.example/api/v1/tenant/acme/oauth/token/"), Err(E::Uri)),
            ("htu", json!("https://id.example/api/v1/tenant/ACME/oauth/token"), Err(E::Uri)),
            ("htu", json!("https://id.example/api/v1/tenant/acme/oauth"), Err(E::Uri)),
            ("htu", json!("http://id.example/api/v1/tenant/acme/oauth/token"), Err(E::Uri)),
            ("htu", json!("https://id.example:8443/api/v1/tenant/acme/oauth/token"), Err(E::Uri)),
            ("htu", json!("https://evil.example/api/v1/tenant/acme/oauth/token"), Err(E::Uri)),
            ("htu", json!("https://id.example@evil.example/api/v1/tenant/acme/oauth/token"), Err(E::Uri)),
            ("htu", json!("https://user@id.example/api/v1/tenant/acme/oauth/token"), Err(E::Uri)),
            ("htu", json!("/api/v1/tenant/acme/oauth/token"), Err(E::Uri)),
            ("htu", json!(""), Err(E::Uri)),
            ("htu", json!([URI]), Err(E::Claims)),
            ("htu", json!(null), Err(E::Claims)),
            ("iat", json!(NOW - 60), Ok(NOW)),
            ("iat", json!(NOW + 60), Ok(NOW + 120)),
            ("iat", json!(NOW as f64 + 0.5), good),
            ("iat", json!(NOW - 61), Err(E::Time)),
            ("iat", json!(NOW + 61), Err(E::Time)),
            ("iat", json!(0), Err(E::Time)),
            ("iat", json!(1e15), Err(E::Time)),
            ("iat", json!(-1), Err(E::Claims)),
            ("iat", json!(1e300), Err(E::Claims)),
            ("iat", json!("1000000"), Err(E::Claims)),
            ("iat", json!(null), Err(E::Claims)),
            ("ath", json!(HASH), good),
            ("ath", json!(7), Err(E::Claims)),
            ("nonce", json!("any"), good),
            ("nonce", json!(7), Err(E::Claims)),
            ("exp", json!(1), good),
            ("unknown", json!({ "a": [] }), good),
        ] {
            let found = check(with(name, value.clone()), None, false);
            assert_eq!(found, expected.map(Timestamp::from_seconds), "{name} {value}");
        }
        for name in ["jti", "htm", "htu", "iat"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(check(claims, None, false), Err(E::Claims), "{name}");
        }
    }

    // [dpop RFC 9449 §4.3, §7.1]: 12: beside a token, `ath` is its hash, and the proof's key is the one in
    //   `cnf`
    #[test]
    fn proof_with_a_token_contains_its_hash() {
        let other = Err(DpopCheck::Token);
        for (ath, expected) in [
            (json!(HASH), Ok(())),
            (json!(null), other),
            (json!(""), other),
            (json!(TOKEN), other),
            (json!(format!("{HASH}=")), other),
            (json!(HASH.to_lowercase()), other),
        ] {
            assert_eq!(check(with("ath", ath.clone()), Some(TOKEN), false).map(|_| ()), expected, "{ath}");
        }
        assert_eq!(check(claims(), Some(TOKEN), false).map(|_| ()), other);
    }

    // [dpop RFC 9449 §4.3, §8, §11.3]: 10: a nonce that the server requires
    #[test]
    fn required_nonce_replaces_iat_check() {
        let needed = Err(DpopCheck::Nonce);
        assert_eq!(check(claims(), None, true), needed);
        for nonce in [json!(""), json!("bad"), json!("good "), json!(null)] {
            assert_eq!(check(with("nonce", nonce.clone()), None, true), needed, "{nonce}");
        }
        let mut good = with("nonce", json!("good"));
        assert_eq!(check(good.clone(), None, true), Ok(Timestamp::from_seconds(7)));
        good["iat"] = json!(1);
        let found = check(good, None, true);
        assert_eq!(found, Ok(Timestamp::from_seconds(7)), "the client's clock may be wrong");
    }
}
