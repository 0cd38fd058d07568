//! A tenant's published keys as one document, which is built once (RFC 7517 §5).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use bytes::Bytes;
use serde::Serialize;

use crate::PublicJwk;

#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwkSet {
    pub keys: Vec<PublicJwk>,
    /// The document. Cloning it does not copy the bytes.
    pub json: Bytes,
    /// The strong entity tag, with quotes (RFC 9110 §8.8.3).
    pub etag: Bytes,
}

impl JwkSet {
    #[must_use]
    pub fn new(keys: Vec<PublicJwk>) -> Self {
        #[derive(Serialize)]
        struct JwkSetDocument<'a> {
            keys: &'a [PublicJwk],
        }
        let json: Bytes = serde_json::to_vec(&JwkSetDocument { keys: &keys })
            .expect("a structure of strings is always valid JSON")
            .into();
        let hash = digest(&SHA256, &json);
        let etag = Bytes::from(format!("\"{}\"", BASE64URL.encode(&hash.as_ref()[..16])));
        Self { keys, json, etag }
    }
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;

    use super::*;
    use crate::{KeyId, test_keys};

    // [keys RFC 7517 §5]: A set is an object with an array `keys`
    // [http RFC 9110 §8.8.3]: The entity tag of a key set changes with its keys and only then
    #[test]
    fn etag_changes_only_with_the_keys() {
        let jwk = |number| test_keys::signing_key(KeyId::numbered(number), SigningAlgorithm::ES256).jwk;
        let one = JwkSet::new(vec![jwk(1)]);
        let two = JwkSet::new(vec![jwk(1), jwk(2)]);
        assert_eq!(one, JwkSet::new(vec![jwk(1)]));
        assert_ne!(one.etag, two.etag);
        assert!(one.etag.starts_with(b"\"") && one.etag.ends_with(b"\"") && one.etag.len() == 24);
        let read: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&two.json).unwrap();
        assert_eq!(read.keys.len(), 2);
        assert_eq!(JwkSet::new(Vec::new()).json.as_ref(), br#"{"keys":[]}"#);
    }
}
