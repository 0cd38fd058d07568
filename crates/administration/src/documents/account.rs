//! Accounts as documents of the operator's files and of the API. Passwords are never shown.

use accounts::{Account, AccountIdentifier};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use values::{Timestamp, skip_serializing_none};

use super::Instant;
use super::read::documents;
use super::schema::{self, JsonSchema};
use super::source::{FileSecret, PasswordSource};
use crate::kinds;
use crate::kinds::Permission;

/// A person who can sign in at a tenant, by an e-mail address, a user name, or both.
//
// Members that are never serialized are for files only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// The e-mail address, of one account of the tenant.
    #[schemars(extend("minLength" = 3, "maxLength" = 254, "pattern" = "@"))]
    pub email: Option<String>,
    /// Whether it is known that the address is the person's: the claim `email_verified`.
    pub email_verified: bool,
    /// The user name, of one account of the tenant. Upper case is read as lower case.
    #[schemars(extend("minLength" = 1, "maxLength" = 63, "pattern" = "^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub username: Option<String>,
    /// The password. Default: the person cannot sign in with one.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub password: Option<PasswordSource>,
    /// The identifier of the person in another system, of one account of the tenant.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub external_id: Option<String>,
    /// Standard claims (OpenID Connect Core §5.1): at most 16 KiB.
    pub claims: ClaimsSettings,
    /// The groups of the person: at most 200.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true))]
    pub groups: Vec<String>,
    /// What the person may do as an administrator of the tenant. No token has these scopes, and a
    /// person grants none to itself.
    #[schemars(extend("items" = schema::one_of(&Permission::NAMED.map(|(name, _)| name)), "uniqueItems" = true))]
    pub permissions: Vec<String>,
}

/// Standard claims of a person (OpenID Connect Core §5.1).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimsSettings {
    /// The whole name, as people read it.
    pub name: Option<String>,
    /// Given or first names.
    pub given_name: Option<String>,
    /// Surnames or last names.
    pub family_name: Option<String>,
    /// Middle names.
    pub middle_name: Option<String>,
    /// A casual name.
    pub nickname: Option<String>,
    /// The name that the person wants to be called by. Default: the user name.
    pub preferred_username: Option<String>,
    /// The URL of the profile page.
    pub profile: Option<String>,
    /// The URL of the picture.
    pub picture: Option<String>,
    /// The URL of the web page or blog.
    pub website: Option<String>,
    /// The gender, such as `female` or `male`.
    pub gender: Option<String>,
    /// The birthday: `YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY`.
    pub birthdate: Option<String>,
    /// The time zone, as `Europe/Paris`.
    pub zoneinfo: Option<String>,
    /// The language (RFC 5646), as `en-GB`.
    pub locale: Option<String>,
    /// The telephone number, as `+1 (425) 555-1212`.
    pub phone_number: Option<String>,
    /// Whether it is known that the number is the person's.
    pub phone_number_verified: Option<bool>,
    /// The postal address.
    pub address: Option<AddressSettings>,
}

/// A postal address (OpenID Connect Core §5.1.1).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressSettings {
    /// The whole address, as on a label, with its lines.
    pub formatted: Option<String>,
    /// Street, number and the like, with its lines.
    pub street_address: Option<String>,
    /// The city.
    pub locality: Option<String>,
    /// The state, province or prefecture.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country.
    pub country: Option<String>,
}

/// An account that is to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = describe_password)]
pub struct NewAccount {
    /// The password. Default: the person cannot sign in with one.
    #[schemars(skip)]
    pub password: Option<FileSecret>,
    /// All else.
    #[serde(flatten)]
    pub settings: AccountSettings,
}

/// The password of an account from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, extend("required" = ["password"]))]
pub struct NewPasswordSettings {
    /// The password: 15 characters or more, 1024 bytes at most, and not easily guessed.
    #[schemars(extend("minLength" = 15, "maxLength" = 1024, "format" = "password"))]
    pub password: Option<FileSecret>,
}

/// A link with which a person sets the password of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordLinkView {
    /// The link. Its holder sets the password, once; it is worth nothing once the password has changed or
    /// the sign-ins were ended.
    #[schemars(extend("format" = "uri"))]
    pub link: String,
    /// When it expires: a day after it was made.
    pub expires_at: Instant,
}

/// An account as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountView {
    /// Its id: the `sub` of its tokens.
    #[schemars(example = &"usr_mfrggzdfmztwq2lknnwg23tpoa", extend("pattern" = "^usr_[a-z2-7]{26}$"))]
    pub account_id: String,
    /// Whether the person can sign in. A `retired` account was declared in a file, and is no longer.
    #[schemars(example = &"active", extend("enum" = ["active", "suspended", "retired"]))]
    pub status: String,
    /// What declares it: the operator's files, or requests of this API.
    #[schemars(example = &"api", extend("enum" = schema::MANAGED_BY))]
    pub managed_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
    /// When its password was set. Null: it has none.
    pub password_changed_at: Option<Instant>,
    /// Sign-ins before this instant count no more.
    pub valid_from: Instant,
    /// Only in the answer to a grant that removed a password which another person had set or imported: the
    /// person sets a new one with this link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_link: Option<PasswordLinkView>,
    /// All else.
    #[serde(flatten)]
    pub settings: AccountSettings,
}

documents!(ACCOUNT: AccountSettings, NEW_ACCOUNT: NewAccount);

/// In the API this member is the password itself. In a file it says where the password is.
#[cfg(feature = "schemas")]
pub(super) fn describe_password(schema: &mut schemars::Schema) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let description = "The password: 15 characters or more, 1024 bytes at most, and not easily guessed. Default: the person \
                           cannot sign in with one.";
        let member = json!({ "description": description, "type": ["string", "null"], "format": "password" });
        members.insert("password".to_owned(), member);
    }
}

impl ClaimsSettings {
    /// The claims in the form that an account stores.
    pub(crate) fn members(&self) -> Map<String, Value> {
        match json!(self) {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

impl From<&Account> for AccountSettings {
    fn from(account: &Account) -> Self {
        let text = |held: Option<&AccountIdentifier>| held.map(|held| held.identifier.to_string());
        Self {
            email: text(account.email()),
            email_verified: account.email().is_some_and(|email| email.verified_at.is_some()),
            username: text(account.username()),
            password: None,
            external_id: account.external_id.clone(),
            // The document leaves out claims that only a newer version knows.
            claims: serde_json::from_value(Value::Object(account.claims.clone())).unwrap_or_default(),
            groups: account.groups.clone(),
            permissions: account.permissions.iter().map(|token| token.as_str().to_owned()).collect(),
        }
    }
}

impl From<&kinds::account::State> for AccountView {
    fn from(state: &kinds::account::State) -> Self {
        let kinds::account::State { account, lifecycle, .. } = state;
        Self {
            account_id: account.id.to_string(),
            status: lifecycle.status().to_owned(),
            managed_by: lifecycle.managed_by.as_str().to_owned(),
            created_at: lifecycle.created_at.into(),
            updated_at: lifecycle.updated_at.into(),
            password_changed_at: account.password_changed_at.map(Timestamp::into),
            valid_from: account.valid_from.into(),
            password_link: None,
            settings: AccountSettings::from(account),
        }
    }
}
