//! The schemas of the OpenAPI document, and whether a value is as one of them says, all the way down.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The schemas of the document.
pub(crate) struct Schemas(Value);

impl Schemas {
    pub(crate) fn read() -> Self {
        let document: Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
        Self(document["components"]["schemas"].clone())
    }

    pub(crate) fn named(&self, name: &str) -> &Value {
        let schema = &self.0[name];
        assert!(schema.is_object(), "there is no schema {name}");
        schema
    }

    /// The schema itself, where it is only referred to or may be null.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(name) = schema["$ref"].as_str() {
            return self.resolve(self.named(name.trim_start_matches("#/components/schemas/")));
        }
        match schema["oneOf"].as_array() {
            Some(forms) => self.resolve(forms.iter().find(|form| form["type"] != "null").unwrap()),
            None => schema,
        }
    }

    /// Its members, of all its parts.
    pub(crate) fn members<'a>(&'a self, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
        let schema = self.resolve(schema);
        let parts = schema["allOf"].as_array().into_iter().flatten();
        let mut members: BTreeMap<_, _> = parts.flat_map(|part| self.members(part)).collect();
        let own = schema["properties"].as_object().into_iter().flatten();
        members.extend(own.map(|(name, member)| (name.as_str(), member)));
        members
    }

    /// Whether the value has the members of the schema and no others.
    pub(crate) fn check(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.resolve(schema);
        match value {
            Value::Array(items) => {
                assert!(!items.is_empty(), "{at}: the example is empty");
                items.iter().for_each(|item| self.check(&schema["items"], item, &format!("{at}[]")));
            }
            Value::Object(members) => self.check_members(schema, members, at),
            leaf => {
                let kind = match leaf {
                    Value::String(_) => "string",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "integer",
                    _ => panic!("{at}: the example says nothing"),
                };
                let is_kind = |found: &Value| found == kind;
                let fits = match &schema["type"] {
                    Value::Array(kinds) => kinds.iter().any(is_kind),
                    one => is_kind(one),
                };
                assert!(fits, "{at}: {leaf} is not {}", schema["type"]);
            }
        }
    }

    fn check_members(&self, schema: &Value, members: &Map<String, Value>, at: &str) {
        let documented = self.members(schema);
        if documented.is_empty() {
            // Any names, or anything at all.
            let others = &schema["additionalProperties"];
            if others.is_object() {
                members.values().for_each(|value| self.check(others, value, &format!("{at}.*")));
            }
            return;
        }
        let names: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(names, documented.keys().copied().collect::<Vec<_>>(), "{at}");
        for (name, schema) in documented {
            self.check(schema, &members[name], &format!("{at}.{name}"));
        }
    }
}
