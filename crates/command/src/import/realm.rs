//! The parts of an exported Keycloak realm that the import reads. Versions differ in the members that they
//! leave out, so every member is optional.

use std::collections::BTreeMap;

use administration::Wiped;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::left_out::Others;
use super::shape::REALM;

/// A realm.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Realm {
    pub(super) realm: String,
    pub(super) display_name: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) access_token_lifespan: Option<i64>,
    pub(super) clients: Vec<RealmClient>,
    pub(super) client_scopes: Vec<ClientScope>,
    /// The client scopes of a client that names none, which a request need not name,
    pub(super) default_default_client_scopes: Option<Vec<String>>,
    /// and those that it names.
    pub(super) default_optional_client_scopes: Option<Vec<String>>,
    pub(super) users: Vec<Person>,
    #[serde(flatten)]
    pub(super) others: Others,
    /// The paths of what cannot be read.
    #[serde(skip)]
    pub(super) unread: Vec<String>,
}

impl Realm {
    /// Reads what Keycloak has exported, as Keycloak does.
    pub(super) fn from_json(mut json: Wiped) -> Result<Self, serde_json::Error> {
        let mut unread = Vec::new();
        REALM.fit(&mut json, "", &mut unread);
        Ok(Self { unread, ..serde_json::from_value(json.take())? })
    }
}

/// A client.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RealmClient {
    pub(super) client_id: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) root_url: Option<String>,
    pub(super) bearer_only: bool,
    pub(super) public_client: bool,
    pub(super) consent_required: bool,
    pub(super) standard_flow_enabled: Option<bool>,
    pub(super) service_accounts_enabled: bool,
    pub(super) client_authenticator_type: Option<String>,
    pub(super) secret: Option<RealmText>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) default_client_scopes: Option<Vec<String>>,
    pub(super) optional_client_scopes: Option<Vec<String>>,
    pub(super) protocol_mappers: Vec<Mapper>,
    pub(super) attributes: BTreeMap<String, RealmText>,
    #[serde(flatten)]
    pub(super) others: Others,
}

/// A client scope: a scope, or claims that clients share.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClientScope {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) attributes: BTreeMap<String, RealmText>,
    pub(super) protocol_mappers: Vec<Mapper>,
}

/// What puts something into tokens.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Mapper {
    protocol_mapper: String,
    config: BTreeMap<String, RealmText>,
}

/// A user.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Person {
    pub(super) id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) service_account_client_id: Option<String>,
    pub(super) credentials: Vec<RealmCredential>,
    #[serde(flatten)]
    pub(super) others: Others,
}

/// A credential of a user. Since Keycloak 8 its parts are JSON in texts; before, they were its members.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RealmCredential {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) value: Option<RealmText>,
    pub(super) secret_data: Option<RealmText>,
    pub(super) credential_data: Option<RealmText>,
    pub(super) hashed_salted_value: Option<RealmText>,
    pub(super) salt: Option<RealmText>,
    pub(super) hash_iterations: Option<i32>,
    pub(super) algorithm: Option<String>,
}

/// A text that may be a secret; switches and numbers are taken as Keycloak takes them, as texts.
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

/// A member of attributes that has a value.
pub(super) fn attribute<'a>(attributes: &'a BTreeMap<String, RealmText>, name: &str) -> Option<&'a str> {
    attributes.get(name).map(RealmText::as_str).filter(|text| !text.is_empty())
}

impl Mapper {
    /// The audience that the mapper puts into access tokens, if it does so.
    pub(super) fn audience(&self) -> Option<&str> {
        let is_audience = self.protocol_mapper == "oidc-audience-mapper"
            && attribute(&self.config, "access.token.claim") != Some("false");
        let named = ["included.custom.audience", "included.client.audience"];
        named.iter().find_map(|name| attribute(&self.config, name)).filter(|_| is_audience)
    }
}

/// A name or a description for people. Keycloak stores its own as `${…}` and translates them.
pub(super) fn readable(text: Option<&str>, longest: usize) -> Option<&str> {
    let is_fit = |text: &&str| {
        let is_line = !text.is_empty() && !text.chars().any(char::is_control);
        is_line && !text.starts_with("${") && text.chars().count() <= longest
    };
    text.filter(is_fit)
}
