//! Token introspection on the wire (RFC 7662 §2.1, §2.2).

use serde::Serialize;
use values::Secret;

use crate::{Audience, ClientAuthentication, Confirmation, ErrorResponse, Form, StaticClaims, TokenType};

/// The introspected token.
#[derive(Debug)]
pub struct IntrospectionRequest {
    /// The token; not verified.
    pub token: Secret,
}

impl IntrospectionRequest {
    /// Reads the `Authorization` header and the body. `token_type_hint` is only a hint and there is one type
    /// of token, so it is ignored: "An authorization server MAY ignore this parameter" (RFC 7662 §2.1).
    ///
    /// # Errors
    /// `invalid_request` for a missing token or a repetition, `invalid_client` if no client is named.
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

/// The response about the token: its members if it is live. Expired, foreign and malformed tokens and those
/// that the caller may not introspect look alike (RFC 7662 §2.2).
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

/// The members of an active response for a refresh token. It has no `token_type`, because no resource accepts
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntrospectedRefreshToken {
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// To whom.
    pub client_id: String,
    /// When the token ends unless it is used before.
    pub exp: u64,
    /// When it was granted.
    pub iat: u64,
    /// Who has granted it.
    pub sub: String,
    /// Who issued it.
    pub iss: String,
}

/// The members of an active answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// To whom.
    pub client_id: String,
    /// How it is used.
    pub token_type: TokenType,
    /// When the token ends.
    pub exp: u64,
    /// When it was issued.
    pub iat: u64,
    /// When it begins.
    pub nbf: u64,
    /// The subject of the token.
    pub sub: String,
    pub aud: Audience<'static>,
    /// Who issued it.
    pub iss: String,
    /// Its identifier.
    pub jti: String,
    /// The key that its sender must prove to hold (RFC 9449 §6.2, RFC 8705 §3.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The API key that it is, or that it was issued for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The owner of the API key, for a key itself only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The labels of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The static claims of its client or tenant.
    #[serde(flatten, serialize_with = "StaticClaims::write")]
    pub claims: StaticClaims,
}

impl IntrospectionResponse {
    /// The response for a token that the caller may not introspect, and for a text that is no token.
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
    fn an_inactive_token_says_nothing_else() {
        assert_eq!(serde_json::to_string(&IntrospectionResponse::INACTIVE).unwrap(), r#"{"active":false}"#);
    }

    #[test]
    fn a_refresh_token_says_who_has_granted_what_to_whom_until_when() {
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
    fn the_token_is_required_and_sent_once() {
        let parse = |body: &str| IntrospectionRequest::parse(None, body.as_bytes()).map(|_| ());
        assert_eq!(parse("token=x&client_id=a&token_type_hint=y"), Ok(()));
        let missing = Form::parse(b"").unwrap().require("token").unwrap_err();
        let expected = (RefusalReason::MissingParameter, "Missing token parameter");
        assert_eq!((missing.reason, &*missing.error_description), expected);
        assert_eq!(parse("client_id=a"), Err(missing));
        assert!(parse("token=x&token=y&client_id=a").is_err());
    }
}
