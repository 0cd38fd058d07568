//! A JSON object with unique names, parsed once and borrowed from the text where the text has no escapes.
//!
//! "The Header Parameter names within the JOSE Header MUST be unique" (RFC 7515 §4), and so must claim names
//! (RFC 7519 §4). Otherwise a parser that takes the first of two and one that takes the last would read two
//! different tokens.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::TokenError;

/// The search for a repeated name is linear; a token of 16 KiB could make it slow.
pub const MOST_MEMBERS: usize = 100;

/// The members in their order.
#[derive(Debug)]
pub struct Members<'a>(Vec<(Name<'a>, Member<'a>)>);

/// A value, as far as the checks of a token read it.
#[derive(Debug)]
pub enum Member<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// An array of strings.
    Texts(Vec<Cow<'a, str>>),
    /// A whole number.
    Number(u64),
    /// Any other value.
    Other,
}

/// A name. Serde borrows a `Cow` in a field of a structure only.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    /// Parses an object; any other value, or an object with a repeated name, is malformed.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn parse(json: &'a str) -> Result<Self, TokenError> {
        Self::read(json).map_err(|_| TokenError::Malformed)
    }

    /// Parses an object. An error has its place.
    ///
    /// # Errors
    /// The errors of the parser.
    pub fn read(json: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().find(|(member, _)| member.0 == name).map(|(_, value)| value)
    }

    /// The member with this name as a string, if it exists.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for a member of another type.
    pub fn text(&self, name: &str) -> Result<Option<&str>, TokenError> {
        match self.get(name) {
            None => Ok(None),
            Some(Member::Text(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Malformed),
        }
    }

    /// The required member with this name as a string.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn required(&self, name: &str) -> Result<&str, TokenError> {
        self.text(name)?.ok_or(TokenError::Malformed)
    }

    /// The names in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.0.as_ref())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with unique names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(Name<'de>, Member<'de>)> = Vec::with_capacity(12);
                while let Some((name, value)) = map.next_entry::<Name<'de>, Member<'de>>()? {
                    if members.len() == MOST_MEMBERS {
                        return Err(A::Error::custom(format_args!("more than {MOST_MEMBERS} members")));
                    }
                    if members.iter().any(|(member, _)| member.0 == name.0) {
                        return Err(A::Error::custom(format_args!("`{}` is there twice", cropped(&name.0))));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Member<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Member::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Member::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Member::Number(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut texts = Some(Vec::new());
                while let Some(item) = items.next_element::<Member<'de>>()? {
                    match (item, &mut texts) {
                        (Member::Text(text), Some(texts)) => texts.push(text),
                        _ => texts = None,
                    }
                }
                Ok(texts.map_or(Member::Other, Member::Texts))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

/// A name as a message quotes it: short, whatever was sent.
fn cropped(name: &str) -> String {
    const LONGEST: usize = 80;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
