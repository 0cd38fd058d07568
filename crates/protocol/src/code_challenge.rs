//! Proof key for code exchange, with SHA-256 only (RFC 7636 §4, RFC 9700 §2.1.1).

use crate::Thumbprint;

/// The shortest and the longest code verifier, in characters (RFC 7636 §4.1).
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;

/// The SHA-256 digest of the code verifier, in base64url (method `S256`).
pub type CodeChallenge = Thumbprint;

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
#[must_use]
pub fn is_code_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    VERIFIER.contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    // [native RFC 7636 §4.1]: A verifier has 43 to 128 unreserved characters
    #[test]
    fn verifier_needs_43_to_128_unreserved_characters() {
        assert!(is_code_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(is_code_verifier(&"~".repeat(128)));
        for bad in ["", &"a".repeat(42), &"a".repeat(129), &"+".repeat(43), &"ä".repeat(43)] {
            assert!(!is_code_verifier(bad), "{bad}");
        }
    }

    // [native RFC 7636 §4.2, §4.6]: `S256` alone; the verifier matches the challenge, and is refused without
    //   one
    // [native RFC 7636 §4.2]: `S256` is implemented; `plain` is refused, as RFC 9700 §2.1.1 advises
    #[test]
    fn a_challenge_is_43_characters() {
        assert!(CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").is_some());
        for bad in
            ["", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="]
        {
            assert!(CodeChallenge::parse(bad).is_none(), "{bad}");
        }
    }
}
