//! Compares every response of a test with the OpenAPI document: status, media type and schema of
//! the body. Members that the schema does not name are refused.

use std::cell::RefCell;
use std::collections::HashMap;
use std::thread::LocalKey;

use boon::{Compiler, SchemaIndex, Schemas};

use crate::prelude::*;
use crate::routes::is_of_people;

/// The committed document, which another test compares with the generated one. Generating it for
/// each test would take longer than the requests. `parse` is in the library because tests compile
/// libraries with optimization.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| include_str!("../../../../docs/openapi.json").parse().unwrap());

/// Panics if the document does not describe the response, or if a 429 or 503 has no `Retry-After`.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    if [429, 503].contains(&answer.status) {
        let seconds = answer.header("retry-after").parse::<u32>();
        assert!(seconds.is_ok_and(|seconds| seconds > 0), "{method} {path}: no Retry-After in {answer:?}");
    }
    if let Err(problem) = describes(method, path, answer) {
        panic!("{method} {path} answered {answer:?}, but in the OpenAPI document {problem}");
    }
}

fn describes(method: &Method, path: &str, answer: &Answer) -> Result<(), String> {
    let Some(pattern) = pattern_of(path) else { return Ok(()) };
    let name = if *method == Method::HEAD { "get" } else { &method.as_str().to_ascii_lowercase() };
    let operation = &DOCUMENT["paths"][pattern][name];
    // The path has another method, or the listener does not serve it.
    if operation.is_null() || (answer.status == 404 && answer.body.contains("Unknown path")) {
        return Ok(());
    }
    let statuses = [answer.status.to_string(), format!("{}XX", answer.status / 100)];
    let status = statuses.iter().find(|status| operation["responses"][status].is_object());
    let status = status.ok_or_else(|| format!("{pattern} has no such status"))?;
    let Some(content) = operation["responses"][status]["content"].as_object() else {
        // The body of a refused token cannot be described, because it depends on the token (RFC
        // 6750 §3.1).
        let takes_bearers = pattern == "/api/v1/protected-resource"
            || pattern.ends_with("/userinfo")
            || pattern.ends_with("/forward-auth");
        let is_bearers = takes_bearers && answer.status == 401;
        let is_described = answer.body.is_empty() || is_bearers;
        return if is_described { Ok(()) } else { Err(format!("{pattern} has no body here")) };
    };
    if answer.body.is_empty() && *method == Method::HEAD {
        return Ok(());
    }
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    if !content.contains_key(media_type) {
        return Err(format!("{pattern} has no {media_type}"));
    }
    let bodies = match media_type {
        "application/x-ndjson" => {
            answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
        json if json.ends_with("json") => vec![answer.json()],
        _ => vec![json!(answer.body)],
    };
    let schema = ["paths", pattern, name, "responses", status, "content", media_type, "schema"];
    let compiled: &LocalKey<RefCell<Compiled>> = if is_of_people(pattern) { &AS_WRITTEN } else { &CLOSED };
    let validate = |body: &Value| compiled.with_borrow_mut(|compiled| compiled.validate(&schema, body));
    bodies.iter().try_for_each(validate).map_err(|problem| format!("{pattern} has another body: {problem}"))
}

/// Paths with more literal segments are matched first.
fn pattern_of(path: &str) -> Option<&'static str> {
    let patterns = DOCUMENT["paths"].as_object()?.keys().map(String::as_str);
    let is_variable = |segment: &str| segment.starts_with('{');
    let fits = |pattern: &&str| {
        let (wanted, found) = (pattern.split('/'), path.split('/'));
        wanted.clone().count() == found.clone().count()
            && wanted
                .zip(found)
                .all(|(wanted, found)| wanted == found || (is_variable(wanted) && !found.is_empty()))
    };
    patterns.filter(fits).min_by_key(|pattern| pattern.matches('{').count())
}

/// Each schema is compiled when it is first needed.
struct Compiled {
    compiler: Compiler,
    schemas: Schemas,
    indices: HashMap<String, SchemaIndex>,
}

impl Compiled {
    fn from_document(document: Value) -> RefCell<Self> {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource("openapi.json", document).unwrap();
        RefCell::new(Self { compiler, schemas: Schemas::new(), indices: HashMap::new() })
    }

    /// `place` is the JSON pointer of the schema, in segments.
    fn validate(&mut self, place: &[&str], value: &Value) -> Result<(), String> {
        // RFC 6901 §3 and §6.
        let escaped = place.iter().map(|name| name.replace('~', "~0").replace('/', "~1"));
        let pointer = escaped.map(|name| format!("/{}", name.replace('{', "%7B").replace('}', "%7D")));
        let location = format!("openapi.json#{}", pointer.collect::<String>());
        let index = match self.indices.get(&location) {
            Some(index) => *index,
            None => {
                let index = self.compiler.compile(&location, &mut self.schemas).unwrap();
                self.indices.insert(location, index);
                index
            }
        };
        self.schemas.validate(value, index).map_err(|error| format!("{error:#}"))
    }
}

thread_local! {
    /// Accepts members in any spelling: the Thunder-compatible API has two spellings, and the
    /// document shows one.
    static AS_WRITTEN: RefCell<Compiled> = Compiled::from_document(DOCUMENT.clone());
    /// Refuses members that the document does not name.
    static CLOSED: RefCell<Compiled> = {
        let mut document = DOCUMENT.clone();
        close(&mut document);
        Compiled::from_document(document)
    };
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object)
                && members.get("type") == Some(&json!("object"))
            {
                members.entry("additionalProperties").or_insert(json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn undocumented_responses_are_detected() {
    let answer = |status: u16, media_type: &str, body: &str| Answer {
        status,
        headers: [("content-type".parse().unwrap(), media_type.parse().unwrap())].into_iter().collect(),
        body: body.to_owned(),
    };
    let problem_of = |status, media_type, body| {
        let answer = answer(status, media_type, body);
        describes(&Method::POST, "/api/v1/tenant/acme/oauth/token", &answer).err().unwrap_or_default()
    };
    let json = "application/json";
    let token = r#"{"access_token":"a","token_type":"Bearer","expires_in":60}"#;
    assert_eq!(problem_of(200, json, token), "");
    for (status, media_type, body, expected) in [
        (202, json, token, "no such status"),
        (200, "text/plain", token, "no text/plain"),
        (200, json, r#"{"access_token":"a","token_type":"Bearer"}"#, "expires_in"),
        (200, json, r#"{"access_token":"a","token_type":"Bearer","expires_in":"60"}"#, "want integer"),
        (200, json, r#"{"access_token":"a","token_type":"mac","expires_in":60}"#, "Bearer"),
        (200, json, r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"id":1}"#, "id"),
        (400, json, r#"{"error":"other","error_description":""}"#, "invalid_request"),
    ] {
        let problem = problem_of(status, media_type, body);
        assert!(problem.contains(expected), "{body}: {problem}");
    }
}
