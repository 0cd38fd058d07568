//! The schemas that are not derived.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;
use values::Lifetime;

use super::super::{Instant, ResourceScopes};
use super::{LINE, LONGEST_SCOPE_DESCRIPTION, RATE, Rate, SCOPE, Span, given, texts};

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Lifetime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration: whole seconds, or an integer followed by s, m, h or d: `90s`, \
                `15m`, `1h`, `90d`.",
            "type": ["string", "integer"],
            "minimum": 0,
            "maximum": Lifetime::LONGEST.seconds(),
            "pattern": "^[0-9]+[smhd]?$",
        })
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A rate: a number per s, min or h, such as `10000/min`.",
            "type": "string",
            "pattern": RATE,
        })
    }
}

impl JsonSchema for Instant {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl JsonSchema for ResourceScopes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ResourceScopes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // Answers contain no null.
        let (scopes, text) = if generator.contract().is_serialize() {
            (json!(["array", "object"]), json!("string"))
        } else {
            (json!(["array", "object", "null"]), json!(["string", "null"]))
        };
        json_schema!({
            "type": scopes,
            "items": texts(SCOPE),
            "uniqueItems": true,
            "propertyNames": texts(SCOPE),
            "additionalProperties": { "type": text, "maxLength": LONGEST_SCOPE_DESCRIPTION, "pattern": LINE },
        })
    }
}

/// Exactly one of these keys must be given.
pub fn exactly_one<const N: usize>(schema: &mut Schema, keys: [&str; N]) {
    schema.insert("oneOf".to_owned(), given(keys));
}
