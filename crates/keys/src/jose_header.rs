//! The JOSE header of a received token, parsed strictly (RFC 7515 §4, RFC 8725 §3).

use crate::TokenError;
use crate::unique_members::UniqueMembers;

/// The members that verification needs; none is trusted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JoseHeader<'a> {
    pub(crate) alg: &'a str,
    pub(crate) kid: Option<&'a str>,
    pub(crate) typ: Option<&'a str>,
}

/// Members by which a token would choose its own key, or that change what is signed. `x5t` names a certificate; there
/// are none here.
pub(crate) const NOT_ALLOWED: [&str; 8] = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "x5t", "x5t#S256"];

/// Those that a client may not send either.
const NOT_ALLOWED_OF_CLIENT: &[&str] = NOT_ALLOWED.split_at(6).0;

impl<'a> JoseHeader<'a> {
    /// Refuses a header with a member that is not allowed.
    pub(crate) fn check_members(members: &UniqueMembers<'_>) -> Result<(), TokenError> {
        Self::check_absent(members, &NOT_ALLOWED)
    }

    /// The same for a JWT of a client, whose keys are registered. Libraries name the certificate of theirs, too; "use of this Header
    /// Parameter is OPTIONAL" (RFC 7515 §4.1.7), and nothing is chosen by it.
    pub(crate) fn check_members_of_client(members: &UniqueMembers<'_>) -> Result<(), TokenError> {
        Self::check_absent(members, NOT_ALLOWED_OF_CLIENT)
    }

    fn check_absent(members: &UniqueMembers<'_>, names: &[&str]) -> Result<(), TokenError> {
        let is_allowed = names.iter().all(|name| members.get(name).is_none());
        if is_allowed { Ok(()) } else { Err(TokenError::HeaderNotAllowed) }
    }

    /// Reads the members of a header whose names are allowed.
    pub(crate) fn from_members(members: &'a UniqueMembers<'_>) -> Result<Self, TokenError> {
        let alg = members.text("alg")?.ok_or(TokenError::Malformed)?;
        Ok(Self { alg, kid: members.text("kid")?, typ: members.text("typ")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unique_members::MOST_MEMBERS;

    #[track_caller]
    fn check(json: &str, expected: Result<(&str, Option<&str>, Option<&str>), TokenError>) {
        let members = UniqueMembers::parse(json);
        let header = members.as_ref().map_err(|error| *error).and_then(|members| {
            JoseHeader::check_members(members)?;
            JoseHeader::from_members(members)
        });
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
