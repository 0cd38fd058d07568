//! Token introspection on the wire (RFC 7662 §2.1, §2.2).

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{Audience, BearerToken, ClientAuthentication, ErrorResponse, Form, TokenType};

/// The token that the caller asks about.
#[derive(Debug)]
pub struct IntrospectionRequest {
    /// The token; not verified.
    pub token: BearerToken,
}

impl IntrospectionRequest {
    /// Reads the `Authorization` header and the body. `token_type_hint` is only a hint and there is one type of token, so it is
    /// ignored: "An authorization server MAY ignore this parameter" (RFC 7662 §2.1).
    ///
    /// # Errors
    /// `invalid_request` for a missing token or a repetition, `invalid_client` where no client is named.
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &[u8],
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        let mut form = Form::parse(body)?;
        let token = form
            .take_secret("token")?
            .ok_or_else(|| ErrorResponse::invalid_request("Missing token parameter"))?;
        let credentials = ClientAuthentication::take(authorization, &mut form)?;
        form.take("token_type_hint")?;
        form.finish()?;
        Ok((credentials, Self { token: BearerToken::new(token) }))
    }
}

/// What the caller may know about the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntrospectionResponse {
    /// Expired, foreign, malformed or none of the caller's business: all of these look alike (RFC 7662 §2.2).
    Inactive,
    /// A live token.
    Active(Box<ActiveToken>),
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
    /// When it ends.
    pub exp: u64,
    /// When it was issued.
    pub iat: u64,
    /// When it begins.
    pub nbf: u64,
    /// Whom it speaks for.
    pub sub: String,
    /// Whom it is for.
    pub aud: Audience,
    /// Who issued it.
    pub iss: String,
    /// Its identifier.
    pub jti: String,
}

impl Serialize for IntrospectionResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Active<'a> {
            active: bool,
            #[serde(flatten)]
            token: &'a ActiveToken,
        }
        match self {
            Self::Inactive => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("active", &false)?;
                map.end()
            }
            Self::Active(token) => Active { active: true, token }.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inactive_token_says_nothing_else() {
        assert_eq!(serde_json::to_string(&IntrospectionResponse::Inactive).unwrap(), r#"{"active":false}"#);
    }

    #[test]
    fn the_token_is_required_and_sent_once() {
        let parse = |body: &str| IntrospectionRequest::parse(None, body.as_bytes()).map(|_| ());
        assert_eq!(parse("token=x&client_id=a&token_type_hint=y"), Ok(()));
        assert_eq!(parse("client_id=a"), Err(ErrorResponse::invalid_request("Missing token parameter")));
        assert!(parse("token=x&token=y&client_id=a").is_err());
    }
}
