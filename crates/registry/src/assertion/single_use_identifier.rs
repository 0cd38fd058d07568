//! Identifiers for single use: "the `jti` claim … to ensure that the JWT is not replayed" (RFC 7523 §3).

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use protocol::Thumbprint;
use values::Timestamp;

use crate::ClientId;

/// An identifier that can be used once until it expires. Only a digest is stored, so all rows have the same
/// size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SingleUseIdentifier {
    /// SHA-256 of the kind of identifier and its parts.
    pub digest: [u8; SHA256_OUTPUT_LEN],
    /// From this time on, the credential is refused anyway.
    pub expires_at: Timestamp,
}

impl SingleUseIdentifier {
    /// The `jti` of a client's assertion. Two clients may use the same `jti`.
    #[must_use]
    pub fn of_assertion(client: &ClientId, jti: &str, expires_at: Timestamp) -> Self {
        // Client ids contain no control characters.
        Self::new([b"assertion", client.as_str().as_bytes(), jti.as_bytes()], expires_at)
    }

    /// An assertion of another issuer, identified by its signed part, because few platforms set a `jti`.
    #[must_use]
    pub fn of_foreign_assertion(client: &ClientId, signed: &str, expires_at: Timestamp) -> Self {
        Self::new([b"foreign assertion", client.as_str().as_bytes(), signed.as_bytes()], expires_at)
    }

    /// The `jti` of a client's request object. An assertion may have the same `jti`.
    #[must_use]
    pub fn of_request_object(client: &ClientId, jti: &str, expires_at: Timestamp) -> Self {
        Self::new([b"request object", client.as_str().as_bytes(), jti.as_bytes()], expires_at)
    }

    /// A request object as used by one browser. `browser` is the cookie value that binds forms to the
    /// browser.
    #[must_use]
    pub fn of_begun_request(client: &ClientId, browser: &str, jti: &str, expires_at: Timestamp) -> Self {
        // Cookie values contain no control characters.
        let parts = [client.as_str(), browser, jti].map(str::as_bytes);
        Self::new([b"begun request", parts[0], parts[1], parts[2]], expires_at)
    }

    /// The `jti` of a DPoP proof, for this key and URI (RFC 9449 §11.1).
    #[must_use]
    pub fn of_dpop_proof(key: &Thumbprint, uri: &str, jti: &str, expires_at: Timestamp) -> Self {
        // Thumbprints and normalized URIs contain no control characters.
        Self::new([b"dpop", key.to_string().as_bytes(), uri.as_bytes(), jti.as_bytes()], expires_at)
    }

    /// Parts are separated by NUL, so only the last part may contain a NUL.
    fn new<const PARTS: usize>(parts: [&[u8]; PARTS], expires_at: Timestamp) -> Self {
        let mut digest = Context::new(&SHA256);
        for (nth, part) in parts.into_iter().enumerate() {
            if nth > 0 {
                digest.update(b"\0");
            }
            digest.update(part);
        }
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest.finish().as_ref());
        Self { digest: bytes, expires_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [dpop RFC 9449 §11.1]
    #[test]
    fn identifiers_of_different_clients_and_kinds_differ() {
        let id = |client: &str, jti: &str| {
            let client = ClientId::parse(client).unwrap();
            SingleUseIdentifier::of_assertion(&client, jti, Timestamp::from_seconds(60)).digest
        };
        assert_eq!(id("a", "b"), id("a", "b"));
        let proof = |key: u8, uri: &str, jti: &str| {
            let key = Thumbprint::new([key; 32]);
            SingleUseIdentifier::of_dpop_proof(&key, uri, jti, Timestamp::from_seconds(60)).digest
        };
        assert_eq!(proof(1, "u", "b"), proof(1, "u", "b"));
        let proofs = [(1, "u", "b"), (2, "u", "b"), (1, "v", "b"), (1, "u", "c"), (1, "ub", "")];
        let proofs = proofs.map(|(key, uri, jti)| proof(key, uri, jti));
        let assertions = [id("a", "b"), id("a", "c"), id("b", "b"), id("ab", ""), id("a", "\0b")];
        let web = ClientId::parse("a").unwrap();
        let objects = ["b", "c"]
            .map(|jti| SingleUseIdentifier::of_request_object(&web, jti, Timestamp::from_seconds(60)).digest);
        let begun = [("x", "b"), ("y", "b"), ("x", "c")].map(|(browser, jti)| {
            SingleUseIdentifier::of_begun_request(&web, browser, jti, Timestamp::from_seconds(60)).digest
        });
        let different = [&proofs[..], &assertions, &objects, &begun].concat();
        for (nth, digest) in different.iter().enumerate() {
            assert!(different[..nth].iter().all(|other| other != digest), "{nth}");
        }
    }
}
