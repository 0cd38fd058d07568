//! The schemas of the document: a name for each type, in the form that OpenAPI tools expect. A type
//! that is used in requests and responses has two schemas: a request may leave out members with a
//! default, and a response always contains them.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Names of response types that differ from the rule of [`name_of`].
const NAMES_IN_ANSWERS: [(&str, &str); 19] = [
    ("ApplicationDocument", "Application"),
    ("AssertionSettings", "Assertions"),
    ("AuditView", "AuditRecord"),
    ("ClaimsSettings", "StandardClaims"),
    ("FieldErrorDocument", "Fault"),
    ("Inbound", "InboundAuthConfig"),
    ("Jwk", "ClientKey"),
    ("Jwks", "ClientKeySet"),
    ("KeyView", "SigningKey"),
    ("OauthConfig", "ApplicationClient"),
    ("OwnRefreshTokenSettings", "ClientRefreshTokens"),
    ("ProblemDocument", "Problem"),
    ("RefreshTokenSettings", "RefreshTokens"),
    ("SessionSettings", "SessionPolicy"),
    ("SignInSettings", "SignInPolicy"),
    ("StrategiesSettings", "TenantStrategies"),
    ("StrategySettings", "TenantStrategy"),
    ("ThrottlingView", "AccountThrottling"),
    ("TokenSettings", "ClientToken"),
];
/// Names of request types that differ from the rule of [`name_of`]. A type that responses use, too,
/// needs two names.
const NAMES_IN_REQUESTS: [(&str, &str); 15] = [
    ("ApplicationAccessToken", "NewApplicationAccessToken"),
    ("ApplicationCertificate", "NewApplicationCertificate"),
    ("ApplicationDocument", "NewApplication"),
    ("ApplicationToken", "NewApplicationToken"),
    ("ExplainSettings", "RequestToExplain"),
    ("FlowRequest", "Flow"),
    ("ImportSettings", "NewKey"),
    ("Inbound", "NewInboundAuthConfig"),
    ("Jwk", "ClientKeySettings"),
    ("Jwks", "ClientKeySetSettings"),
    ("NewPasswordSettings", "NewPassword"),
    ("NewSecretSettings", "NewSecret"),
    ("OauthConfig", "NewApplicationClient"),
    ("RotateSettings", "Rotation"),
    ("SecretEndSettings", "SecretEnd"),
];
const DEFINITIONS: &str = "#/components/schemas/";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// Generates the schema of a body.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The name of a type in the document. In a response, a view has the name of the row that it shows.
fn name_of(type_name: &str, direction: Direction) -> String {
    let names: &[_] = match direction {
        Direction::Request => &NAMES_IN_REQUESTS,
        Direction::Answer => &NAMES_IN_ANSWERS,
    };
    match names.iter().find(|(name, _)| *name == type_name) {
        Some((_, name)) => (*name).to_owned(),
        None if direction == Direction::Request => type_name.to_owned(),
        None => type_name.strip_suffix("Settings").unwrap_or(type_name).replace("View", ""),
    }
}

/// A `$ref` to the schema of a type.
pub(super) fn reference(type_name: &str, direction: Direction) -> String {
    format!("{DEFINITIONS}{}", name_of(type_name, direction))
}

/// The schemas of these types and of the types that they contain, by name.
pub(super) fn of(bodies: &[(Direction, SchemaOf)]) -> Map<String, Value> {
    let mut schemas = Map::new();
    for direction in [Direction::Request, Direction::Answer] {
        let of_direction = bodies.iter().filter(|(it, _)| *it == direction).map(|(_, body)| *body);
        for (name, schema) in in_direction(direction, of_direction) {
            if let Some(other) = schemas.insert(name.clone(), schema) {
                debug_assert_eq!(
                    other, schemas[&name],
                    "{name} has two forms, so it needs a name in requests"
                );
            }
        }
    }
    schemas
}

fn in_direction(direction: Direction, bodies: impl Iterator<Item = SchemaOf>) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let settings = if direction == Direction::Answer { settings.for_serialize() } else { settings };
    let mut generator = settings.into_generator();
    let mut bodies: Vec<Schema> = bodies.map(|subschema| subschema(&mut generator)).collect();
    let mut definitions = generator.take_definitions(true);
    let mut adapt = RecursiveTransform(|schema: &mut Schema| adapt(schema, direction));
    let definitions_mut = definitions.values_mut().filter_map(|schema| <&mut Schema>::try_from(schema).ok());
    for schema in definitions_mut.chain(&mut bodies) {
        adapt.transform(schema);
    }
    let named = definitions.into_iter().map(|(name, schema)| (name_of(&name, direction), schema));
    let mut schemas: Map<_, _> = named.collect();
    // Removes schemas that nothing refers to. They describe members that exist only in the
    // configuration file.
    loop {
        let (all, texts) = (schemas.len(), json!([schemas, bodies]).to_string());
        schemas.retain(|name, _| texts.contains(&format!("\"{DEFINITIONS}{name}\"")));
        if schemas.len() == all {
            return schemas;
        }
    }
}

/// Adapts a schema to OpenAPI.
/// - An optional member may be null in a request, as in a merge patch, and is left out of a
///   response.
/// - Defaults are removed, so that generated clients do not send them in a patch.
/// - Generated clients must not fail on a member that a later version adds, or on a format that is
///   not in the OpenAPI registry.
/// - A response contains durations in seconds.
/// - Members that exist only in the configuration file are removed.
fn adapt(schema: &mut Schema, direction: Direction) {
    for keyword in ["default", "pattern", "minLength", "maxLength", "uniqueItems", "propertyNames"] {
        schema.remove(keyword);
    }
    in_seconds(schema);
    let type_name =
        schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix(DEFINITIONS));
    if let Some(reference) = type_name.map(|name| reference(name, direction)) {
        schema.insert("$ref".to_owned(), json!(reference));
    }
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let before = members.len();
        members.retain(|_, member| member.get("x-file-only").is_none());
        if members.len() < before {
            // The `oneOf` is about members of the configuration file.
            schema.remove("oneOf");
        }
    }
    for keyword in ["additionalProperties", "unevaluatedProperties"] {
        if schema.get(keyword) == Some(&Value::Bool(false)) {
            schema.remove(keyword);
        }
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("uint64") => drop(schema.insert("format".to_owned(), json!("int64"))),
        Some("uint32" | "uint16") => drop(schema.insert("format".to_owned(), json!("int32"))),
        _ => {}
    }
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let Some(Value::Object(members)) = schema.get_mut("properties") else { return };
    for (_, member) in members.iter_mut().filter(|(name, _)| !is_required(name)) {
        match member {
            Value::Object(member) if direction == Direction::Request => allow_null(member),
            Value::Object(member) => forbid_null(member),
            // Any value. Generators do not support the schema `true`.
            other => *other = json!({}),
        }
    }
}

fn in_seconds(schema: &mut Schema) {
    let is_span = |part: &Value| part["$ref"] == json!(format!("{DEFINITIONS}Lifetime"));
    let is_optional =
        schema.get("anyOf").and_then(Value::as_array).is_some_and(|parts| parts.iter().any(is_span));
    if is_optional || is_span(schema.as_value()) {
        schema.remove("anyOf");
        schema.remove("$ref");
        let kind = if is_optional { json!(["integer", "null"]) } else { json!("integer") };
        schema.insert("type".to_owned(), kind);
        schema.insert("format".to_owned(), json!("int64"));
        schema.insert("minimum".to_owned(), json!(0));
    }
}

fn allow_null(member: &mut Map<String, Value>) {
    let null_type = json!("null");
    if let Some(Value::Array(values)) = member.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(reference) = member.remove("$ref") {
        member.insert("anyOf".to_owned(), json!([{ "$ref": reference }, { "type": null_type }]));
        return;
    }
    match member.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&null_type) => types.push(null_type),
        Some(one @ Value::String(_)) if *one != null_type => *one = json!([one.take(), null_type]),
        _ => {}
    }
}

fn forbid_null(member: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = member.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            let kind = kind.clone();
            member.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(parts)) = member.get_mut("anyOf") {
        parts.retain(|part| part["type"] != "null");
        if let [Value::Object(part)] = parts.as_mut_slice() {
            let part = std::mem::take(part);
            member.remove("anyOf");
            member.extend(part);
        }
    }
}
