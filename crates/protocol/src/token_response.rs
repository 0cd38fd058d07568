//! The successful answer of the token endpoint (RFC 6749 §5.1).

use std::io::Write as _;

use serde::Serialize;

/// RFC 6749 §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TokenType {
    /// Anyone who has the token can use it (RFC 6750).
    Bearer,
    /// Each request needs a proof of the key that the token is bound to (RFC 9449 §5).
    DPoP,
}

values::named!(TokenType { Bearer => "Bearer", DPoP => "DPoP" });

/// The members have the order of the documented examples.
#[derive(Debug)]
#[cfg_attr(test, derive(Serialize))]
pub struct TokenResponse {
    /// Base64url and dots.
    pub access_token: String,
    pub token_type: TokenType,
    /// Seconds.
    pub expires_in: u64,
    /// `None` if no scope was granted, because the grammar has no empty scope.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub scope: Option<String>,
    /// OpenID Connect Core §3.1.3.3. Base64url and dots.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub id_token: Option<String>,
    /// RFC 6749 §1.5. Base64url and underscores.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub refresh_token: Option<String>,
}

impl TokenResponse {
    /// Copies the tokens into the JSON without escaping, because they contain only characters that
    /// JSON does not escape. A serializer would check each character.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        const OTHER_MEMBERS: usize = 128;
        let Self { access_token, token_type, expires_in, scope, id_token, refresh_token } = self;
        let mut json = Vec::with_capacity(access_token.len() + OTHER_MEMBERS);
        json.extend_from_slice(br#"{"access_token":""#);
        json.extend_from_slice(access_token.as_bytes());
        json.extend_from_slice(br#"","token_type":""#);
        json.extend_from_slice(token_type.as_str().as_bytes());
        json.extend_from_slice(br#"","expires_in":"#);
        serde_json::to_writer(&mut json, expires_in)?;
        if let Some(scope) = scope {
            json.extend_from_slice(br#","scope":"#);
            serde_json::to_writer(&mut json, scope)?;
        }
        if let Some(id_token) = id_token {
            write!(json, r#","id_token":"{id_token}""#).map_err(serde_json::Error::io)?;
        }
        if let Some(refresh_token) = refresh_token {
            write!(json, r#","refresh_token":"{refresh_token}""#).map_err(serde_json::Error::io)?;
        }
        json.push(b'}');
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    // [oauth RFC 6749 §4.4.3]: No refresh token comes with the answer
    // [oauth RFC 6749 §3.3 c]
    #[test]
    fn token_response_omits_absent_members() {
        for (scope, token_type, last) in [
            ("", TokenType::Bearer, ""),
            ("a b", TokenType::Bearer, r#","scope":"a b""#),
            ("a", TokenType::DPoP, r#","scope":"a""#),
        ] {
            let scope = Scope::text(Scope::parse(scope).unwrap().iter());
            let (access_token, id_token, refresh_token) = ("ey-._0".to_owned(), None, None);
            let answer =
                TokenResponse { access_token, token_type, expires_in: 2, scope, id_token, refresh_token };
            let expected =
                format!(r#"{{"access_token":"ey-._0","token_type":"{token_type:?}","expires_in":2{last}}}"#);
            assert_eq!(answer.to_json().unwrap(), expected.as_bytes());
            assert_eq!(serde_json::to_string(&answer).unwrap(), expected, "as a serializer writes it");
            let mut signed_in = TokenResponse { id_token: Some("ey.A.B".to_owned()), ..answer };
            assert_eq!(signed_in.to_json().unwrap(), serde_json::to_vec(&signed_in).unwrap());
            signed_in.refresh_token = Some("lk_rt_A-_b".to_owned());
            assert_eq!(signed_in.to_json().unwrap(), serde_json::to_vec(&signed_in).unwrap());
        }
    }
}
