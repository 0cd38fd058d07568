//! Reads the documents that the API receives. All errors in a document's shape are reported together, each
//! with its pointer. A document without such errors can be deserialized. Members that only files may have are
//! unknown here.

use std::sync::LazyLock;

use protocol::Credential;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ExplainSettings, ImportSettings, ImportedAccount, NewPasswordSettings, Shape, Wiped};
use crate::edit::FieldError;

/// Implements the reader of each document from its shape.
macro_rules! documents {
    ($($shape:ident: $document:ty),+ $(,)?) => {$(
        pub(crate) static $shape: std::sync::LazyLock<super::Shape> =
            std::sync::LazyLock::new(super::Shape::new::<$document>);

        impl $document {
            /// Reads the settings from JSON. Missing members have their defaults.
            ///
            /// # Errors
            /// All errors of the document's shape.
            pub fn read(document: serde_json::Value) -> Result<Self, Vec<crate::edit::FieldError>> {
                super::read::read(&$shape, document, Vec::new())
            }
        }
    )+};
}

pub(super) use documents;

static IMPORTED_ACCOUNT: LazyLock<Shape> = LazyLock::new(Shape::new::<ImportedAccount>);
static IMPORT: LazyLock<Shape> = LazyLock::new(Shape::new::<ImportSettings>);
static PASSWORD: LazyLock<Shape> = LazyLock::new(Shape::new::<NewPasswordSettings>);
static EXPLAIN: LazyLock<Shape> = LazyLock::new(Shape::new::<ExplainSettings>);

impl ExplainSettings {
    /// Reads the settings from JSON. A secret is refused without a method that uses secrets.
    ///
    /// # Errors
    /// All errors of the document's shape, and an unknown method.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let method = document["token_endpoint_auth_method"].as_str().unwrap_or(Self::METHODS[0]);
        let secret = document["client_secret"].as_str();
        let is_known = Self::METHODS.contains(&method);
        if !is_known {
            let detail = format!("must be one of {}", Self::METHODS.join(", "));
            errors.push(FieldError::at("/token_endpoint_auth_method", detail));
        }
        for &credential in Credential::ALL {
            let member = format!("client_{}", credential.as_str());
            let is_sent = Self::credential(method) == Some(credential);
            if document[&member].is_string() && !is_sent && (is_known || credential != Credential::Secret) {
                let detail = format!("is not used with the method {method}");
                errors.push(FieldError::at(format!("/{member}"), detail));
            }
        }
        for member in ["dpop_method", "dpop_url"] {
            if document[member].is_string() && !document["dpop_proof"].is_string() {
                errors.push(FieldError::at(
                    format!("/{member}"),
                    "belongs to a request with dpop_proof; send the proof as well",
                ));
            }
        }
        if document["dpop_url"].as_str().is_some_and(|url| !url.contains("://")) {
            let detail = "give the full URL of the request, such as https://auth.example.com/oauth/token";
            errors.push(FieldError::at("/dpop_url", detail));
        }
        if secret.is_some_and(str::is_empty) {
            let detail = "is empty; omit it to explain the request without a secret";
            errors.push(FieldError::at("/client_secret", detail));
        }
        read(&EXPLAIN, document, errors)
    }
}

impl ImportSettings {
    /// Reads the settings from JSON: `key`, and `algorithm` unless the key contains it.
    ///
    /// # Errors
    /// All errors of the document's shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let has_no_key = document.is_object() && document["key"].is_null();
        let missing = || FieldError::at("/key", "is required: a private key in PEM, or a JWK as a string");
        read(&IMPORT, document, has_no_key.then(missing).into_iter().collect())
    }
}

impl ImportedAccount {
    /// Reads the settings from JSON: a password or the hash of a password, but not both.
    ///
    /// # Errors
    /// All errors of the document's shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let has_both = document["password"].is_string() && document["password_hash"].is_string();
        let both =
            || FieldError::at("/password_hash", "cannot be combined with `password`; send one of the two");
        read(&IMPORTED_ACCOUNT, document, has_both.then(both).into_iter().collect())
    }
}

impl NewPasswordSettings {
    /// Reads the settings from JSON. `password` is required.
    ///
    /// # Errors
    /// All errors of the document's shape.
    pub fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let has_none = document.is_object() && document["password"].is_null();
        let missing = || FieldError::at("/password", "is needed");
        read(&PASSWORD, document, has_none.then(missing).into_iter().collect())
    }
}

/// Reads a document of this shape, without its nulls. Members of nested objects have their own defaults, and
/// a null would override the default.
pub(super) fn read<T: DeserializeOwned>(
    shape: &Shape,
    document: Value,
    more: Vec<FieldError>,
) -> Result<T, Vec<FieldError>> {
    let document = Wiped::new(document);
    let mut errors = shape.check(&document).err().unwrap_or_default();
    errors.extend(more);
    if !errors.is_empty() {
        return Err(errors);
    }
    // Only a document with errors in its shape can fail here.
    serde_json::from_value(shape.without_nulls(document.take()))
        .map_err(|_| vec![FieldError::at("", "does not have the form that docs/administration.md describes")])
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};
    use values::Lifetime;

    use super::super::{
        ClientSettings, NewClient, NewSecretSettings, NewTenant, RotateSettings, TenantSettings,
    };
    use super::*;

    fn check_errors<T: std::fmt::Debug>(read: Result<T, Vec<FieldError>>, expected: &[&str]) {
        let field_errors = read.err().unwrap_or_default();
        let found: Vec<String> = field_errors.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn errors_have_pointers_and_suggestions() {
        check_errors(
            ClientSettings::read(json!({ "scope": [], "audiences": ["a", 1], "grant_types": "all" })),
            &[
                "/audiences/1: must be a string",
                "/grant_types: must be a list",
                "/scope: this member does not exist; did you mean `scopes`?",
            ],
        );
        check_errors(
            TenantSettings::read(json!({
                "resource_servers": { "a/b~": { "scope": [] } }, "signing": { "skew": "60" , "rsa_bits": "2048", "jwks_stale": "soon" }, "strategies": []
            })),
            &[
                "/resource_servers/a~1b~0/scope: this member does not exist; did you mean `scopes`?",
                "/signing/jwks_stale: must be whole seconds, or a string such as 15m, 1h or 30d, up to 36525d",
                "/signing/rsa_bits: must be a whole number, 0 or more",
                "/strategies: must be an object",
            ],
        );
        let scopes = |scopes: Value| json!({ "resource_servers": { "a": { "scopes": scopes } } });
        for (scopes, expected) in [
            (scopes(json!("a")), ": must be a list, or an object with a string for each name"),
            (scopes(json!([1])), "/0: must be a string"),
            (scopes(json!({ "a/b": [] })), "/a~1b: must be a string"),
        ] {
            check_errors(TenantSettings::read(scopes), &[&format!("/resource_servers/a/scopes{expected}")]);
        }
        check_errors(
            NewTenant::read(json!({ "id": "a", "client": { "secret": "x" }, "*": 1 })),
            &[
                "/*: this member does not exist",
                "/client/secret: this member does not exist; did you mean `client_secret`?",
            ],
        );
        let rotation = RotateSettings::read(json!({ "grace": 1.5, "expires_at": "tomorrow" }));
        let instant = "/expires_at: must be an instant such as 2027-01-31T12:00:00Z, or null";
        let span = "must be whole seconds, or a string such as 15m, 1h or 30d, up to 36525d";
        check_errors(rotation, &[instant, &format!("/grace: {span}")]);
        check_errors(
            ImportSettings::read(json!({ "key": {}, "algorithm": 1, "pem": "" })),
            &["/algorithm: must be a string", "/key: must be a string", "/pem: this member does not exist"],
        );
        let needed = "/key: is required: a private key in PEM, or a JWK as a string";
        check_errors(ImportSettings::read(json!({})), &[needed]);
        check_errors(
            ExplainSettings::read(json!({
                "scopes": "a", "resource": "b", "client_secret": "", "token_endpoint_auth_method": "any"
            })),
            &[
                "/resource: must be a list",
                "/scopes: this member does not exist; did you mean `scope`?",
                "/token_endpoint_auth_method: must be one of client_secret_basic, client_secret_post, \
                 private_key_jwt, tls_client_auth, self_signed_tls_client_auth, none",
                "/client_secret: is empty; omit it to explain the request without a secret",
            ],
        );
        check_errors(
            ExplainSettings::read(json!({ "client_secret": "x", "token_endpoint_auth_method": "none" })),
            &["/client_secret: is not used with the method none"],
        );
        check_errors(
            ExplainSettings::read(json!({ "dpop_method": "POST", "dpop_url": "/oauth/token" })),
            &[
                "/dpop_method: belongs to a request with dpop_proof; send the proof as well",
                "/dpop_url: belongs to a request with dpop_proof; send the proof as well",
                "/dpop_url: give the full URL of the request, such as https://auth.example.com/oauth/token",
            ],
        );
        check_errors(NewClient::read(json!([])), &[": must be an object"]);
        check_errors(NewSecretSettings::read(Value::Null), &[": must be an object"]);
    }

    #[test]
    fn dpop_path_is_the_path_of_its_url() {
        for (url, expected) in [
            ("https://id.example/oauth/token?a=/b#c", "/oauth/token"),
            ("https://id.example", "/"),
            ("https://id.example?a=/b", "/"),
            ("https://[::1]:8443/a/b/", "/a/b/"),
        ] {
            let settings = json!({ "dpop_proof": "a.b.c", "dpop_url": url });
            assert_eq!(ExplainSettings::read(settings).unwrap().dpop_path(), Some(expected), "{url}");
        }
        assert_eq!(ExplainSettings::default().dpop_path(), None);
    }

    #[test]
    fn missing_or_null_members_have_defaults() {
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
    fn duration_may_be_seconds_or_text() {
        for lifetime in [json!(7200), json!("7200"), json!("2h"), json!("120m")] {
            let tenant = TenantSettings::read(json!({ "stale_if_error": lifetime })).unwrap();
            assert_eq!(json!(tenant)["stale_if_error"], json!(7200));
        }
    }

    #[test]
    fn file_only_members_are_unknown_to_the_api() {
        for member in ["client_secret", "client_secrets"] {
            let errors = ClientSettings::read(json!({ member: null })).unwrap_err();
            assert!(errors[0].detail.starts_with("this member does not exist"), "{member}");
        }
        for document in [json!({ "clients": {} }), json!({ "signing": { "first_key": null } })] {
            let errors = TenantSettings::read(document).unwrap_err();
            assert!(errors[0].detail.starts_with("this member does not exist"), "{}", errors[0]);
        }
    }

    #[test]
    fn shown_document_can_be_sent_back() {
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
            assert_eq!(
                ClientSettings::read(document).unwrap_err().len(),
                crate::documents::MOST_FIELD_ERRORS
            );
        }
    }
}
