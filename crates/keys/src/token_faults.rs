//! Describes where a token is malformed, for the person who has it. The check has already failed, so nothing
//! is decided here.

use std::fmt::Write as _;

use base64::DecodeError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::rules;
use serde_json::Value;
use values::cropped;

use crate::Check;

/// The members of a JSON object in their order.
pub type ObjectMembers = Vec<(String, Value)>;

/// Which part of the token caused `Malformed` in this check, with its error.
pub(crate) fn place(
    check: Check,
    token: &str,
    header: Option<&ObjectMembers>,
    claims: Option<&ObjectMembers>,
) -> Option<String> {
    let parts: Vec<&str> = token.splitn(MOST_PARTS, '.').collect();
    match check {
        Check::Length => Some(format!("{} bytes", token.len())),
        Check::Parts => Some(number_of_parts(token)),
        Check::Encoding => in_encoding(&parts),
        Check::HeaderObject => Some(in_json("header", parts.first()?)),
        Check::ClaimsObject => Some(in_json("claims", parts.get(1)?)),
        Check::HeaderTypes => ["alg", "kid", "typ"].into_iter().find_map(|name| {
            let value = value_of(header?, name);
            (value.map_or(name == "alg", |value| !value.is_string())).then(|| found(name, value))
        }),
        Check::Issuer => value_of(claims?, "iss")
            .is_none_or(|iss| !iss.is_string())
            .then(|| claims.map(|claims| found("iss", value_of(claims, "iss"))))?,
        Check::RegisteredClaims => ["aud", "exp", "iat", "nbf"].into_iter().find_map(|name| {
            let value = value_of(claims?, name);
            let is_good =
                if name == "aud" { value.is_some_and(is_audience) } else { value.is_some_and(Value::is_u64) };
            (!is_good).then(|| found(name, value))
        }),
        _ => None,
    }
}

/// More parts than any token format has.
const MOST_PARTS: usize = 7;

fn number_of_parts(token: &str) -> String {
    let count = token.bytes().filter(|byte| *byte == b'.').count() + 1;
    match (token.len(), count) {
        (0, _) => "nothing".to_owned(),
        (length, 1) => format!(
            "{length} bytes without a dot: an opaque token, which only the server that issued it can \
                explain, or part of a token"
        ),
        (_, 2) => "2 parts: the signature is missing".to_owned(),
        (_, 5) => "5 parts: an encrypted token (JWE, RFC 7516), which only its recipient can read".to_owned(),
        (_, count) => format!("{count} parts"),
    }
}

/// Searches in the order in which verification decodes the parts.
fn in_encoding(parts: &[&str]) -> Option<String> {
    let [header, claims, signature] = parts else { return None };
    [("signature", *signature, false), ("header", *header, true), ("claims", *claims, true)]
        .into_iter()
        .find_map(|(name, part, is_text)| match BASE64URL.decode(part) {
            Err(error) => Some(format!("{name}: {}", in_base64url(error, part))),
            Ok(bytes) if is_text => {
                let error = String::from_utf8(bytes).err()?.utf8_error();
                Some(format!("{name}: byte {} is not UTF-8", error.valid_up_to() + 1))
            }
            Ok(_) => None,
        })
}

fn in_base64url(error: DecodeError, part: &str) -> String {
    // The decoder may report the last wrong character; people look for the first one.
    let is_foreign = |character: &char| !character.is_ascii_alphanumeric() && !"-_".contains(*character);
    if let Some((at, character)) = part.chars().enumerate().find(|(_, character)| is_foreign(character)) {
        return format!("character {} is {}", at + 1, named(character));
    }
    match error {
        DecodeError::InvalidLength(_) => {
            format!(
                "base64url text cannot have {} characters; the part is truncated or has one character too many",
                part.len()
            )
        }
        _ => {
            "base64url text cannot end with this last character; the part is truncated or changed".to_owned()
        }
    }
}

/// Shows a character without sending control characters to the terminal.
fn named(character: char) -> String {
    match character {
        '=' => "`=`: padding, which a token does not use".to_owned(),
        '+' | '/' => format!("`{character}` of base64; base64url uses `-` and `_`"),
        '\n' | '\r' => "a line break".to_owned(),
        ' ' | '\t' => "a blank".to_owned(),
        '!'..='~' => format!("`{character}`"),
        _ => format!("U+{:04X}", u32::from(character)),
    }
}

fn in_json(name: &str, part: &str) -> String {
    let Ok(bytes) = BASE64URL.decode(part) else { return format!("{name}: not base64url") };
    match str::from_utf8(&bytes).map(rules::Members::read) {
        Ok(Err(_)) if bytes.is_empty() => format!("{name}: empty"),
        Ok(Err(error)) => format!("{name}: {error}"),
        Ok(Ok(_)) | Err(_) => format!("{name}: not text"),
    }
}

fn is_audience(aud: &Value) -> bool {
    aud.is_string() || aud.as_array().is_some_and(|names| names.iter().all(Value::is_string))
}

fn value_of<'a>(members: &'a ObjectMembers, name: &str) -> Option<&'a Value> {
    members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
}

fn found(name: &str, value: Option<&Value>) -> String {
    let mut text = format!("`{name}` is ");
    match value {
        None => text.push_str("missing"),
        Some(value) => {
            let _ = write!(text, "{}", cropped(&value.to_string()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(check: Check, token: &str, expected: &str) {
        assert_eq!(place(check, token, None, None).as_deref(), Some(expected), "{token}");
    }

    #[test]
    fn part_count_identifies_the_token_format() {
        for (token, expected) in [
            ("", "nothing"),
            ("a.b", "2 parts: the signature is missing"),
            ("a.b.c.d", "4 parts"),
            ("a.b.c.d.e", "5 parts: an encrypted token (JWE, RFC 7516), which only its recipient can read"),
        ] {
            check(Check::Parts, token, expected);
        }
        let opaque = place(Check::Parts, "opaque", None, None).unwrap();
        assert!(opaque.starts_with("6 bytes without a dot: an opaque token"), "{opaque}");
    }

    #[test]
    fn bad_character_is_reported_with_part_and_position() {
        for (token, expected) in [
            ("e30.e30.AA=", "signature: character 3 is `=`: padding, which a token does not use"),
            ("e3=0.e30.AA", "header: character 3 is `=`: padding, which a token does not use"),
            ("e3+0.e30.AA", "header: character 3 is `+` of base64; base64url uses `-` and `_`"),
            ("e30.e3\n0.AA", "claims: character 3 is a line break"),
            ("e30.e3 0.AA", "claims: character 3 is a blank"),
            ("\u{1b}30.e30.AA", "header: character 1 is U+001B"),
            ("e30.e3\u{fffd}.AA", "claims: character 3 is U+FFFD"),
            (
                "e30.e30.AAAAA",
                "signature: base64url text cannot have 5 characters; the part is truncated or has one character too many",
            ),
            (
                "e30.e30.AB",
                "signature: base64url text cannot end with this last character; the part is truncated or changed",
            ),
            ("_w.e30.AA", "header: byte 1 is not UTF-8"),
        ] {
            check(Check::Encoding, token, expected);
        }
    }

    #[test]
    fn json_error_is_reported_with_position() {
        let header = |json: &str| format!("{}.e30.AA", BASE64URL.encode(json));
        for (json, expected) in [
            (r#"{"alg":"none","alg":"RS256"}"#, "header: `alg` is there twice at line 1 column 28"),
            ("{", "header: EOF while parsing an object at line 1 column 1"),
            ("", "header: empty"),
            (
                "7",
                "header: invalid type: integer `7`, expected an object with unique names at line 1 column 1",
            ),
        ] {
            check(Check::HeaderObject, &header(json), expected);
        }
    }
}
