//! An operation of the OpenAPI document. Path, method and permission determine the parameters, the
//! security and the common errors.

use administration::kinds::Permission;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};
use utoipa::openapi::{HttpMethod as Method, Paths};

use super::schemas::{Direction, SchemaOf, reference};
use super::{HttpMethod, NameInPath};
pub(super) use crate::request::{FORM, JSON, NDJSON};
use crate::routes::admin::Serve;

/// Path parameters that are not rows of the admin API.
pub(super) const NAMES_IN_PATHS: [NameInPath; 5] = [
    ("id", "Tenant id", "northwind"),
    ("hash", "A digest of the content", "nqFZQe7c0fZ9n4Gg"),
    ("file", "The name of the file", "pages.css"),
    ("issuer", "The path of the issuer below the public URL, which can have several segments", "login/blue"),
    ("application", "The application's id, a UUID", "550e8400-e29b-41d4-a716-446655440000"),
];

/// The form of an API's errors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// RFC 6749 section 5.2.
    OAuth,
    /// RFC 9457.
    Problem,
    /// The form of the Thunder-compatible API.
    Coded,
}

/// A builder of an operation.
pub(crate) struct Operation {
    pub(crate) method: HttpMethod,
    pub(crate) path: &'static str,
    pub(super) form: ErrorForm,
    pub(super) object: Value,
    /// Only in the admin API: the handler, so that the route and the operation are created from the
    /// same value.
    pub(crate) serve: Option<Serve>,
    /// Generate the schemas of the bodies.
    pub(super) schemas: Vec<(Direction, SchemaOf)>,
    /// Examples of the request body and of the JSON body of the main response.
    pub(super) examples: [Option<Value>; 2],
}

/// Adds the parameters of the path.
pub(crate) fn on(method: HttpMethod, path: &'static str) -> Operation {
    let (form, object) = (ErrorForm::OAuth, json!({ "responses": {} }));
    let operation =
        Operation { method, path, form, object, serve: None, schemas: Vec::new(), examples: [None, None] };
    path.split(['{', '}']).skip(1).step_by(2).fold(operation, |operation, name| {
        let description = NAMES_IN_PATHS.iter().find(|(known, ..)| *known == name).map(|(_, text, _)| text);
        operation.parameter("path", name, json!({ "type": "string" }), description.unwrap_or(&""))
    })
}

/// An operation of the admin API. `permission` is `None` if the route requires no particular
/// permission.
pub(crate) fn admin(
    method: HttpMethod,
    path: &'static str,
    permission: Option<Permission>,
    serve: Serve,
) -> Operation {
    let operation =
        on(method, path).secured(json!({ "admin_token": permission.map(Permission::as_str).as_slice() }));
    Operation { form: ErrorForm::Problem, serve: Some(serve), ..operation }
}

/// An operation of the Thunder-compatible API.
pub(crate) fn coded(method: HttpMethod, path: &'static str) -> Operation {
    Operation { form: ErrorForm::Coded, ..on(method, path) }
}

impl Operation {
    pub(crate) fn named(mut self, id: &str, summary: &str) -> Self {
        self.object["operationId"] = id.into();
        self.object["summary"] = summary.into();
        self
    }

    pub(crate) fn query(self, kind: &str, name: &str, description: &str) -> Self {
        self.parameter("query", name, json!({ "type": kind }), description)
    }

    /// Adds an optional query parameter. `values` are the accepted values.
    pub(crate) fn choice(self, name: &str, values: &[&str], description: &str) -> Self {
        self.parameter("query", name, json!({ "type": "string", "enum": values }), description)
    }

    /// Adds an integer query parameter.
    pub(crate) fn number(self, name: &str, least: u32, most: Option<u32>, description: &str) -> Self {
        let schema = json!({ "type": "integer", "format": "int32", "minimum": least, "maximum": most });
        self.parameter("query", name, schema, description)
    }

    /// Describes parameters of path or query.
    pub(crate) fn naming(mut self, names: &[NameInPath]) -> Self {
        for parameter in self.object["parameters"].as_array_mut().into_iter().flatten() {
            if let Some((_, description, example)) =
                names.iter().find(|(name, ..)| parameter["name"] == **name)
            {
                parameter["description"] = (*description).into();
                parameter["example"] = (*example).into();
            }
        }
        self
    }

    /// Adds the parameters of a paginated list. `example` is a cursor.
    pub(crate) fn paging(self, example: &'static str) -> Self {
        let description = "next_cursor from the previous page";
        let cursor = self.query("string", "cursor", description);
        let cursor = cursor.naming(&[("cursor", description, example)]);
        cursor.number("limit", 1, Some(200), "Items per page; 50 by default")
    }

    pub(crate) fn if_match(self, what: &str) -> Self {
        self.header("If-Match", &format!("Only if the {what} still has this ETag"))
            .error("412", &format!("The {what} has a different ETag now"))
    }

    pub(crate) fn idempotent(self) -> Self {
        self.header(
            "Idempotency-Key",
            "Repeating a request with the same key within 24 h returns the same response",
        )
        .error("422", "The Idempotency-Key was already used with a different request")
    }

    fn header(self, name: &str, description: &str) -> Self {
        self.parameter("header", name, json!({ "type": ["string", "null"] }), description)
    }

    fn parameter(self, place: &str, name: &str, schema: Value, description: &str) -> Self {
        let parameter = json!({ "name": name, "in": place, "description": description, "required": place == "path", "schema": schema });
        self.with("parameters", parameter)
    }

    /// Adds an alternative way to authorize the request: schemes with scopes. The empty object
    /// means without authorization.
    pub(crate) fn secured(self, schemes: Value) -> Self {
        self.with("security", schemes)
    }

    fn with(mut self, list: &str, item: Value) -> Self {
        match &mut self.object[list] {
            Value::Array(items) => items.push(item),
            absent => *absent = json!([item]),
        }
        self
    }

    pub(crate) fn body<T: JsonSchema>(mut self, media_type: &str, description: Option<&str>) -> Self {
        let content = json!({ media_type: { "schema": self.schema::<T>(Direction::Request) } });
        self.object["requestBody"] =
            json!({ "description": description, "content": content, "required": true });
        self
    }

    /// A body whose members all have defaults, so that it may be empty.
    pub(crate) fn optional_body<T: JsonSchema>(self, media_type: &str, description: &str) -> Self {
        let mut operation = self.body::<T>(media_type, Some(description));
        operation.object["requestBody"]["required"] = false.into();
        operation
    }

    pub(crate) fn answer<T: JsonSchema>(self, status: &str, description: &str) -> Self {
        self.answer_of::<T>(status, description, JSON)
    }

    pub(crate) fn answer_of<T: JsonSchema>(
        mut self,
        status: &str,
        description: &str,
        media_type: &str,
    ) -> Self {
        let schema = self.schema::<T>(Direction::Answer);
        self.answer_as(status, description, media_type, schema)
    }

    /// Adds a response, or another media type to an existing one.
    pub(crate) fn answer_as(self, status: &str, description: &str, media_type: &str, schema: Value) -> Self {
        let mut answer = self.empty_answer(status, description);
        answer.object["responses"][status]["content"][media_type]["schema"] = schema;
        answer
    }

    /// Adds a response with text, such as a page.
    pub(crate) fn text(self, status: &str, description: &str, media_type: &str) -> Self {
        self.answer_as(status, description, media_type, json!({ "type": "string" }))
    }

    pub(crate) fn empty_answer(mut self, status: &str, description: &str) -> Self {
        self.object["responses"][status]["description"] = description.into();
        self
    }

    pub(crate) fn request_example(self, example: impl FnOnce() -> Value) -> Self {
        let [_, answer] = self.examples;
        Self { examples: [Some(example()), answer], ..self }
    }

    pub(crate) fn answer_example(self, example: impl FnOnce() -> Value) -> Self {
        let [request, _] = self.examples;
        Self { examples: [request, Some(example())], ..self }
    }

    fn schema<T: JsonSchema>(&mut self, direction: Direction) -> Value {
        self.schemas.push((direction, SchemaGenerator::subschema_for::<T>));
        json!({ "$ref": reference(&T::schema_name(), direction) })
    }

    /// Does nothing for a method that OpenAPI does not support.
    pub(crate) fn add_to(mut self, paths: &mut Paths, tag: &str) -> serde_json::Result<()> {
        self.object["tags"] = json!([tag]);
        if self.object.get("security").is_none() {
            self.object["security"] = json!([]);
        }
        let operation: utoipa::openapi::path::Operation = serde_json::from_value(self.object)?;
        let method = match self.method {
            HttpMethod::Get => Method::Get,
            HttpMethod::Post => Method::Post,
            HttpMethod::Put => Method::Put,
            HttpMethod::Patch => Method::Patch,
            HttpMethod::Delete => Method::Delete,
        };
        paths.add_path_operation(self.path, vec![method], operation);
        Ok(())
    }
}
