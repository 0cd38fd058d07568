//! The JOSE header of a received token, parsed strictly (RFC 7515 §4, RFC 8725 §3).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::TokenError;

/// The members that verification needs; none is trusted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JoseHeader<'a> {
    pub(crate) alg: &'a str,
    pub(crate) kid: Option<&'a str>,
    pub(crate) typ: Option<&'a str>,
}

/// A JSON object with unique names: "the Header Parameter names within the JOSE Header MUST be unique" (RFC 7515 §4),
/// and so must claim names (RFC 7519 §4). Otherwise a parser that takes the first of two and one that takes the last
/// would read two different tokens.
pub(crate) struct UniqueMembers(Vec<(String, Value)>);

/// Members by which a token would choose its own key, or that change what is signed. `x5t` names a certificate; there
/// are none here.
const NOT_ALLOWED: [&str; 8] = ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"];

impl<'a> JoseHeader<'a> {
    /// Parses the decoded first part of a token.
    pub(crate) fn from_members(members: &'a UniqueMembers) -> Result<Self, TokenError> {
        if NOT_ALLOWED.iter().any(|name| members.get(name).is_some()) {
            return Err(TokenError::HeaderNotAllowed);
        }
        let alg = members.string("alg")?.ok_or(TokenError::Malformed)?;
        Ok(Self { alg, kid: members.string("kid")?, typ: members.string("typ")? })
    }
}

impl UniqueMembers {
    /// Parses an object; any other value, or an object with a repeated name, is malformed.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(json).map_err(|_| TokenError::Malformed)
    }

    /// The member of this name as a string, if there is one.
    pub(crate) fn string(&self, name: &str) -> Result<Option<&str>, TokenError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Malformed),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = UniqueMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with unique names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::with_capacity(12);
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // The search is linear; a token of 16 KiB could make it slow.
                    if members.len() == MOST_MEMBERS || members.iter().any(|(member, _)| *member == name) {
                        return Err(A::Error::custom("a repeated name, or too many of them"));
                    }
                    members.push((name, value));
                }
                Ok(UniqueMembers(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

const MOST_MEMBERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Result<(&str, Option<&str>, Option<&str>), TokenError>) {
        let members = UniqueMembers::parse(json.as_bytes());
        let header = members.as_ref().map_err(|error| *error).and_then(JoseHeader::from_members);
        assert_eq!(header.map(|header| (header.alg, header.kid, header.typ)), expected, "{json}");
    }

    #[test]
    fn the_three_members_are_read_and_others_ignored() {
        check(r#"{"alg":"RS256","typ":"JWT","kid":"k"}"#, Ok(("RS256", Some("k"), Some("JWT"))));
        check(r#" {"cty":"x","alg":"none","y":[{}]} "#, Ok(("none", None, None)));
    }

    #[test]
    fn a_header_that_brings_its_own_key_or_extensions_is_not_allowed() {
        for name in NOT_ALLOWED {
            for value in ["\"x\"", "null", "{}", "[]"] {
                let json = format!(r#"{{"alg":"RS256","kid":"k","{name}":{value}}}"#);
                check(&json, Err(TokenError::HeaderNotAllowed));
            }
        }
        check(r#"{"alg":"RS256","\u006aku":"x"}"#, Err(TokenError::HeaderNotAllowed));
    }

    #[test]
    fn repeated_names_and_wrong_types_are_malformed() {
        for json in [
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","kid":"a","kid":"b"}"#,
            r#"{"alg":"RS256","typ":"JWT","typ":"JWT"}"#,
            r#"{"alg":"RS256","a":1,"\u0061":1}"#,
            r#"{"alg":7}"#,
            r#"{"alg":null}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","typ":null}"#,
            r#"{"kid":"k"}"#,
            r#"["RS256","k","JWT"]"#,
            r#"{"alg":"RS256"}{}"#,
            r#"{"alg":"RS256",}"#,
            "\"alg\"",
            "null",
            "",
        ] {
            check(json, Err(TokenError::Malformed));
        }
        let many: Vec<_> = (0..=MOST_MEMBERS).map(|number| format!("\"{number}\":0")).collect();
        check(&format!("{{\"alg\":\"RS256\",{}}}", many.join(",")), Err(TokenError::Malformed));
    }
}
