//! Writes a field of a log line without allocating memory.

use std::fmt::{self, Write};

/// At most `N` bytes of printable ASCII. Longer text is cut off.
pub(super) struct ShortText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

/// Longer user agents are cut off.
pub(super) const USER_AGENT_BYTES: usize = 128;

impl<const N: usize> ShortText<N> {
    pub(super) fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// Text of a caller. Replaces each byte by `?` that would need an escape or could control a
    /// terminal.
    pub(super) fn cleaned(sent: &[u8]) -> Self {
        let mut text = Self::new();
        for byte in sent.iter().take(N) {
            let is_plain = matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            text.push(if is_plain { *byte } else { b'?' });
        }
        text
    }

    /// `-` if the text is empty.
    pub(super) fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).filter(|written| !written.is_empty());
        written.and_then(|written| std::str::from_utf8(written).ok()).unwrap_or("-")
    }

    fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.length) {
            *free = byte;
            self.length += 1;
        }
    }
}

impl<const N: usize> Write for ShortText<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_text_is_truncated_and_cleaned() {
        for (sent, expected) in [
            (&b"curl/8.5.0"[..], "curl/8.5.0"),
            (b"", "-"),
            (b"a\"b\\c", "a?b?c"),
            (b"a\x1b[31m\r\nb\t\xc3\xa9\x7f", "a?[31m??b????"),
            (&[b'x'; 300], &"x".repeat(USER_AGENT_BYTES)),
        ] {
            assert_eq!(ShortText::<USER_AGENT_BYTES>::cleaned(sent).as_str(), expected);
        }
    }
}
