//! Reads documents that the API is sent. Every error is reported at once with its pointer, and an unknown member with the nearest known
//! one; a document that passes is one that the types accept. Members that are for files only are unknown here.

use protocol::{Lifetime, steps};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::field_errors::BoundedErrors;
use super::nearest::nearest;
use super::{
    ClientSettings, ImportSettings, NewClient, NewSecretSettings, NewTenant, Pointer, RotateSettings,
    TenantSettings, Wiped,
};
use crate::{FieldError, Interface};

impl TenantSettings {
    /// From JSON; members that are missing have their defaults.
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        read(&tenant_example(), document)
    }
}

impl ClientSettings {
    /// From JSON; members that are missing have their defaults.
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        read(&client_example(), document)
    }
}

impl NewClient {
    /// From JSON: `client_id`, `client_secret` and the members of [`ClientSettings`].
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let document = Wiped::new(document);
        check_whole(&new_client_example(), &document, Unknown::Refused)?;
        Self::take(document.take())
    }

    fn take(mut document: Value) -> Result<Self, Vec<FieldError>> {
        let client_id = take_text(&mut document, "client_id");
        let client_secret = take_text(&mut document, "client_secret").map(Zeroizing::new);
        Ok(Self { client_id, client_secret, settings: parse(without_nulls(document))? })
    }
}

impl NewTenant {
    /// From JSON: `id`, `client` and the members of [`TenantSettings`].
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let document = Wiped::new(document);
        let mut example = tenant_example();
        example["id"] = json!("");
        example["client"] = new_client_example();
        check_whole(&example, &document, Unknown::Refused)?;
        let mut document = document.take();
        let id = take_text(&mut document, "id").unwrap_or_default();
        let client = document.as_object_mut().and_then(|members| members.remove("client"));
        let client = client.filter(|client| !client.is_null()).map(NewClient::take).transpose()?;
        Ok(Self { id, client, settings: parse(without_nulls(document))? })
    }
}

impl NewSecretSettings {
    /// From JSON.
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        read(&json!({ "expires_at": INSTANT }), document)
    }
}

impl RotateSettings {
    /// From JSON.
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        read(&json!({ "grace": SPAN, "expires_at": INSTANT }), document)
    }
}

impl ImportSettings {
    /// From JSON: `key` and, unless the key says it, `algorithm`.
    ///
    /// # Errors
    /// Everything that is wrong with its shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let settings: Self = read(&json!({ "key": "", "algorithm": "" }), document)?;
        if settings.key.trim().is_empty() {
            return Err(vec![FieldError::at("/key", "write a private key in PEM or as a JWK")]);
        }
        Ok(settings)
    }
}

/// In an example: any instant, any span of time, any name of a member.
const INSTANT: &str = "2027-01-31T12:00:00Z";
const SPAN: &str = "1h";
const NAMED: &str = "*";

/// A document with every member that there is, each with a value of its kind.
fn tenant_example() -> Value {
    let mut example = json!(TenantSettings::default().with_defaults(Interface::Api));
    example["name"] = json!("");
    example["issuer"] = json!("");
    example["issuer_aliases"] = json!([""]);
    example["stale_if_error"] = json!(SPAN);
    example["access_token"]["lifetime"] = json!(SPAN);
    for span in ["rotate_every", "publish_before", "jwks_max_age", "jwks_stale", "skew", "hold_activation"] {
        example["signing"][span] = json!(SPAN);
    }
    example["resource_servers"] = json!({ NAMED: { "scopes": [""], "clients": [""] } });
    example
}

fn client_example() -> Value {
    let mut example = json!(ClientSettings::default());
    example["name"] = json!("");
    for list in ["grant_types", "audiences", "resources", "scopes"] {
        example[list] = json!([""]);
    }
    example["access_token_lifetime"] = json!(SPAN);
    example["token"] = json!({ "issuer": "" });
    example
}

fn new_client_example() -> Value {
    let mut example = client_example();
    example["client_id"] = json!("");
    example["client_secret"] = json!("");
    example
}

fn read<T: DeserializeOwned>(example: &Value, document: Value) -> Result<T, Vec<FieldError>> {
    let document = Wiped::new(document);
    check_whole(example, &document, Unknown::Refused)?;
    parse(without_nulls(document.take()))
}

/// Whether a member is an error that the example does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is.
    Refused,
    /// It is ignored.
    PassedOver,
}

/// Compares a document with one that has every member, each with a value of its kind; null stands for any value.
///
/// # Errors
/// Everything that is wrong with its shape.
pub fn check_whole(example: &Value, document: &Value, unknown: Unknown) -> Result<(), Vec<FieldError>> {
    let mut check = Check { unknown, field_errors: BoundedErrors::default() };
    check.value(example, document, &Pointer::Root);
    check.field_errors.into_result()
}

/// A document that passed the check does not fail here.
fn parse<T: DeserializeOwned>(document: Value) -> Result<T, Vec<FieldError>> {
    serde_json::from_value(document)
        .map_err(|_| vec![FieldError::at("", "is not of the form that docs/administration.md gives")])
}

struct Check {
    unknown: Unknown,
    field_errors: BoundedErrors,
}

impl Check {
    fn value(&mut self, example: &Value, value: &Value, at: &Pointer<'_>) {
        steps::note(1);
        match (example, value) {
            (Value::Null, _) => {}
            (Value::Object(example), Value::Object(members)) => self.members(example, members, at),
            (Value::String(example), value) if example == SPAN => {
                if serde_json::from_value::<Lifetime>(value.clone()).is_err() {
                    let longest = Lifetime::LONGEST;
                    let expected =
                        format!("write whole seconds, or a text such as 15m, 1h or 30d, up to {longest}");
                    self.field_errors.add(at, expected);
                }
            }
            (Value::Array(example), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if self.field_errors.is_full() {
                        return;
                    }
                    self.value(&example[0], item, &at.item(index));
                }
            }
            (Value::String(example), Value::String(text)) => {
                if example == INSTANT && protocol::Timestamp::parse_rfc3339(text).is_none() {
                    self.field_errors.add(at, format!("write an instant such as {INSTANT}, or null"));
                }
            }
            (Value::Bool(_), Value::Bool(_)) => {}
            (Value::Number(_), value) if value.is_u64() => {}
            _ => self.field_errors.add(at, format!("write {}", kind(example))),
        }
    }

    fn members(&mut self, example: &Map<String, Value>, members: &Map<String, Value>, at: &Pointer<'_>) {
        for (name, value) in members {
            if self.field_errors.is_full() {
                return;
            }
            let at = at.member(name);
            match example.get(name).or_else(|| example.get(NAMED)) {
                // As in a merge patch, null is the same as leaving it out.
                Some(_) if value.is_null() => {}
                Some(example) => self.value(example, value, &at),
                None if self.unknown == Unknown::PassedOver => {}
                None => {
                    let meant = nearest(name, example.keys().map(String::as_str));
                    let hint = meant.map_or_else(String::new, |meant| format!("; was `{meant}` meant?"));
                    self.field_errors.add(&at, format!("there is no such member here{hint}"));
                }
            }
        }
    }
}

fn kind(example: &Value) -> &'static str {
    match example {
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::Number(_) => "a whole number, 0 or more",
        Value::Bool(_) => "true or false",
        Value::String(_) | Value::Null => "a text",
    }
}

/// RFC 6901 §3.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn take_text(document: &mut Value, name: &str) -> Option<String> {
    match document.as_object_mut()?.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Members of nested objects have defaults of their own, which null would override.
fn without_nulls(document: Value) -> Value {
    super::merge_patch(Value::Null, document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_errors<T: std::fmt::Debug>(read: Result<T, Vec<FieldError>>, expected: &[&str]) {
        let field_errors = read.err().unwrap_or_default();
        let found: Vec<String> = field_errors.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_error_has_a_pointer_and_an_unknown_member_a_suggestion() {
        check_errors(
            ClientSettings::read(json!({ "scope": [], "audiences": ["a", 1], "access_token_lifetime": -1 })),
            &[
                "/access_token_lifetime: write whole seconds, or a text such as 15m, 1h or 30d, up to 36525d",
                "/audiences/1: write a text",
                "/scope: there is no such member here; was `scopes` meant?",
            ],
        );
        check_errors(
            TenantSettings::read(json!({
                "resource_servers": { "a/b~": { "scope": [] } }, "signing": { "skew": "60" , "rsa_bits": "2048", "jwks_stale": "soon" }, "strategies": []
            })),
            &[
                "/resource_servers/a~1b~0/scope: there is no such member here; was `scopes` meant?",
                "/signing/jwks_stale: write whole seconds, or a text such as 15m, 1h or 30d, up to 36525d",
                "/signing/rsa_bits: write a whole number, 0 or more",
                "/strategies: write an object",
            ],
        );
        check_errors(
            NewTenant::read(json!({ "id": "a", "client": { "secret": "x" }, "*": 1 })),
            &["/*: there is no such member here", "/client/secret: there is no such member here"],
        );
        check_errors(
            RotateSettings::read(json!({ "grace": 1.5, "expires_at": "tomorrow" })),
            &[
                "/expires_at: write an instant such as 2027-01-31T12:00:00Z, or null",
                "/grace: write whole seconds, or a text such as 15m, 1h or 30d, up to 36525d",
            ],
        );
        check_errors(
            ImportSettings::read(json!({ "key": {}, "algorithm": 1, "pem": "" })),
            &["/algorithm: write a text", "/key: write a text", "/pem: there is no such member here"],
        );
        check_errors(ImportSettings::read(json!({})), &["/key: write a private key in PEM or as a JWK"]);
        check_errors(NewClient::read(json!([])), &[": write an object"]);
        check_errors(NewSecretSettings::read(Value::Null), &[": write an object"]);
    }

    #[test]
    fn members_left_out_or_null_have_defaults() {
        assert_eq!(TenantSettings::read(json!({})), Ok(TenantSettings::default()));
        let nulls = json!({ "name": null, "scopes": null, "token": { "issuer": null }, "grant_types": null });
        assert_eq!(ClientSettings::read(nulls), Ok(ClientSettings::default()));
        let new =
            NewTenant::read(json!({ "id": "a", "client": { "client_id": "svc" }, "name": "A" })).unwrap();
        assert_eq!((new.id.as_str(), new.settings.name.as_deref()), ("a", Some("A")));
        assert_eq!(new.client.unwrap().client_id.as_deref(), Some("svc"));
        assert_eq!(NewTenant::read(json!({ "id": "a", "client": null })).unwrap().client, None);
        assert_eq!(NewSecretSettings::read(json!({ "expires_at": null })), Ok(NewSecretSettings::default()));
    }

    #[test]
    fn a_span_of_time_is_seconds_or_text_and_answered_in_seconds() {
        for lifetime in [json!(7200), json!("7200"), json!("2h"), json!("120m")] {
            let client = ClientSettings::read(json!({ "access_token_lifetime": lifetime })).unwrap();
            assert_eq!(json!(client)["access_token_lifetime"], json!(7200));
        }
    }

    #[test]
    fn members_for_files_only_are_unknown_here() {
        for member in ["client_secret", "client_secrets", "jwks", "jwks_uri", "redirect_uris"] {
            let errors = ClientSettings::read(json!({ member: null })).unwrap_err();
            assert!(errors[0].detail.starts_with("there is no such member here"), "{member}");
        }
        for document in [json!({ "clients": {} }), json!({ "signing": { "first_key": null } })] {
            let errors = TenantSettings::read(document).unwrap_err();
            assert!(errors[0].detail.starts_with("there is no such member here"), "{}", errors[0]);
        }
    }

    #[test]
    fn a_document_that_is_shown_can_be_sent_back() {
        let mut tenant = TenantSettings::default();
        tenant.signing.hold_activation = Some(Lifetime::from_seconds(600));
        tenant.resource_servers.insert("api".to_owned(), super::super::ResourceServerSettings::default());
        assert_eq!(TenantSettings::read(json!(tenant)), Ok(tenant));
        let client = ClientSettings { scopes: vec!["a".to_owned()], ..ClientSettings::default() };
        assert_eq!(ClientSettings::read(json!(client)), Ok(client));
    }

    #[test]
    fn the_number_of_reported_errors_is_limited() {
        let unknown: Value =
            (0..2_000).map(|number| (format!("scope{number:064}"), json!(0))).collect::<Map<_, _>>().into();
        for document in [unknown, json!({ "audiences": vec![0; 2_000] })] {
            assert_eq!(ClientSettings::read(document).unwrap_err().len(), crate::MOST_FIELD_ERRORS);
        }
    }

    #[test]
    fn no_kind_of_value_is_left_open() {
        fn has_null(value: &Value) -> bool {
            match value {
                Value::Null => true,
                Value::Array(items) => items.is_empty() || items.iter().any(has_null),
                Value::Object(members) => members.values().any(has_null),
                _ => false,
            }
        }
        assert!(!has_null(&tenant_example()), "{}", tenant_example());
        assert!(!has_null(&new_client_example()), "{}", new_client_example());
    }
}
