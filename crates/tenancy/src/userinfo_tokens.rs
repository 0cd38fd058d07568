//! Whether the access tokens that userinfo takes are for APIs, too (OpenID Connect Core §5.3.1).

use serde::{Deserialize, Serialize};

/// The audience of an access token with the scope `openid` that was requested for no resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoTokens {
    /// The audiences of the client, and the issuer: each of these APIs can read userinfo with the token.
    #[default]
    Combined,
    /// The issuer alone: a token for userinfo is for no API.
    Separate,
}

values::named!(UserinfoTokens { Combined => "combined", Separate => "separate" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_stored_form() {
        for (name, tokens) in UserinfoTokens::NAMED {
            assert_eq!(tokens.as_str(), name);
            assert_eq!(serde_json::to_value(tokens).unwrap(), name);
        }
    }
}
