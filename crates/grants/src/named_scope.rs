//! Which scope tokens of a refused request are repeated in the error description and in the log.
//! Scope tokens contain only characters that a description may contain (RFC 6749 §3.3, §5.2).

use std::borrow::Cow;

use protocol::ScopeToken;
use secrets::GeneratedSecret;

/// Longer scope tokens are not repeated. Bytes.
const LONGEST: usize = 64;
/// The maximum number of scope tokens in a description.
const MOST: usize = 8;

/// `None` if the scope token is long, or if it looks like a secret that was sent in the wrong
/// parameter.
#[must_use]
pub fn named_scope(token: &ScopeToken) -> Option<&str> {
    Some(token.as_str()).filter(|text| text.len() <= LONGEST && !GeneratedSecret::is_well_formed(text))
}

/// Adds the refused scope tokens to the sentence.
pub(crate) fn with_names(sentence: &'static str, refused: &[ScopeToken]) -> Cow<'static, str> {
    let names: Vec<_> = refused.iter().filter_map(named_scope).take(MOST).collect();
    let text = match (names.as_slice(), refused.len() - names.len()) {
        ([], _) => return sentence.into(),
        (names, 0) => format!("{sentence}: {}", names.join(" ")),
        (names, more) => format!("{sentence}: {} (and {more} more)", names.join(" ")),
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(texts: &[&str]) -> Vec<ScopeToken> {
        texts.iter().map(|text| ScopeToken::parse(text).unwrap()).collect()
    }

    #[test]
    fn scopes_that_may_be_secrets_are_not_named() {
        let secret = GeneratedSecret::from_bytes(&[1; 32]).secret;
        let (short, long) = ("s".repeat(64), "s".repeat(65));
        for (text, is_named) in
            [("orders:raed", true), (&*short, true), (secret.expose(), false), (&*long, false)]
        {
            let token = ScopeToken::parse(text).unwrap();
            assert_eq!(named_scope(&token), is_named.then_some(text));
        }
    }

    // [oauth RFC 6749 §5.2 h]
    #[test]
    fn description_names_eight_scopes_and_counts_the_rest() {
        let long = "s".repeat(65);
        let numbered: Vec<_> = (0..128).map(|number| format!("s{number}")).collect();
        let numbered: Vec<_> = numbered.iter().map(String::as_str).collect();
        for (refused, expected) in [
            (&["admin"] as &[&str], "Refused: admin"),
            (&["admin", "orders:delete"], "Refused: admin orders:delete"),
            (&[&*long], "Refused"),
            (&[&*long, "admin"], "Refused: admin (and 1 more)"),
            (&numbered, "Refused: s0 s1 s2 s3 s4 s5 s6 s7 (and 120 more)"),
        ] {
            assert_eq!(with_names("Refused", &tokens(refused)), expected);
        }
    }

    // [oauth RFC 6749 §5.2 h]: At the token endpoint the description of `invalid_scope` names the scopes that
    //   the client may not have: up to eight of up to 64 characters, and none that looks like a secret. A
    //   scope has no character that a description may not have
    /// RFC 6749 §5.2: "Values for the error_description parameter MUST NOT include characters
    /// outside the set %x20-21 / %x23-5B / %x5D-7E."
    #[test]
    fn description_has_only_characters_of_rfc_6749() {
        let all: String = (0x21..0x7f).map(char::from).filter(|next| !['"', '\\'].contains(next)).collect();
        let (first, second) = all.split_at(50);
        let text = with_names("Refused", &tokens(&[first, second]));
        assert_eq!(text, format!("Refused: {first} {second}"));
        assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)));
    }
}
