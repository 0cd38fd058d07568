//! The parts of an exported Keycloak realm that the import reads. Versions of Keycloak omit different
//! members, so every member is optional.

use std::collections::BTreeMap;

use administration::documents::Wiped;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::left_out::Others;
use super::shape::ExportShape::{self, List, Map, Named, Number, Object, Switch, Text};

/// Defines an object of the export: each member with its name in the export, its type here, and the shape in
/// which it is read. Further fields follow in parentheses.
macro_rules! exported {
    ($(
        $(#[$about:meta])*
        $object:ident = $kind:ident { $($(#[$of:meta])* $name:literal $field:ident: $type:ty = $shape:expr,)+ }
        $(($($further:tt)+))?
    )+) => {$(
        $(#[$about])*
        #[derive(Default, Deserialize)]
        #[serde(default)]
        pub(super) struct $object {
            $($(#[$of])* #[serde(rename = $name)] pub(super) $field: $type,)+
            $($($further)+)?
        }

        impl $object {
            pub(super) const SHAPE: ExportShape = $kind(&[$(($name, $shape)),+]);
        }
    )+};
}

const TEXTS: ExportShape = List(&Text);
const ATTRIBUTES: ExportShape = Map(&Text);
const MAPPERS: ExportShape = List(&Mapper::SHAPE);

exported! {
    Realm = Object {
        "realm" realm: String = Text,
        "displayName" display_name: Option<String> = Text,
        "enabled" enabled: Option<bool> = Switch(false),
        "accessTokenLifespan" access_token_lifespan: Option<i64> = Number,
        "clients" clients: Vec<RealmApplication> = List(&RealmApplication::SHAPE),
        "clientScopes" client_scopes: Vec<RealmScope> = List(&RealmScope::SHAPE),
        /// Client scopes that every request of a client gets, if the client lists no default scopes.
        "defaultDefaultClientScopes" default_default_client_scopes: Option<Vec<String>> = TEXTS,
        /// Client scopes that a request must name, if the client lists no optional scopes.
        "defaultOptionalClientScopes" default_optional_client_scopes: Option<Vec<String>> = TEXTS,
        "users" users: Vec<Person> = List(&Person::SHAPE),
    } (
        #[serde(flatten)]
        pub(super) others: Others,
        /// The paths of unreadable members.
        #[serde(skip)]
        pub(super) unread: Vec<String>,
    )

    RealmApplication = Named {
        "clientId" client_id: String = Text,
        "name" name: Option<String> = Text,
        "description" description: Option<String> = Text,
        "protocol" protocol: Option<String> = Text,
        "enabled" enabled: Option<bool> = Switch(false),
        "rootUrl" root_url: Option<String> = Text,
        "bearerOnly" bearer_only: bool = Switch(false),
        "publicClient" public_client: bool = Switch(false),
        "consentRequired" consent_required: bool = Switch(true),
        "standardFlowEnabled" standard_flow_enabled: Option<bool> = Switch(false),
        "serviceAccountsEnabled" service_accounts_enabled: bool = Switch(false),
        "clientAuthenticatorType" client_authenticator_type: Option<String> = Text,
        "secret" secret: Option<RealmText> = Text,
        "redirectUris" redirect_uris: Vec<String> = TEXTS,
        "defaultClientScopes" default_client_scopes: Option<Vec<String>> = TEXTS,
        "optionalClientScopes" optional_client_scopes: Option<Vec<String>> = TEXTS,
        "protocolMappers" protocol_mappers: Vec<Mapper> = MAPPERS,
        "attributes" attributes: BTreeMap<String, RealmText> = ATTRIBUTES,
    } (#[serde(flatten)] pub(super) others: Others,)

    RealmScope = Named {
        "name" name: String = Text,
        "description" description: Option<String> = Text,
        "protocol" protocol: Option<String> = Text,
        "attributes" attributes: BTreeMap<String, RealmText> = ATTRIBUTES,
        "protocolMappers" protocol_mappers: Vec<Mapper> = MAPPERS,
    }

    /// A protocol mapper, which adds claims or audiences to tokens.
    Mapper = Object {
        "protocolMapper" protocol_mapper: String = Text,
        "config" config: BTreeMap<String, RealmText> = ATTRIBUTES,
    }

    Person = Object {
        "id" id: Option<String> = Text,
        "username" username: Option<String> = Text,
        "email" email: Option<String> = Text,
        "emailVerified" email_verified: bool = Switch(false),
        "firstName" first_name: Option<String> = Text,
        "lastName" last_name: Option<String> = Text,
        "enabled" enabled: Option<bool> = Switch(false),
        "serviceAccountClientId" service_account_client_id: Option<String> = Text,
        "credentials" credentials: Vec<RealmCredential> = List(&RealmCredential::SHAPE),
    } (#[serde(flatten)] pub(super) others: Others,)

    /// A credential of a user. Since Keycloak 8 its parts are JSON within texts. Before, they were members.
    RealmCredential = Object {
        "type" kind: Option<String> = Text,
        "value" value: Option<RealmText> = Text,
        "secretData" secret_data: Option<RealmText> = Text,
        "credentialData" credential_data: Option<RealmText> = Text,
        "hashedSaltedValue" hashed_salted_value: Option<RealmText> = Text,
        "salt" salt: Option<RealmText> = Text,
        "hashIterations" hash_iterations: Option<i32> = Number,
        "algorithm" algorithm: Option<String> = Text,
    }
}

impl Realm {
    /// Reads the export leniently, as Keycloak itself does.
    pub(super) fn from_json(mut json: Wiped) -> Result<Self, serde_json::Error> {
        let mut unread = Vec::new();
        Self::SHAPE.fit(&mut json, "", &mut unread);
        Ok(Self { unread, ..serde_json::from_value(json.take())? })
    }
}

/// A text that may be a secret. Booleans and numbers become texts, as in Keycloak.
pub(super) struct RealmText(pub(super) Zeroizing<String>);

impl RealmText {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for RealmText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Zeroizing::new(match Wiped::new(Value::deserialize(deserializer)?).take() {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        })))
    }
}

/// An attribute with a value.
pub(super) fn attribute<'a>(attributes: &'a BTreeMap<String, RealmText>, name: &str) -> Option<&'a str> {
    attributes.get(name).map(RealmText::as_str).filter(|text| !text.is_empty())
}

impl Mapper {
    /// The audience that the mapper adds to access tokens, if any.
    pub(super) fn audience(&self) -> Option<&str> {
        let is_audience = self.protocol_mapper == "oidc-audience-mapper"
            && attribute(&self.config, "access.token.claim") != Some("false");
        let named = ["included.custom.audience", "included.client.audience"];
        named.iter().find_map(|name| attribute(&self.config, name)).filter(|_| is_audience)
    }
}

/// A name or a description for people. Keycloak stores its own as `${…}`, which it translates; these are left
/// out.
pub(super) fn readable(text: Option<&str>, longest: usize) -> Option<&str> {
    let is_fit = |text: &&str| {
        let is_line = !text.is_empty() && !text.chars().any(char::is_control);
        is_line && !text.starts_with("${") && text.chars().count() <= longest
    };
    text.filter(is_fit)
}
