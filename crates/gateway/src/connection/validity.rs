//! The validity of a certificate (RFC 5280 §4.1.2.5), read from its DER.

use protocol::Validity;
use values::Timestamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `None` if the bytes are not a certificate.
pub(super) fn validity_of(certificate: &[u8]) -> Option<Validity> {
    let (certificate, _) = expect(SEQUENCE, certificate)?;
    let (to_be_signed, _) = expect(SEQUENCE, certificate)?;
    // A certificate of version 1 has no version field.
    let rest = expect(VERSION, to_be_signed).map_or(to_be_signed, |(_, rest)| rest);
    let (_, rest) = expect(INTEGER, rest)?;
    let (_, rest) = expect(SEQUENCE, rest)?;
    let (_, rest) = expect(SEQUENCE, rest)?;
    let (validity, _) = expect(SEQUENCE, rest)?;
    let (kind, from, rest) = element(validity)?;
    let not_before = time(kind, from)?;
    let (kind, until, _) = element(rest)?;
    Some(Validity { not_before, not_after: time(kind, until)? })
}

/// Returns the content of an element of this type, and the bytes after it.
fn expect(expected: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, content, rest) = element(bytes)?;
    (kind == expected).then_some((content, rest))
}

/// Returns the type and the content of the first element, and the bytes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((kind, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`. A year before 1970 becomes 1970.
fn time(kind: u8, text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (century, text) = match (kind, text.len()) {
        (UTC_TIME, 12) => (if text < "50" { "20" } else { "19" }, text),
        (GENERALIZED_TIME, 14) => text.split_at_checked(2)?,
        _ => return None,
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |index: usize| &text[2 * index..2 * index + 2];
    let (year, month, day) = (format!("{century}{}", part(0)), part(1), part(2));
    if year.as_str() < "1970" {
        return Some(Timestamp::from_seconds(0));
    }
    Timestamp::parse_rfc3339(&format!("{year}-{month}-{day}T{}:{}:{}Z", part(3), part(4), part(5)))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn certificate_times_are_read_in_both_encodings() {
        // Years from 2050 on are encoded as GeneralizedTime.
        for (from, until) in [(2020, 2049), (1999, 2031), (2050, 2150)] {
            let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
            (parameters.not_before, parameters.not_after) =
                (date_time_ymd(from, 2, 28), date_time_ymd(until, 12, 31));
            let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let validity = validity_of(certificate.der()).unwrap();
            assert_eq!(validity.not_before, instant(&format!("{from}-02-28T00:00:00Z")));
            assert_eq!(validity.not_after, instant(&format!("{until}-12-31T00:00:00Z")));
        }
    }

    #[test]
    fn invalid_certificate_has_no_validity() {
        let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
        for length in 0..certificate.der().len().min(64) {
            assert_eq!(validity_of(&certificate.der()[..length]), None, "{length}");
        }
        assert_eq!(validity_of(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(time(UTC_TIME, b"99990101000000Z"), None);
        assert_eq!(time(UTC_TIME, "2\u{e9}0101000000Z".as_bytes()), None);
    }
}
