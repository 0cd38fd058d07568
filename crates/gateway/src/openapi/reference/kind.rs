//! Describes the type of a value in a few words, from its schema.

use pages::{Said, TextSpan};
use serde_json::Value;

use super::said::{code, said, text};
use super::{items, members, string};

const DEFINITIONS: &str = "#/components/schemas/";

pub(super) fn kind(schema: &Value) -> Said {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix(DEFINITIONS)) {
        return vec![TextSpan::Schema(name.to_owned())];
    }
    let parts = ["anyOf", "oneOf"].into_iter().find_map(|word| schema[word].as_array());
    if let Some(parts) = parts.filter(|_| schema.get("properties").is_none()) {
        return either(parts.iter().map(kind));
    }
    if schema.get("const").is_some() {
        return code(&string(&schema["const"]));
    }
    match &schema["type"] {
        Value::String(name) => of_type(name, schema),
        Value::Array(names) => {
            either(names.iter().map(|name| of_type(name.as_str().unwrap_or_default(), schema)))
        }
        _ if schema.get("enum").is_some() => text("a value"),
        _ => text("any value"),
    }
}

fn of_type(name: &str, schema: &Value) -> Said {
    match name {
        "array" => [text("list of "), kind(&schema["items"])].concat(),
        "object" if schema["additionalProperties"].is_object() => {
            [text("object, each member "), kind(&schema["additionalProperties"])].concat()
        }
        "object" if schema.get("properties").is_some() => {
            let names = members(&schema["properties"]).map(|(name, _)| code(name));
            [text("object with "), names.collect::<Vec<_>>().join(&text(", ")[..])].concat()
        }
        "string" => match schema["format"].as_str() {
            Some(format) => text(&format!("string ({format})")),
            None => text("string"),
        },
        name => text(name),
    }
}

fn either(kinds: impl Iterator<Item = Said>) -> Said {
    let mut all: Vec<Said> = Vec::new();
    for kind in kinds {
        if !all.contains(&kind) {
            all.push(kind);
        }
    }
    all.join(&text(" or ")[..])
}

/// Further properties of the schema: possible values, limits, an example.
pub(super) fn facts(schema: &Value) -> Said {
    let mut all = Vec::new();
    let values = items(&schema["enum"]).iter().filter(|value| !value.is_null());
    let values: Vec<_> = values.map(|value| code(&shown(value))).collect();
    if !values.is_empty() {
        all.extend([text(" One of "), values.join(&text(", ")[..]), text(".")].concat());
    }
    for variant in items(&schema["oneOf"]).iter().filter(|variant| variant.get("const").is_some()) {
        all.extend(
            [text(" "), code(&string(&variant["const"])), text(": "), said(&variant["description"])].concat(),
        );
    }
    for (word, before, after) in [
        ("minimum", "At least ", ""),
        ("maximum", "At most ", ""),
        ("maxItems", "At most ", " items"),
        ("maxProperties", "At most ", " members"),
    ] {
        let limit = &schema[word];
        if limit.is_number() && *limit != 0 {
            all.extend(text(&format!(" {before}{limit}{after}.")));
        }
    }
    for (word, words) in [("readOnly", " Only in responses."), ("writeOnly", " Only in requests.")] {
        all.extend(text(if schema[word] == true { words } else { "" }));
    }
    if let Some(example) = items(&schema["examples"]).first() {
        all.extend([text(" Example: "), code(&shown(example)), text(".")].concat());
    }
    all
}

/// The empty string is shown with quotes.
fn shown(value: &Value) -> String {
    if value == "" { "\"\"".to_owned() } else { string(value) }
}
