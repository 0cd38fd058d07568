//! Decodes `application/x-www-form-urlencoded` (RFC 6749 appendix B) without leaving copies of
//! secrets in memory.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use zeroize::Zeroize as _;

use crate::steps;

/// Copies the text only if it contains an escape or a `+`. A `%` without two hexadecimal digits
/// stays unchanged. `None` if the bytes are not UTF-8: replacement characters could turn one secret
/// into another.
pub(crate) fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    steps::note(text.len());
    if find(text, is_encoded).is_none() {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    // Decoded text is never longer, so the buffer never moves.
    let mut decoded = Vec::with_capacity(text.len());
    for (before, word) in text.split(|byte| *byte == b'+').enumerate() {
        if before > 0 {
            decoded.push(b' ');
        }
        decoded.extend(percent_decode(word));
    }
    String::from_utf8(decoded).map_err(|error| error.into_bytes().zeroize()).ok().map(Cow::Owned)
}

/// Whether decoding changes this byte.
pub(crate) fn is_encoded(byte: u8) -> bool {
    matches!(byte, b'%' | b'+')
}

/// The position of the first wanted byte. Works on blocks, so that the compiler uses vector
/// instructions. It does not call a search library, because such a library leaves pieces of a
/// secret on the stack of an unoptimized program.
pub(crate) fn find(text: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    const BLOCK: usize = 16;
    let has_one = |block: &[u8]| block.iter().fold(false, |found, byte| found | is_wanted(*byte));
    let before = text.chunks_exact(BLOCK).take_while(|block| !has_one(block)).count() * BLOCK;
    text[before..].iter().position(|byte| is_wanted(*byte)).map(|at| before + at)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Escapes everything except letters and digits.
    pub(crate) fn encode(text: &str) -> String {
        text.bytes()
            .map(|byte| match byte {
                b' ' => "+".to_owned(),
                byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                byte => format!("%{byte:02x}"),
            })
            .collect()
    }

    #[test]
    fn escapes_are_decoded_and_broken_escapes_kept() {
        for (text, decoded) in [
            ("a+b%2Bc%2bd", Some("a b+c+d")),
            ("100%", Some("100%")),
            ("%zz%2", Some("%zz%2")),
            ("%%41", Some("%A")),
            ("%ff", None),
            ("%c3%a9", Some("\u{e9}")),
            ("", Some("")),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), decoded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn find_returns_the_first_match(bytes in proptest::collection::vec(0..60_u8, 0..80)) {
            prop_assert_eq!(find(&bytes, |byte| byte == 7), bytes.iter().position(|byte| *byte == 7));
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let decoded = decode(&bytes);
            prop_assert!(decoded.is_none_or(|text| text.len() <= bytes.len()));
        }
    }
}
