//! The authorization code grant: a client exchanges the code of a person's sign-in for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5, OpenID
//! Connect Core §3.1.3, RFC 9449 §10).

use protocol::{ErrorCode, ErrorResponse, Form, RefusalReason, Secret, is_code_verifier};

use crate::{Granted, SenderKeys};

/// The parameters of the grant.
#[derive(Debug)]
pub struct AuthorizationCodeRequest {
    /// The code.
    pub(crate) code: Secret,
    /// The redirect URI of the authorization request.
    pub(crate) redirect_uri: String,
    /// The verifier of the challenge, where one was sent.
    pub(crate) code_verifier: Option<Secret>,
}

impl AuthorizationCodeRequest {
    /// Takes the parameters out of a form.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is missing or malformed.
    pub(crate) fn take(form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        let missing = |description: &'static str| {
            ErrorResponse::invalid_request(RefusalReason::MissingParameter, description)
        };
        let code = form.take_secret("code")?.ok_or_else(|| missing("Missing code parameter"))?;
        let redirect_uri =
            form.take("redirect_uri")?.ok_or_else(|| missing("Missing redirect_uri parameter"))?;
        let code_verifier = form.take_secret("code_verifier")?;
        if code_verifier.as_ref().is_some_and(|verifier| !is_code_verifier(verifier.expose())) {
            let description = "The code_verifier is not 43 to 128 unreserved characters";
            return Err(ErrorResponse::invalid_request(RefusalReason::MalformedCodeVerifier, description));
        }
        Ok(Self { code, redirect_uri: redirect_uri.into_owned(), code_verifier })
    }
}

/// Whether the sender has proven the key that the authorization request has bound its code to, if it has bound it to one.
pub(crate) fn is_key_proven(granted: &Granted, sender: &SenderKeys) -> bool {
    granted.dpop_jkt.is_none_or(|key| sender.dpop == Some(key))
}

/// What the caller learns of a code that is unknown, ended, used, of another client, redirect URI or key, without its verifier, or whose person
/// may not sign in any more. Callers cannot distinguish the reasons.
pub(crate) fn not_valid() -> ErrorResponse {
    let description = "The authorization code is not valid";
    ErrorResponse::new(ErrorCode::InvalidGrant, RefusalReason::CodeNotValid, description)
}

#[cfg(test)]
mod tests {
    use protocol::Thumbprint;

    use super::*;

    fn take(body: &str) -> Result<AuthorizationCodeRequest, ErrorResponse> {
        AuthorizationCodeRequest::take(&mut Form::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn code_and_redirect_uri_are_required_and_a_verifier_has_its_form() {
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

    #[test]
    fn a_code_that_is_bound_to_a_key_needs_its_proof() {
        let [none, key, other] = [None, Some([1; 32]), Some([2; 32])].map(|key| key.map(Thumbprint::new));
        for (bound_to, proven, expected) in
            [(none, none, true), (none, key, true), (key, key, true), (key, none, false), (key, other, false)]
        {
            let granted = Granted { dpop_jkt: bound_to, ..Granted::default() };
            // A certificate is another kind of key.
            for certificate in [none, key] {
                let sender = SenderKeys { dpop: proven, certificate };
                assert_eq!(is_key_proven(&granted, &sender), expected, "{bound_to:?} {proven:?}");
            }
        }
    }
}
