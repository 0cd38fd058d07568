//! Distinguished names: parsing text (RFC 4514), and comparing with the name in a certificate (RFC 5280
//! §7.1).

use x509_cert::der::asn1::{Any, AnyRef, Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Decode as _, Encode as _, Tag, Tagged as _};
use x509_cert::name::Name;

/// The names of attribute types: those of RFC 4514 §3, and those that are common in client certificates.
pub(crate) const TYPES: [(&str, &str); 19] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("serialNumber", "2.5.4.5"),
    ("SN", "2.5.4.4"),
    ("givenName", "2.5.4.42"),
    ("title", "2.5.4.12"),
    ("postalCode", "2.5.4.17"),
    ("businessCategory", "2.5.4.15"),
    ("organizationIdentifier", "2.5.4.97"),
    ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3"),
    ("dnQualifier", "2.5.4.46"),
];

/// A distinguished name with its original text.
#[derive(Clone, PartialEq, Eq, derive_more::Debug)]
#[debug("DistinguishedName({text})")]
pub struct DistinguishedName {
    text: String,
    /// The relative names in the order of a certificate, which is the reverse order of the text.
    names: Vec<RelativeName>,
}

/// The attributes of a relative distinguished name, sorted.
type RelativeName = Vec<Attribute>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    attribute_type: ObjectIdentifier,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// Text, normalized for comparison.
    Text(String),
    /// Any other value, in DER.
    Der(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("it is empty")]
    Empty,
    /// An attribute without `=`.
    #[error("an attribute has no `=`; each attribute is a type and a value, such as CN=client")]
    NoType,
    #[error("`{0}` is not a known attribute type; use its object identifier, such as 2.5.4.3")]
    UnknownType(String),
    #[error("an attribute has no value")]
    NoValue,
    /// A character that must be escaped.
    #[error("`{0}` must be escaped with a backslash")]
    Unescaped(char),
    /// A backslash that is not followed by a special character or two hexadecimal digits.
    #[error("a backslash precedes a character that needs no escape (RFC 4514 §3)")]
    Escape,
    /// Escaped bytes that are not UTF-8, or a control character.
    #[error("a value contains bytes that are not text")]
    NoText,
    /// The value after `#` is not hexadecimal BER.
    #[error("a value after `#` is not DER in hexadecimal digits")]
    NoDer,
}

impl DistinguishedName {
    /// Parses text in the format of RFC 4514. Also accepts spaces around separators, which people often write
    /// (RFC 4514 §2.4 allows other forms).
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.trim().is_empty() {
            return Err(InvalidName::Empty);
        }
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let mut name = Vec::new();
            let end = loop {
                let (attribute, end) = attribute(&mut rest)?;
                name.push(attribute);
                if end != Some('+') {
                    break end;
                }
            };
            name.sort();
            names.push(name);
            if end.is_none() {
                break;
            }
        }
        names.reverse();
        Ok(Self { text: text.to_owned(), names })
    }

    /// The original text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a certificate's subject is this name: the same attributes in the same order. Within a relative
    /// name the order does not matter.
    pub(crate) fn is(&self, subject: &Name) -> bool {
        let names = subject.iter_rdn().map(|name| {
            let mut name: RelativeName = name
                .iter()
                .map(|attribute| Attribute {
                    attribute_type: attribute.oid,
                    value: Value::from_der(attribute.value.to_ref()),
                })
                .collect();
            name.sort();
            name
        });
        names.eq(self.names.iter().cloned())
    }
}

impl Value {
    /// Values of the three common text types are compared as text, all others byte by byte (RFC 5280 §7.1).
    fn from_der(value: AnyRef<'_>) -> Self {
        match text_of(value) {
            Some(text) => Self::Text(prepared(&text)),
            None => Self::Der(value.to_der().unwrap_or_default()),
        }
    }
}

/// The text of a value of one of the three common text types.
pub(crate) fn text_of(value: AnyRef<'_>) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        Tag::PrintableString => {
            value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str().to_owned())
        }
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        _ => None,
    }
}

/// Removes differences that do not matter: the case of letters, and leading, trailing and repeated spaces.
/// Other differences of RFC 4518, such as composed and decomposed letters, do matter.
fn prepared(text: &str) -> String {
    let words: Vec<&str> = text.split(char::is_whitespace).filter(|word| !word.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// Parses the first attribute and the separator after it: `+`, `,` or the end of the text.
fn attribute(rest: &mut &str) -> Result<(Attribute, Option<char>), InvalidName> {
    let (name, after) = rest.split_once('=').ok_or(InvalidName::NoType)?;
    let attribute_type = attribute_type(name.trim())?;
    let value = after.trim_start_matches(' ');
    let (value, end, after) = match value.strip_prefix('#') {
        Some(digits) => {
            let length = digits.find(['+', ',']).unwrap_or(digits.len());
            let (digits, after) = digits.split_at(length);
            (der(digits.trim_end())?, after.chars().next(), after)
        }
        None => string(value)?,
    };
    *rest = after.get(1..).unwrap_or_default();
    Ok((Attribute { attribute_type, value }, end))
}

fn attribute_type(name: &str) -> Result<ObjectIdentifier, InvalidName> {
    let known = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| *number);
    let is_number = name.starts_with(|first: char| first.is_ascii_digit());
    let number = known.or(is_number.then_some(name));
    let number = number.and_then(|number| ObjectIdentifier::new(number).ok());
    number.ok_or_else(|| InvalidName::UnknownType(values::cropped(name)))
}

/// Parses a value after `#` (RFC 4514 §2.4).
fn der(digits: &str) -> Result<Value, InvalidName> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect();
    let bytes = bytes.filter(|bytes| odd.is_empty() && !bytes.is_empty()).ok_or(InvalidName::NoDer)?;
    let value = Any::from_der(&bytes).map_err(|_| InvalidName::NoDer)?;
    Ok(Value::from_der(value.to_ref()))
}

/// Parses a value with escapes (RFC 4514 §2.4). Returns the value, the separator after it, and the rest of
/// the text.
fn string(text: &str) -> Result<(Value, Option<char>, &str), InvalidName> {
    let mut bytes = Vec::new();
    let mut characters = text.char_indices();
    let (end, after) = loop {
        let Some((index, character)) = characters.next() else { break (None, "") };
        match character {
            '+' | ',' => break (Some(character), &text[index..]),
            '"' | ';' | '<' | '>' | '\0' => return Err(InvalidName::Unescaped(character)),
            '\\' => bytes.push(escaped(&mut characters)?),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    };
    let value = String::from_utf8(bytes).map_err(|_| InvalidName::NoText)?;
    if value.chars().any(char::is_control) {
        return Err(InvalidName::NoText);
    }
    let value = prepared(&value);
    if value.is_empty() {
        return Err(InvalidName::NoValue);
    }
    Ok((Value::Text(value), end, after))
}

/// Parses the characters after a backslash.
fn escaped(characters: &mut std::str::CharIndices<'_>) -> Result<u8, InvalidName> {
    let (_, first) = characters.next().ok_or(InvalidName::Escape)?;
    if matches!(first, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
        return u8::try_from(first).map_err(|_| InvalidName::Escape);
    }
    let high = first.to_digit(16).ok_or(InvalidName::Escape)?;
    let low = characters.next().and_then(|(_, second)| second.to_digit(16)).ok_or(InvalidName::Escape)?;
    u8::try_from(high * 16 + low).map_err(|_| InvalidName::Escape)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use proptest::prelude::*;

    use super::*;

    /// The library's own parser, for texts without difficult escapes.
    fn certificate_name(text: &str) -> Name {
        Name::from_str(text).unwrap()
    }

    fn is(written: &str, of_certificate: &str) -> bool {
        DistinguishedName::parse(written).unwrap().is(&certificate_name(of_certificate))
    }

    // [mutual-tls RFC 5280 §7.1]: Distinguished names are compared by their attributes, without regard to
    //   case and repeated blanks. Other equivalences of RFC 4518, such as composed and decomposed letters,
    //   count as differences | departs
    #[test]
    fn names_are_compared_by_their_attributes() {
        let subject = "CN=client,OU=Machines,O=Example Ltd,C=DE";
        for written in [
            subject,
            "CN = client, OU = Machines, O = Example Ltd, C = DE",
            "cn=CLIENT,ou=machines,o=example   ltd,c=de",
            "CN= client ,OU=Machines,O=Example Ltd\\ ,C=DE",
            "2.5.4.3=client,OU=Machines,O=Example Ltd,C=DE",
            "CN=\\63lient,OU=Machines,O=Example Ltd,C=DE",
            "CN=#0c06636c69656e74,OU=Machines,O=Example Ltd,C=DE",
            "CN=#1306636c69656e74,OU=Machines,O=Example Ltd,C=DE",
        ] {
            assert!(is(written, subject), "{written}");
        }
        for written in [
            "C=DE,O=Example Ltd,OU=Machines,CN=client",
            "CN=client,OU=Machines,O=Example Ltd",
            "OU=Machines,O=Example Ltd,C=DE",
            "CN=client,OU=Machines,O=ExampleLtd,C=DE",
            "CN=client,OU=Machines+O=Example Ltd,C=DE",
            "CN=client2,OU=Machines,O=Example Ltd,C=DE",
            "CN=client,CN=client,OU=Machines,O=Example Ltd,C=DE",
            "CN=client\\,OU\\=Machines,O=Example Ltd,C=DE",
            "CN=client,OU=Machines,O=Example Ltd,C=DE,C=DE",
            "UID=client,OU=Machines,O=Example Ltd,C=DE",
            "CN=#04066c69656e7420,OU=Machines,O=Example Ltd,C=DE",
        ] {
            assert!(!is(written, subject), "{written}");
        }
        assert!(is("OU=Sales+CN=J. Smith,DC=example,DC=net", "CN=J. Smith+OU=Sales,DC=example,DC=net"));
        assert!(is(r"CN=\22Jim\22 Smith\, III,O=\C3\84pfel", r#"CN=\"Jim\" Smith\, III,O=äpfel"#));
        assert!(is(r"O=a\\\, b,CN=\#1", r"O=a\5C\, b,CN=\#1"));
    }

    // [mutual-tls RFC 4514 §2, §3]: Texts of names are read by their grammar
    #[test]
    fn invalid_name_is_refused_with_reason() {
        use InvalidName as E;
        let unknown = |name: &str| E::UnknownType(name.to_owned());
        for (text, expected) in [
            ("", E::Empty),
            ("  ", E::Empty),
            ("client", E::NoType),
            ("CN=a,", E::NoType),
            (",CN=a", unknown(",CN")),
            ("CN=a,,O=b", unknown(",O")),
            ("CN=a+", E::NoType),
            ("CN=a, ", E::NoType),
            ("=a", unknown("")),
            ("CN =", E::NoValue),
            ("CN=", E::NoValue),
            ("CN=,O=b", E::NoValue),
            ("CN=\\ ", E::NoValue),
            ("XY=a", unknown("XY")),
            ("CN.1=a", unknown("CN.1")),
            ("1=a", unknown("1")),
            ("2.5.4.=a", unknown("2.5.4.")),
            ("9.9.9=a", unknown("9.9.9")),
            ("OID.2.5.4.3=a", unknown("OID.2.5.4.3")),
            ("CN=a;O=b", E::Unescaped(';')),
            ("CN=\"a\"", E::Unescaped('"')),
            ("CN=<a>", E::Unescaped('<')),
            ("CN=a>", E::Unescaped('>')),
            ("CN=a\0b", E::Unescaped('\0')),
            ("CN=a\\", E::Escape),
            ("CN=a\\g", E::Escape),
            ("CN=a\\4", E::Escape),
            ("CN=a\\4g", E::Escape),
            ("CN=\\ff", E::NoText),
            ("CN=\\C3", E::NoText),
            ("CN=a\\00b", E::NoText),
            ("CN=a\nb", E::NoText),
            ("CN=#", E::NoDer),
            ("CN=#0", E::NoDer),
            ("CN=#0c", E::NoDer),
            ("CN=#0c0161ff", E::NoDer),
            ("CN=#0c0261", E::NoDer),
            ("CN=#xx", E::NoDer),
            ("CN=#é", E::NoDer),
        ] {
            assert_eq!(DistinguishedName::parse(text).unwrap_err(), expected, "{text:?}");
        }
    }

    fn escape(value: &str) -> String {
        value.bytes().map(|byte| format!("\\{byte:02X}")).collect()
    }

    proptest! {
        // [mutual-tls RFC 4514 §2, §3]
        #[test]
        fn parsing_never_panics(text in "\\PC*|[CNO=,+#\\\\ 0-9a-f\"]*") {
            let _ = DistinguishedName::parse(&text);
        }

        // [mutual-tls RFC 5280 §7.1]
        /// A value in a certificate matches its own text and no other text.
        #[test]
        fn every_value_matches_only_itself(values in proptest::collection::vec("[^\\p{C}\\s][^\\p{C}]{0,8}", 1..4)) {
            let text: Vec<_> = values.iter().map(|value| format!("CN={}", escape(value))).collect();
            let read = DistinguishedName::parse(&text.join(",")).unwrap();
            let subject = values.iter().rev().map(|value| {
                let any = Any::new(Tag::Utf8String, value.as_bytes()).unwrap();
                let attribute_type = ObjectIdentifier::new("2.5.4.3").unwrap();
                let attribute = x509_cert::attr::AttributeTypeAndValue { oid: attribute_type, value: any };
                x509_cert::name::RelativeDistinguishedName::try_from(vec![attribute]).unwrap()
            });
            let subject = x509_cert::name::RdnSequence::from(subject.collect::<Vec<_>>());
            let subject = Name::from_der(&subject.to_der().unwrap()).unwrap();
            prop_assert!(read.is(&subject));
            let other = DistinguishedName::parse(&format!("{},O=x", text.join(","))).unwrap();
            prop_assert!(!other.is(&subject));
        }
    }
}
