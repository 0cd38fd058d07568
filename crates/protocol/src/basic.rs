//! HTTP Basic credentials of a client (RFC 6749 §2.3.1, RFC 7617 §2).

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use values::Secret;
use zeroize::Zeroizing;

use crate::{steps, urlencoded};

/// Padding is optional, because some clients leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A client identifier and a secret. Nobody has verified them yet.
#[derive(Debug)]
pub struct IdAndSecret {
    /// Empty if the client sends an API key alone.
    pub client_id: String,
    pub secret: Secret,
}

/// The possible readings of a Basic header, most likely first. Empty if the header is malformed.
///
/// "The client identifier is encoded using the `application/x-www-form-urlencoded` encoding
/// algorithm […] and the encoded value is used as the username; the client password is encoded
/// using the same algorithm" (RFC 6749 §2.3.1). Many clients do not encode, so the pair as the
/// client sent it is the second reading if it differs.
pub(crate) fn readings(credentials: &[u8]) -> Vec<IdAndSecret> {
    steps::note(credentials.len());
    // Reserves enough capacity, so that the buffer never moves and leaves a copy behind. After an
    // error the decoded part is wiped, too.
    let mut bytes = Zeroizing::new(Vec::with_capacity(credentials.len() + 3));
    if BASE64.decode_vec(credentials, &mut bytes).is_err() {
        return Vec::new();
    }
    let Some((id, secret)) = std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once(':')) else {
        return Vec::new();
    };
    let mut readings = Vec::with_capacity(2);
    if let (Some(id), Some(secret)) = (form_decode(id), form_decode(secret)) {
        readings.push(IdAndSecret { client_id: id.into_owned(), secret: Secret::new(secret.into_owned()) });
    }
    if readings.first().is_none_or(|decoded| decoded.client_id != id || decoded.secret.expose() != secret) {
        readings.push(IdAndSecret { client_id: id.to_owned(), secret: Secret::new(secret.to_owned()) });
    }
    readings
}

/// Stricter than a form body: a `%` without two digits means that the client did not encode.
fn form_decode(text: &str) -> Option<Cow<'_, str>> {
    steps::note(text.len());
    if urlencoded::find(text.as_bytes(), urlencoded::is_encoded).is_none() {
        return Some(text.into());
    }
    let stray = text.match_indices('%').any(|(at, _)| {
        !text.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if stray {
        return None;
    }
    urlencoded::decode(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::urlencoded::tests::encode;

    fn check(pair: &str, expected: &[(&str, &str)]) {
        let readings = readings(BASE64.encode(pair).as_bytes());
        let pairs: Vec<_> =
            readings.iter().map(|reading| (reading.client_id.as_str(), reading.secret.expose())).collect();
        assert_eq!(pairs, expected, "{pair}");
    }

    #[test]
    fn unencoded_pair_has_one_reading() {
        check("s6BhdRkqt3:gX1fBat3bV", &[("s6BhdRkqt3", "gX1fBat3bV")]);
        check("id:a:b", &[("id", "a:b")]);
    }

    // [oauth RFC 6749 §2.3.1 b]: Both halves of the Basic pair are form-decoded
    #[test]
    fn encoded_pair_has_decoded_and_literal_readings() {
        check("a%3Ab:c%20d", &[("a:b", "c d"), ("a%3Ab", "c%20d")]);
        check("id:a+b", &[("id", "a b"), ("id", "a+b")]);
    }

    // [oauth RFC 6749 §2.3.1 c]: Only the decoded pair counts. Here the pair as sent is a second reading
    //   where it differs, because many clients do not encode; both readings are one attempt and cost the same
    //   | departs
    #[test]
    fn undecodable_pair_is_read_as_sent() {
        check("id:100%", &[("id", "100%")]);
        check("id:%ff", &[("id", "%ff")]);
        check("id:%2", &[("id", "%2")]);
    }

    #[test]
    fn malformed_headers_have_no_reading() {
        for bad in ["", "!!!", "aWQ", "/////w=="] {
            assert!(readings(bad.as_bytes()).is_empty(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn decoded_pair_is_the_first_reading(id in ".{0,20}", secret in ".{0,40}") {
            let pair = format!("{}:{}", encode(&id), encode(&secret));
            let readings = readings(BASE64.encode(pair).as_bytes());
            prop_assert_eq!(&readings[0].client_id, &id);
            prop_assert_eq!(readings[0].secret.expose(), secret);
        }

        #[test]
        fn any_bytes_have_at_most_two_readings(
            pair in proptest::collection::vec(any::<u8>(), 0..60),
            is_encoded in any::<bool>(),
        ) {
            let sent = if is_encoded { BASE64.encode(&pair).into_bytes() } else { pair };
            prop_assert!(readings(&sent).len() <= 2);
        }
    }
}
