//! The successful answer of the token endpoint (RFC 6749 §5.1).

use serde::Serialize;

use crate::Scope;

/// How the token is used (RFC 6749 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TokenType {
    /// The bearer of the token may use it (RFC 6750).
    Bearer,
}

/// Members in the order of the documented examples. There is no `refresh_token`: "A refresh token SHOULD NOT be included" (RFC 6749 §4.4.3).
#[derive(Debug, Serialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: TokenType,
    /// Seconds until the token expires.
    pub expires_in: u64,
    /// What was granted; left out when that is nothing, because the grammar has no empty scope.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_no_refresh_token_and_no_empty_scope() {
        for (scope, last) in [("", ""), ("a b", r#","scope":"a b""#)] {
            let scope = Scope::parse(scope).unwrap();
            let answer = TokenResponse {
                access_token: "t".to_owned(),
                token_type: TokenType::Bearer,
                expires_in: 2,
                scope,
            };
            let expected = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":2{last}}}"#);
            assert_eq!(serde_json::to_string(&answer).unwrap(), expected);
        }
    }
}
