//! The schemas of the document: a name for each type, and the form that OpenAPI's tools expect.

use std::borrow::Cow;

use administration::{
    AccessTokenSettings, AuditView, BrokenTokensView, ClientView, ImportSettings, KeyStatusView, KeyView,
    NewSecretSettings, Page, ResourceServerSettings, RotateSettings, SecretView, SigningSettings,
    StrategiesSettings, StrategySettings, TenantView, UnopenedKeyView, VerifierView,
};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::forms;
use crate::{documents, respond, routes, thunder};

/// Declares for each schema a type by which paths refer to it, and the type that it describes.
macro_rules! schemas {
    ($($name:ident = $described:ty,)*) => {
        $(
            #[doc = concat!("Refers to the schema `", stringify!($name), "`.")]
            pub(super) enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<utoipa::openapi::Schema> {
                    Ref::from_schema_name(stringify!($name)).into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*

        /// The names with the generated schemas, most of which are references.
        fn named(generator: &mut SchemaGenerator) -> Vec<(String, Schema)> {
            vec![$(($name::name().into_owned(), generator.subschema_for::<$described>())),*]
        }
    };
}

schemas! {
    Audience = forms::Audience,
    Error = forms::Error,
    Introspection = forms::Introspection,
    IntrospectionForm = forms::IntrospectionForm,
    JwkSet = forms::JwkSet,
    Metadata = forms::Metadata,
    Token = forms::Token,
    TokenForm = forms::TokenForm,
    Application = thunder::ApplicationDocument,
    ApplicationClient = thunder::OauthConfig,
    Applications = forms::Applications,
    Coded = thunder::ErrorDocument<'static, String>,
    Flow = thunder::FlowRequest,
    FlowStep = thunder::FlowAnswer<'static>,
    InboundAuthConfig = thunder::Inbound,
    Caller = routes::protected_resource::Caller<'static>,
    Check = routes::health::CheckResult<'static>,
    Live = routes::health::Live,
    Ready = routes::health::Ready<'static>,
    Sample = routes::protected_resource::Answer<'static>,
    Strategies = routes::strategies::Answer<'static>,
    Strategy = routes::strategies::Strategy,
    AccessToken = AccessTokenSettings,
    AuditPage = Page<AuditView>,
    AuditRecord = AuditView,
    BrokenTokens = BrokenTokensView,
    Client = ClientView,
    ClientPage = Page<ClientView>,
    ClientSettings = administration::ClientSettings,
    CreatedClient = administration::CreatedClient,
    CreatedSecret = administration::CreatedSecret,
    CreatedTenant = administration::CreatedTenant,
    Fault = respond::FieldErrorDocument<'static>,
    Key = routes::admin::signing_keys::Key,
    KeyRotation = documents::KeyRotation,
    KeyStatus = KeyStatusView,
    Keys = routes::admin::signing_keys::Keys,
    KeysChanged = administration::KeysChanged,
    NewClient = administration::NewClient,
    NewKey = ImportSettings,
    NewSecret = NewSecretSettings,
    NewTenant = administration::NewTenant,
    Problem = respond::ProblemDocument<'static>,
    ResourceServer = ResourceServerSettings,
    Rotation = RotateSettings,
    Secret = SecretView,
    Secrets = routes::admin::secrets::Secrets,
    Signing = SigningSettings,
    SigningKey = KeyView,
    Tenant = TenantView,
    TenantPage = Page<TenantView>,
    TenantSettings = administration::TenantSettings,
    TenantStrategies = StrategiesSettings,
    TenantStrategy = StrategySettings,
    TokenSettings = administration::TokenSettings,
    UnopenedKey = UnopenedKeyView,
    UsedFrom = administration::UsedFrom,
    Verifier = VerifierView,
}

/// The schemas by name.
pub(super) fn all() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    let named = named(&mut generator);
    let mut definitions = generator.take_definitions(true);
    definitions.remove("Lifetime");
    let mut schemas = Map::new();
    let mut names = Vec::new();
    for (name, schema) in named {
        let schema = match generated_name(&schema) {
            Some(generated) => {
                names.push((generated.to_owned(), name.clone()));
                definitions.remove(generated).unwrap_or_default()
            }
            None => schema.to_value(),
        };
        schemas.insert(name, schema);
    }
    let mut rename = RecursiveTransform(|schema: &mut Schema| rename(schema, &names));
    let mut adapt = RecursiveTransform(adapt);
    for schema in schemas.values_mut().chain(definitions.values_mut()) {
        if let Ok(schema) = <&mut Schema>::try_from(schema) {
            rename.transform(schema);
            adapt.transform(schema);
        }
    }
    // What nothing refers to describes members that only a file has.
    loop {
        let text = json!(schemas).to_string();
        let is_named = |name: &str| text.contains(&format!("\"{DEFINITIONS}{name}\""));
        let (named, rest): (Map<_, _>, Map<_, _>) =
            definitions.into_iter().partition(|(name, _)| is_named(name) && !schemas.contains_key(name));
        if named.is_empty() {
            break;
        }
        schemas.extend(named);
        definitions = rest;
    }
    schemas
}

/// The name in a reference to a generated schema.
fn generated_name(schema: &Schema) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(DEFINITIONS)
}

const DEFINITIONS: &str = "#/components/schemas/";

fn rename(schema: &mut Schema, names: &[(String, String)]) {
    let generated = generated_name(schema);
    let name = names.iter().find(|(name, _)| Some(name.as_str()) == generated).map(|(_, name)| name);
    if let Some(name) = name {
        schema.insert("$ref".to_owned(), json!(format!("{DEFINITIONS}{name}")));
    }
}

/// A member that is not required may be null, as in a merge patch. Generators must not send defaults in a patch,
/// fail on a member or a value that a later version adds, or meet a format that the OpenAPI registry does not have.
/// A span of time is answered in seconds. Members that only a file has are left out.
fn adapt(schema: &mut Schema) {
    for keyword in ["default", "enum", "pattern", "minLength", "maxLength", "uniqueItems", "propertyNames"] {
        schema.remove(keyword);
    }
    in_seconds(schema);
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.retain(|_, member| member.get("x-file-only").is_none());
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
        if let Value::Object(member) = member {
            allow_null(member);
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
