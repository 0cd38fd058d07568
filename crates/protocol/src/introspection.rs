//! Token introspection on the wire (RFC 7662 §2.1, §2.2).

use serde::Serialize;
use values::Secret;

use crate::{Audience, ClientAuthentication, Confirmation, ErrorResponse, Form, StaticClaims, TokenType};

#[derive(Debug)]
pub struct IntrospectionRequest {
    /// Not verified yet.
    pub token: Secret,
}

impl IntrospectionRequest {
    /// Reads the `Authorization` header and the body. Ignores `token_type_hint`: "An authorization
    /// server MAY ignore this parameter" (RFC 7662 §2.1).
    ///
    /// # Errors
    /// - `invalid_request` for a missing token or a repeated parameter.
    /// - `invalid_client` if the request names no client.
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &[u8],
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        let mut form = Form::parse(body)?;
        let token = form.require_secret("token")?;
        let credentials = ClientAuthentication::take(authorization, &mut form)?;
        form.take("token_type_hint")?;
        form.finish()?;
        Ok((credentials, Self { token }))
    }
}

/// An inactive response does not tell the caller whether the token is expired, malformed, of
/// another issuer, or of an API that the caller may not introspect (RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntrospectionResponse {
    active: bool,
    #[serde(flatten)]
    token: Option<Introspected>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(
    clippy::large_enum_variant,
    reason = "most answers are of access tokens, and a box would be an allocation"
)]
enum Introspected {
    AccessToken(ActiveToken),
    RefreshToken(IntrospectedRefreshToken),
}

/// The members for an active refresh token. It has no `token_type`, because no resource accepts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntrospectedRefreshToken {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    pub client_id: String,
    /// When the token expires if the client does not use it. Each use issues a new token.
    pub exp: u64,
    /// When the person granted access.
    pub iat: u64,
    /// The person who granted access.
    pub sub: String,
    pub iss: String,
}

/// The members for an active access token or API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    pub client_id: String,
    pub token_type: TokenType,
    pub exp: u64,
    pub iat: u64,
    pub nbf: u64,
    pub sub: String,
    pub aud: Audience<'static>,
    pub iss: String,
    pub jti: String,
    /// The key or certificate that the sender has to prove possession of (RFC 9449 §6.2, RFC 8705
    /// §3.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The name of the API key: of the token itself, or of the key that obtained the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The owner of the API key. Present only if the token is an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The static claims of the client and the tenant.
    #[serde(flatten, serialize_with = "StaticClaims::write")]
    pub claims: StaticClaims,
}

impl IntrospectionResponse {
    /// For a text that is not a token, and for a token that the caller may not introspect.
    pub const INACTIVE: Self = Self { active: false, token: None };
}

impl From<Option<ActiveToken>> for IntrospectionResponse {
    fn from(token: Option<ActiveToken>) -> Self {
        Self { active: token.is_some(), token: token.map(Introspected::AccessToken) }
    }
}

impl From<Option<IntrospectedRefreshToken>> for IntrospectionResponse {
    fn from(token: Option<IntrospectedRefreshToken>) -> Self {
        Self { active: token.is_some(), token: token.map(Introspected::RefreshToken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RefusalReason;

    // [introspection RFC 7662 §2.2 b]: For an inactive token the answer has no other member
    #[test]
    fn inactive_response_has_no_other_member() {
        assert_eq!(serde_json::to_string(&IntrospectionResponse::INACTIVE).unwrap(), r#"{"active":false}"#);
    }

    #[test]
    fn refresh_token_response_has_expected_members() {
        let token = IntrospectedRefreshToken {
            scope: Some("openid".to_owned()),
            client_id: "web".to_owned(),
            exp: 2,
            iat: 1,
            sub: "usr_a".to_owned(),
            iss: "https://acme.example".to_owned(),
        };
        let expected = r#"{"active":true,"scope":"openid","client_id":"web","exp":2,"iat":1,"sub":"usr_a","iss":"https://acme.example"}"#;
        let answer = IntrospectionResponse::from(Some(token));
        assert_eq!(serde_json::to_string(&answer).unwrap(), expected);
    }

    // [introspection RFC 7662 §2.1]: POST with a form; `token` is required and occurs once
    // [introspection RFC 7662 §2.1 b]: `token_type_hint` may be ignored, and is: there is one type of token
    #[test]
    fn token_is_required_exactly_once() {
        let parse = |body: &str| IntrospectionRequest::parse(None, body.as_bytes()).map(|_| ());
        assert_eq!(parse("token=x&client_id=a&token_type_hint=y"), Ok(()));
        let missing = Form::parse(b"").unwrap().require("token").unwrap_err();
        let expected = (RefusalReason::MissingParameter, "Missing token parameter");
        assert_eq!((missing.reason, &*missing.error_description), expected);
        assert_eq!(parse("client_id=a"), Err(missing));
        assert!(parse("token=x&token=y&client_id=a").is_err());
    }
}
