//! Single use of an identifier: "the `jti` claim … to ensure that the JWT is not replayed" (RFC 7523 §3).

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use protocol::Timestamp;

use crate::ClientId;

/// An identifier that may be used once until it expires. It is kept as a digest, so that a row has the same size for each identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SingleUseIdentifier {
    /// SHA-256 of what the identifier is for and of its parts.
    pub digest: [u8; SHA256_OUTPUT_LEN],
    /// From when on what it identifies is refused anyway.
    pub expires_at: Timestamp,
}

impl SingleUseIdentifier {
    /// The `jti` of a client's assertion. Two clients may use equal ones.
    #[must_use]
    pub fn of_assertion(client: &ClientId, jti: &str, expires_at: Timestamp) -> Self {
        let mut digest = Context::new(&SHA256);
        digest.update(b"assertion\0");
        // No client id holds a control character.
        digest.update(client.as_str().as_bytes());
        digest.update(b"\0");
        digest.update(jti.as_bytes());
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest.finish().as_ref());
        Self { digest: bytes, expires_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_two_clients_differ() {
        let id = |client: &str, jti: &str| {
            let client = ClientId::parse(client).unwrap();
            SingleUseIdentifier::of_assertion(&client, jti, Timestamp::from_seconds(60)).digest
        };
        assert_eq!(id("a", "b"), id("a", "b"));
        let different = [id("a", "b"), id("a", "c"), id("b", "b"), id("ab", ""), id("a", "\0b")];
        for (nth, digest) in different.iter().enumerate() {
            assert!(different[..nth].iter().all(|other| other != digest), "{nth}");
        }
    }
}
