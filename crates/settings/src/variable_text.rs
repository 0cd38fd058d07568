//! Reads the text of an environment variable as the type of its setting. The type alone decides what the text
//! means: a list has commas between its items, an object is JSON, and everything else is the text itself. No
//! message repeats the text.

use std::fmt;

use administration::documents::suggested;
use config::{Value, ValueKind};
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::diagnostic::{ExplainedError, is_hint};

const SEE: &str = "see the key in docs/configuration.md";

/// Reads the text of one variable, or the texts of all variables of one object.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, ExplainedError> {
    T::deserialize(Text { value, is_json: false }).map_err(|TextFault(explanation)| explanation)
}

/// A text, or lists and tables of texts. Texts inside JSON are not split or parsed again.
struct Text {
    value: Value,
    is_json: bool,
}

/// Why a text cannot be read.
#[derive(Debug)]
struct TextFault(ExplainedError);

impl Text {
    fn with(&self, value: Value) -> Self {
        Self { value, is_json: self.is_json }
    }

    /// Parses or splits a text where a list is expected.
    fn into_list(self) -> Result<Self, TextFault> {
        match &self.value.kind {
            ValueKind::String(text) if text.trim_start().starts_with('[') && !self.is_json => json(text),
            ValueKind::String(text) if !self.is_json => {
                let items: Vec<&str> = text.split(',').map(str::trim).collect();
                if items.contains(&"") {
                    let hint = "separate two items with one comma, or write `[]` for an empty list";
                    return Err(TextFault(ExplainedError::new("an item of the list is empty", hint)));
                }
                Ok(self.with(Value::from(items)))
            }
            _ => Ok(self),
        }
    }

    /// Parses a text where an object is expected.
    fn into_object(self) -> Result<Self, TextFault> {
        match &self.value.kind {
            ValueKind::String(text) if !self.is_json => json(text),
            _ => Ok(self),
        }
    }

    fn unfit() -> TextFault {
        TextFault(ExplainedError::new("the value has the wrong form", SEE))
    }
}

fn json(text: &str) -> Result<Text, TextFault> {
    let Json(value) = serde_json::from_str(text).map_err(|error| {
        let problem = match error.is_data() {
            true => "the JSON contains a member twice".to_owned(),
            false => {
                format!("the value must be JSON, but it is not valid JSON from column {} on", error.column())
            }
        };
        TextFault(ExplainedError::new(problem, "write JSON, such as [{\"address\": \"127.0.0.1:3000\"}]"))
    })?;
    Ok(Text { value, is_json: true })
}

macro_rules! parsed {
    ($($method:ident $visit:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextFault> {
            match &self.value.kind {
                ValueKind::String(text) => visitor.$visit(text.parse().map_err(|_| Self::unfit())?),
                _ => Err(Self::unfit()),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Text {
    type Error = TextFault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextFault> {
        let is_json = self.is_json;
        let text = move |value| Self { value, is_json };
        match self.value.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::String(text) => visitor.visit_string(text),
            ValueKind::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(text))),
            ValueKind::Table(members) => {
                let mut members: Vec<_> = members.into_iter().collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                let members = members.into_iter().map(|(name, value)| (name, text(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
            _ => Err(Self::unfit()),
        }
    }

    parsed! {
        deserialize_bool visit_bool
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextFault> {
        match self.value.kind {
            ValueKind::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextFault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextFault> {
        self.into_list()?.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextFault> {
        self.into_object()?.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextFault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextFault> {
        match self.value.kind {
            ValueKind::String(text) if self.is_json || !text.trim_start().starts_with('{') => {
                visitor.visit_enum(StringDeserializer::new(text))
            }
            _ => {
                let object = self.into_object()?;
                let is_json = object.is_json;
                let ValueKind::Table(members) = object.value.kind else { return Err(Self::unfit()) };
                let members = members.into_iter().map(|(name, value)| (name, Self { value, is_json }));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(members)))
            }
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

impl IntoDeserializer<'_, TextFault> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl std::error::Error for TextFault {}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.problem)
    }
}

/// The messages of serde repeat values, so only names from the types stay.
impl de::Error for TextFault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        // The messages of our types have a hint. They repeat a value only in quotes, so that the caller can
        // remove it if it may be a secret.
        match message.to_string().rsplit_once("; ") {
            Some((problem, hint)) if is_hint(hint) => Self(ExplainedError::new(problem, hint)),
            _ => Text::unfit(),
        }
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Text::unfit()
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Text::unfit()
    }

    fn missing_field(field: &'static str) -> Self {
        Self(ExplainedError::new(format!("`{field}` is missing"), format!("also set `{field}`")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self(ExplainedError::new(
            "the JSON contains an unknown key",
            meant(field, expected, "the valid keys are"),
        ))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let problem = "this value is not allowed";
        Self(ExplainedError::new(problem, meant(variant, expected, "use one of")))
    }
}

fn meant(given: &str, expected: &'static [&'static str], all: &str) -> String {
    match suggested(given, expected.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("{all} {}", expected.join(", ")),
    }
}

/// JSON whose numbers stay text, so that the type of a setting reads every scalar.
struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json(Value::from(ValueKind::Nil)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json(Value::from(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json(Value::from(value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json(Value::from(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json(Value::from(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json(Value::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut found = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            found.push(item);
        }
        Ok(Json(Value::from(found)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut found = config::Map::new();
        while let Some((name, Json(value))) = members.next_entry::<String, _>()? {
            if found.insert(name, value).is_some() {
                return Err(de::Error::custom("a member is given twice"));
            }
        }
        Ok(Json(Value::from(found)))
    }
}
