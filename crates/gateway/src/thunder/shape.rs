//! JSON whose members keep their order, because callers compare answers with the documented ones.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

use super::Spelling;

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Members in their order, named with underscores.
    Members(Spelling, Vec<(&'static str, Shape)>),
    /// Items.
    Items(Vec<Shape>),
    /// Anything, its members named with underscores.
    Value(Spelling, Value),
}

impl Shape {
    /// The member `id`, if it has one.
    pub(crate) fn id(&self) -> Option<&str> {
        let Self::Members(_, members) = self else { return None };
        members.iter().find_map(|(name, value)| match value {
            Self::Value(_, Value::String(text)) if *name == "id" => Some(text.as_str()),
            _ => None,
        })
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Value(Spelling::Snake, Value::String(text.into()))
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Members(spelling, members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(&spelling.of(name), value)?;
                }
                map.end()
            }
            Self::Items(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Value(spelling, value) => spelling.spelled(value).serialize(serializer),
        }
    }
}
