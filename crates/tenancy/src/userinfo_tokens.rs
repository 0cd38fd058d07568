//! Whether access tokens for userinfo can also be used for APIs (OpenID Connect Core §5.3.1).

use serde::{Deserialize, Serialize};

/// The audience of an access token with the scope `openid` and without a requested resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoTokens {
    /// The client's audiences and the issuer. Each of these APIs can call userinfo with the token.
    #[default]
    Combined,
    /// Only the issuer. The token cannot be used for APIs.
    Separate,
}

values::named!(UserinfoTokens { Combined => "combined", Separate => "separate" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_the_stored_form() {
        for (name, tokens) in UserinfoTokens::NAMED {
            assert_eq!(tokens.as_str(), name);
            assert_eq!(serde_json::to_value(tokens).unwrap(), name);
        }
    }
}
