//! Shapes from the schemas of types, for the committed file.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::schema::RATE;
use super::{OTHERS, Shape};

impl Shape {
    /// The shape of a type's documents, without the members that only files or only answers have.
    #[must_use]
    pub fn of_schema_of<T: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        Self::of_schema(settings.into_generator().into_root_schema_for::<T>().as_value())
    }

    fn of_schema(schema: &Value) -> Self {
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is = |name| types.contains(&name);
        match schema["anyOf"].as_array().and_then(|schemas| schemas.first()) {
            // A nullable value.
            Some(schema) => Self::of_schema(schema),
            None if is("string") && is("integer") => Self::Span,
            None if is("string") && schema["format"] == "date-time" => Self::Instant,
            None if is("string") && schema["pattern"] == RATE => Self::Rate,
            None if is("string") => Self::Text,
            None if is("integer") => Self::Number {
                least: schema["minimum"].as_u64().unwrap_or(0),
                most: if schema["format"] == "uint32" { u32::MAX.into() } else { u64::MAX },
            },
            None if is("boolean") => Self::Switch,
            None if is("array") && is("object") => Self::Described,
            None if is("array") => Self::List(Box::new(Self::of_schema(&schema["items"]))),
            None if is("object") => Self::of_object(schema),
            None => Self::Any,
        }
    }

    fn of_object(schema: &Value) -> Self {
        let is_read = |member: &&Value| member["x-file-only"] != true && member["readOnly"] != true;
        let members = schema["properties"].as_object().into_iter().flatten();
        let members =
            members.map(|(name, member)| (name.clone(), member)).filter(|(_, member)| is_read(member));
        let is_closed = schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false;
        Self::Object {
            members: members.map(|(name, member)| (name, Self::of_schema(member))).collect(),
            others: (!is_closed).then(|| Box::new(Self::of_schema(&schema["additionalProperties"]))),
        }
    }
}

/// The content of a file with these shapes, one on each line.
#[must_use]
pub fn written(shapes: &[(&str, Shape)]) -> String {
    let lines: Vec<_> = shapes.iter().map(|(name, shape)| format!("\"{name}\": {}", value(shape))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn value(shape: &Shape) -> Value {
    match shape {
        Shape::Any => json!("any"),
        Shape::Text => json!("text"),
        Shape::Instant => json!("instant"),
        Shape::Span => json!("span"),
        Shape::Rate => json!("rate"),
        Shape::Number { least, most: u64::MAX } => json!(format!("{least}..")),
        Shape::Number { least, most } => json!(format!("{least}..{most}")),
        Shape::Switch => json!("switch"),
        Shape::List(items) => json!([value(items)]),
        Shape::Described => json!("described"),
        Shape::Object { members, others } => {
            let named = members.iter().map(|(name, member)| (name.clone(), value(member)));
            let others = others.iter().map(|others| (OTHERS.to_owned(), value(others)));
            Value::Object(named.chain(others).collect::<Map<_, _>>())
        }
    }
}
