//! The authorization code grant: a client exchanges the code of a person's sign-in for tokens (RFC 6749
//! §4.1.3, RFC 7636 §4.5, OpenID Connect Core §3.1.3, RFC 9449 §10).

use keys::sha256;
use protocol::{ErrorCode, ErrorResponse, Form, RefusalReason, is_code_verifier, is_registered_redirect_uri};
use registry::{Client, SenderKeys};
use tenancy::TenantId;
use values::{Secret, Timestamp};

use crate::{AuthorizationCode, CodeProof, GrantError, NewFamily, OneTime, OneTimeKey, OneTimeUse};

#[derive(Debug)]
pub struct AuthorizationCodeRequest {
    pub(crate) code: Secret,
    pub(crate) redirect_uri: String,
    /// `None` if the client sent no verifier.
    pub(crate) code_verifier: Option<Secret>,
}

impl AuthorizationCodeRequest {
    /// # Errors `invalid_request` when a parameter is missing or malformed, or when `audience` is
    /// present.
    pub(crate) fn take(form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        form.refuse_audience()?;
        let code = form.require_secret("code")?;
        let redirect_uri = form.require("redirect_uri")?;
        let code_verifier = form.take_secret("code_verifier")?;
        if code_verifier.as_ref().is_some_and(|verifier| !is_code_verifier(verifier.expose())) {
            let description = "The code_verifier is not 43 to 128 unreserved characters";
            return Err(ErrorResponse::invalid_request(RefusalReason::MalformedCodeVerifier, description));
        }
        Ok(Self { code, redirect_uri: redirect_uri.into_owned(), code_verifier })
    }

    /// The use to look up in the store.
    pub(crate) fn use_of(
        &self,
        client: &Client,
        key: OneTimeKey,
        family: Option<NewFamily>,
    ) -> Result<OneTimeUse<AuthorizationCode>, AuthorizationCodeError> {
        // A code always has a registered URI. Other text might contain characters that the store
        // refuses, such as NUL.
        let registered = client.code_flow.redirect_uris.iter().map(String::as_str);
        if !is_registered_redirect_uri(registered, &self.redirect_uri) {
            return Err(AuthorizationCodeError::NotValid);
        }
        let code_challenge = self.code_verifier.as_ref().map(|verifier| sha256(verifier.expose()));
        let proof = CodeProof { redirect_uri: self.redirect_uri.clone(), code_challenge };
        Ok(OneTimeUse { key, client: client.id.clone(), proof, family })
    }
}

/// The caller gets the same answer for all of these reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationCodeError {
    /// The code is unknown, expired, or was issued to another client or redirect URI; or the code
    /// verifier is wrong; or the person may no longer sign in.
    NotValid,
    /// The code was already used, so somebody else may have it, and the grant ends (RFC 6749
    /// §4.1.2).
    Reused,
    /// The sender has not proven the key that the code is bound to. The code ends, because somebody
    /// else than the client has it.
    NotProven,
}

/// Decides on the answer of the store. The request gets tokens only if it is the first use of a
/// matching code. If the code is bound to a key, the sender must have proven that key (RFC 9449
/// §10).
pub(crate) fn decide(
    tenant: &TenantId,
    used: &OneTimeUse<AuthorizationCode>,
    redeemed: Option<OneTime<AuthorizationCode>>,
    is_used_again: bool,
    sender: &SenderKeys,
    now: Timestamp,
) -> Result<OneTime<AuthorizationCode>, AuthorizationCodeError> {
    let code = match redeemed {
        Some(code) => code,
        None if is_used_again => return Err(AuthorizationCodeError::Reused),
        None => return Err(AuthorizationCodeError::NotValid),
    };
    if !used.is_of(tenant, &code) || now >= code.valid_until {
        return Err(AuthorizationCodeError::NotValid);
    }
    if !sender.prove_dpop_key(code.granted.dpop_jkt) {
        return Err(AuthorizationCodeError::NotProven);
    }
    Ok(code)
}

impl From<AuthorizationCodeError> for ErrorResponse {
    fn from(refusal: AuthorizationCodeError) -> Self {
        let reason = match refusal {
            AuthorizationCodeError::Reused => RefusalReason::CodeReused,
            AuthorizationCodeError::NotValid | AuthorizationCodeError::NotProven => {
                RefusalReason::CodeNotValid
            }
        };
        Self::new(ErrorCode::InvalidGrant, reason, "The authorization code is not valid")
    }
}

impl From<AuthorizationCodeError> for GrantError {
    fn from(refusal: AuthorizationCodeError) -> Self {
        Self::Refused { response: refusal.into(), scope: None }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Thumbprint;

    use super::*;
    use crate::Granted;
    use crate::test_fixtures::{code_of, web_client};

    fn take(body: &str) -> Result<AuthorizationCodeRequest, ErrorResponse> {
        AuthorizationCodeRequest::take(&mut Form::parse(body.as_bytes()).unwrap())
    }

    // [oauth RFC 6749 §4.1.3]: The client authenticates, and sends the redirect URI of its request
    #[test]
    fn missing_or_malformed_code_parameters_are_refused() {
        let verifier = "a".repeat(43);
        let request = take(&format!("code=c&redirect_uri=https://a&code_verifier={verifier}")).unwrap();
        assert_eq!((request.code.expose(), request.redirect_uri.as_str()), ("c", "https://a"));
        assert!(take("code=c&redirect_uri=https://a").unwrap().code_verifier.is_none());
        for (body, expected) in [
            ("redirect_uri=https://a", "Missing code parameter"),
            ("code=c", "Missing redirect_uri parameter"),
            (
                "code=c&redirect_uri=https://a&code_verifier=short",
                "The code_verifier is not 43 to 128 unreserved characters",
            ),
            ("code=c&code=d&redirect_uri=https://a", "Parameter code was sent more than once"),
        ] {
            let refused = take(body).unwrap_err();
            assert_eq!((refused.error, &*refused.error_description), (ErrorCode::InvalidRequest, expected));
        }
    }

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const REDIRECT_URI: &str = "https://app.example/cb";

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// With the challenge of RFC 7636, appendix B.
    fn code() -> OneTime<AuthorizationCode> {
        let mut code = code_of(&web_client("web"), Granted::default());
        code.content.code_challenge = Some(sha256(VERIFIER));
        code
    }

    /// The decision if the store returned this code without checking anything.
    fn decided(
        (client, redirect_uri, verifier): (&Client, &str, Option<&str>),
        redeemed: OneTime<AuthorizationCode>,
        sender: &SenderKeys,
        now: u64,
    ) -> Result<OneTime<AuthorizationCode>, AuthorizationCodeError> {
        let request = AuthorizationCodeRequest {
            code: Secret::new("c".to_owned()),
            redirect_uri: redirect_uri.to_owned(),
            code_verifier: verifier.map(|verifier| Secret::new(verifier.to_owned())),
        };
        let used = request.use_of(client, redeemed.key, None)?;
        decide(&client.tenant, &used, Some(redeemed), false, sender, at(now))
    }

    #[test]
    fn code_needs_its_client_redirect_uri_and_verifier() {
        let (web, another, none) = (web_client("web"), web_client("another"), SenderKeys::default());
        let other_tenant = Client { tenant: TenantId::parse("globex").unwrap(), ..web.clone() };
        let right = Some(VERIFIER);
        let not_valid = Err(AuthorizationCodeError::NotValid);
        let wrong = "a".repeat(43);
        for (client, redirect_uri, verifier, now, expected) in [
            (&web, REDIRECT_URI, right, 1_059, Ok(code())),
            (&web, REDIRECT_URI, right, 1_060, not_valid.clone()),
            (&another, REDIRECT_URI, right, 1_001, not_valid.clone()),
            (&other_tenant, REDIRECT_URI, right, 1_001, not_valid.clone()),
            // A registered URI, but not the URI of the authorization request.
            (&web, "http://127.0.0.1/cb", right, 1_001, not_valid.clone()),
            (&web, "https://app.example/cb2", right, 1_001, not_valid.clone()),
            (&web, REDIRECT_URI, Some(&*wrong), 1_001, not_valid.clone()),
            (&web, REDIRECT_URI, None, 1_001, not_valid),
        ] {
            let found = decided((client, redirect_uri, verifier), code(), &none, now);
            assert_eq!(found, expected, "{} {redirect_uri} {verifier:?} {now}", client.id);
        }
        // RFC 9700 §2.1.1: a verifier is refused if the request had no challenge.
        let mut without = code();
        without.content.code_challenge = None;
        for (verifier, is_redeemed) in [(None, true), (right, false)] {
            let found = decided((&web, REDIRECT_URI, verifier), without.clone(), &none, 1_001);
            assert_eq!(found.is_ok(), is_redeemed, "{verifier:?}");
        }
    }

    #[test]
    fn only_the_log_distinguishes_code_reuse() {
        let (code, proof) = (code(), CodeProof { redirect_uri: String::new(), code_challenge: None });
        let used = OneTimeUse { key: code.key, client: code.client.clone(), proof, family: None };
        let answers = [
            (true, AuthorizationCodeError::Reused, RefusalReason::CodeReused),
            (false, AuthorizationCodeError::NotValid, RefusalReason::CodeNotValid),
        ]
        .map(|(is_used_again, expected, reason)| {
            let found = decide(&code.tenant, &used, None, is_used_again, &SenderKeys::default(), at(1_001));
            assert_eq!(found, Err(expected));
            let answer = ErrorResponse::from(expected);
            assert_eq!(answer.reason, reason);
            (answer.error, answer.error_description)
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].0, ErrorCode::InvalidGrant);
    }

    // [dpop RFC 9449 §10]
    #[test]
    fn key_bound_code_needs_its_proof() {
        let [none, key, other] = [None, Some([1; 32]), Some([2; 32])].map(|key| key.map(Thumbprint::new));
        let not_proven = Err(AuthorizationCodeError::NotProven);
        for (bound_to, proven, expected) in [
            (none, none, Ok(())),
            (none, key, Ok(())),
            (key, key, Ok(())),
            (key, none, not_proven),
            (key, other, not_proven),
        ] {
            let mut bound = code();
            bound.content.granted.dpop_jkt = bound_to;
            // A certificate with the same thumbprint is not a DPoP key.
            for certificate in [none, key] {
                let sender = SenderKeys { dpop: proven, certificate };
                let by = (&web_client("web"), REDIRECT_URI, Some(VERIFIER));
                let found = decided(by, bound.clone(), &sender, 1_001);
                assert_eq!(found.map(drop), expected, "{bound_to:?} {proven:?}");
            }
        }
    }
}
