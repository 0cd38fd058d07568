//! Converts the distinguished name of a certificate to text (RFC 4514 §2), in the format of a registration.

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::Encode as _;
use x509_cert::name::Name;

use crate::certificate::distinguished_name::{TYPES, text_of};

/// The most specific part comes first. [`DistinguishedName::parse`](crate::DistinguishedName::parse) returns
/// the same name for this text.
pub(crate) fn distinguished_name_text(name: &Name) -> String {
    let mut names: Vec<String> =
        name.iter_rdn().map(|name| name.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    names.reverse();
    names.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue) -> String {
    let number = attribute.oid.to_string();
    let known = TYPES.iter().find(|(_, known)| *known == number).map(|(name, _)| *name);
    // Control characters are written as DER, because they could manipulate a terminal.
    let is_readable = |text: &String| !text.trim().is_empty() && !text.chars().any(char::is_control);
    let text = known.and_then(|_| text_of(attribute.value.to_ref())).filter(is_readable);
    // RFC 4514 §2.4: if the type is a number or the value is not text, the value is `#` and the hexadecimal
    // digits of its BER encoding.
    let value = match text {
        Some(text) => escaped(&text),
        None => hexadecimal(&attribute.value.to_der().unwrap_or_default()),
    };
    format!("{}={value}", known.unwrap_or(&number))
}

/// RFC 4514 §2.4: the characters that need a backslash.
fn escaped(text: &str) -> String {
    let last = text.chars().count() - 1;
    let mut shown = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        let is_special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (index == 0 && matches!(character, ' ' | '#'))
            || (index == last && character == ' ');
        if is_special {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("#{digits}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use x509_cert::der::asn1::{Any, ObjectIdentifier};
    use x509_cert::der::{Decode as _, Tag};
    use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

    use super::*;
    use crate::DistinguishedName;

    fn name(parts: &[&[(&str, Tag, &[u8])]]) -> Name {
        let part = |part: &&[(&str, Tag, &[u8])]| {
            let attribute = |(oid, tag, value): &(&str, Tag, &[u8])| AttributeTypeAndValue {
                oid: ObjectIdentifier::new(oid).unwrap(),
                value: Any::new(*tag, *value).unwrap(),
            };
            RelativeDistinguishedName::try_from(part.iter().map(attribute).collect::<Vec<_>>()).unwrap()
        };
        let names = RdnSequence::from(parts.iter().map(part).collect::<Vec<_>>());
        Name::from_der(&names.to_der().unwrap()).unwrap()
    }

    const CN: &str = "2.5.4.3";
    const O: &str = "2.5.4.10";

    #[test]
    fn name_is_written_in_registration_form() {
        use Tag::{BmpString, Ia5String, PrintableString, Utf8String};
        for (parts, expected) in [
            (&[] as &[&[(&str, Tag, &[u8])]], ""),
            (&[&[("2.5.4.6", PrintableString, b"DE")], &[(CN, Utf8String, b"svc")]], "CN=svc,C=DE"),
            (
                &[
                    &[("0.9.2342.19200300.100.1.25", Ia5String, b"net")],
                    &[(CN, Utf8String, b"a, b"), (O, Utf8String, b"c+d")],
                ],
                "O=c\\+d+CN=a\\, b,DC=net",
            ),
            (&[&[(CN, Utf8String, b" #a ")]], "CN=\\ #a\\ "),
            (&[&[(CN, Utf8String, b"#1")]], "CN=\\#1"),
            (&[&[(CN, Utf8String, b"\"<a>\\;=")]], "CN=\\\"\\<a\\>\\\\\\;="),
            (&[&[(CN, Utf8String, "Äpfel".as_bytes())]], "CN=Äpfel"),
            (&[&[(CN, Utf8String, b"a\x1b[2J")]], "CN=#0c05611b5b324a"),
            (&[&[(CN, Utf8String, b"")]], "CN=#0c00"),
            (&[&[(CN, Utf8String, b"  ")]], "CN=#0c022020"),
            (&[&[(CN, BmpString, b"\0a")]], "CN=#1e020061"),
            (&[&[("1.2.3.4", Utf8String, b"a")]], "1.2.3.4=#0c0161"),
        ] {
            let name = name(parts);
            let text = distinguished_name_text(&name);
            assert_eq!(text, expected);
            if !text.is_empty() {
                assert!(DistinguishedName::parse(&text).unwrap().is(&name), "{text}");
            }
        }
    }

    proptest! {
        /// The text of a certificate's subject can be registered, and the registration matches that
        /// certificate.
        #[test]
        fn written_name_is_read_back(
            parts in proptest::collection::vec((0..3_usize, 0..5_usize, any::<String>(), any::<bool>()), 1..5),
        ) {
            const TYPES: [&str; 3] = [CN, O, "1.2.3.4"];
            const TAGS: [Tag; 5] =
                [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String, Tag::OctetString, Tag::BmpString];
            let attributes: Vec<_> =
                parts.iter().map(|(oid, tag, text, _)| (TYPES[*oid], TAGS[*tag], text.as_bytes())).collect();
            let single: Vec<_> = attributes.iter().map(std::slice::from_ref).collect();
            let name = name(&single);
            let text = distinguished_name_text(&name);
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert!(DistinguishedName::parse(&text).unwrap().is(&name), "{}", text);
        }
    }
}
