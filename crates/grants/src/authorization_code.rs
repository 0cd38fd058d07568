//! The authorization code grant: a client exchanges the code of a person's sign-in for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5, OpenID
//! Connect Core §3.1.3).

use protocol::{
    Audience, ErrorCode, ErrorResponse, Form, GrantType, RefusalReason, Secret, Timestamp, is_code_verifier,
};
use uuid::Uuid;

use crate::sender_constraint::{SenderNotProven, confirmation};
use crate::{AccessTokenClaims, AuthorizationCode, Grantee, SenderKeys};

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

/// Reasons to refuse the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationCodeError {
    /// The client is not registered for the grant.
    GrantNotRegistered,
    /// The tenant asks for opaque tokens, which are not served.
    FormatNotServed,
    /// The code is unknown, ended, used, of another client or redirect URI, without its verifier, or its person may not sign in any more.
    /// Callers cannot distinguish the reasons.
    Code,
    /// The token must be bound to a key that the request does not prove.
    SenderNotProven(SenderNotProven),
}

/// Checks what is known before the code is used up.
pub(crate) fn check(grantee: &Grantee<'_>, sender: &SenderKeys) -> Result<(), AuthorizationCodeError> {
    if !grantee.client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(AuthorizationCodeError::GrantNotRegistered);
    }
    if !grantee.tenant.access_token.format.is_served() {
        return Err(AuthorizationCodeError::FormatNotServed);
    }
    confirmation(grantee, sender).map(drop).map_err(AuthorizationCodeError::SenderNotProven)
}

/// The claims of the access token for a code that was redeemed (RFC 9068 §2.2).
pub(crate) fn decide<'a>(
    code: &'a AuthorizationCode,
    grantee: &Grantee<'a>,
    sender: &SenderKeys,
    now: Timestamp,
    jti: Uuid,
) -> Result<AccessTokenClaims<'a>, AuthorizationCodeError> {
    check(grantee, sender)?;
    let cnf = confirmation(grantee, sender).map_err(AuthorizationCodeError::SenderNotProven)?;
    Ok(AccessTokenClaims {
        iss: grantee.tenant.issuer.as_str().into(),
        sub: code.account.as_str().into(),
        aud: audience(code, grantee),
        exp: now + grantee.lifetime(),
        iat: now,
        nbf: now,
        jti: jti.to_string(),
        scope: code.granted.scope.clone(),
        client_id: grantee.client.id.as_str().into(),
        auth_time: Some(code.granted.auth_time()),
        acr: Some(code.granted.acr.as_str().into()),
        sid: Some(code.session.as_str().into()),
        cnf,
    })
}

/// The requested resources; without them those of the client, and the issuer, whose userinfo endpoint takes the token then.
fn audience<'a>(code: &AuthorizationCode, grantee: &Grantee<'a>) -> Audience<'a> {
    let mut names = code.granted.resources.clone();
    if names.is_empty() {
        names.clone_from(&grantee.client.audiences);
        if code.granted.has_scope("openid") {
            names.push(grantee.tenant.issuer.as_str().to_owned());
        }
    }
    match names.len() {
        0 => Audience::One(grantee.client.id.as_str().into()),
        1 => Audience::One(names.remove(0).into()),
        _ => Audience::Many(names.into()),
    }
}

impl From<&AuthorizationCodeError> for ErrorResponse {
    fn from(refusal: &AuthorizationCodeError) -> Self {
        let (error, reason, description) = match refusal {
            AuthorizationCodeError::SenderNotProven(refusal) => return Self::from(*refusal),
            AuthorizationCodeError::GrantNotRegistered => (
                ErrorCode::UnauthorizedClient,
                RefusalReason::GrantNotRegistered,
                "The client is not authorized to use this grant type",
            ),
            AuthorizationCodeError::FormatNotServed => (
                ErrorCode::UnsupportedGrantType,
                RefusalReason::FormatNotServed,
                "This server does not serve the token format of this tenant",
            ),
            AuthorizationCodeError::Code => {
                (ErrorCode::InvalidGrant, RefusalReason::CodeNotValid, "The authorization code is not valid")
            }
        };
        Self::new(error, reason, description)
    }
}

#[cfg(test)]
mod tests {
    use registry::Client;

    use super::*;
    use crate::Granted;
    use crate::test_fixtures::{ADA, acme, code_of, web_client};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

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
    fn the_token_is_the_persons_and_for_what_was_requested() {
        let tenant = acme();
        let mut client = web_client("web");
        let aud = |client: &Client, granted: Granted| {
            let code = code_of(client, granted);
            let grantee = Grantee { tenant: &tenant, client };
            let claims = decide(&code, &grantee, &SenderKeys::default(), NOW, Uuid::nil()).unwrap();
            assert_eq!((&*claims.sub, &*claims.client_id), (ADA, "web"));
            assert_eq!(
                (&*claims.iss, claims.auth_time),
                ("https://acme.example", Some(Timestamp::from_seconds(900)))
            );
            serde_json::to_string(&claims.aud).unwrap()
        };
        let openid = || Granted { scope: Some("openid".to_owned()), ..Granted::default() };
        assert_eq!(aud(&client, openid()), r#""https://acme.example""#);
        assert_eq!(aud(&client, Granted::default()), r#""web""#);
        let orders = Granted { resources: vec!["https://orders.example".to_owned()], ..openid() };
        assert_eq!(aud(&client, orders), r#""https://orders.example""#);
        client.audiences = vec!["api".to_owned()];
        assert_eq!(aud(&client, openid()), r#"["api","https://acme.example"]"#);
        // An alias is for machines: people's tokens have the issuer that metadata names.
        client.issuer = Some(tenancy::Issuer::parse("thunder").unwrap());
        assert_eq!(aud(&client, Granted::default()), r#""api""#);
    }

    #[test]
    fn a_client_of_another_grant_is_refused_before_the_code_is_used() {
        let (tenant, client) = (acme(), crate::test_fixtures::client("svc"));
        let refused = check(&Grantee { tenant: &tenant, client: &client }, &SenderKeys::default());
        assert_eq!(refused, Err(AuthorizationCodeError::GrantNotRegistered));
    }
}
