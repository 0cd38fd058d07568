//! The schemas of the OpenAPI document.

use crate::prelude::*;

pub(crate) struct Schemas(Value);

impl Schemas {
    pub(crate) fn read() -> Self {
        let document: Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
        Self(document["components"]["schemas"].clone())
    }

    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> &Value {
        let schema = &self.0[name];
        assert!(schema.is_object(), "there is no schema {name}");
        schema
    }

    pub(crate) fn members<'a>(&self, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
        let members = schema["properties"].as_object().into_iter().flatten();
        members.map(|(name, member)| (name.as_str(), member)).collect()
    }
}
