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

/// A person who can sign in at a tenant with an email address, a user name, or both.
//
// Members that are never serialized are for files only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// The email address. Only one account of the tenant can have it.
    #[schemars(extend("minLength" = 3, "maxLength" = 254, "pattern" = "@"))]
    pub email: Option<String>,
    /// Whether the address was verified as the person's: the claim `email_verified`.
    pub email_verified: bool,
    /// The user name. Only one account of the tenant can have it. Latchkey reads upper case as lower case.
    #[schemars(extend("minLength" = 1, "maxLength" = 63, "pattern" = "^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub username: Option<String>,
    /// The password. Default: the person cannot sign in with a password.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub password: Option<PasswordSource>,
    /// The person's identifier in another system. Only one account of the tenant can have it.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub external_id: Option<String>,
    /// Standard claims (OpenID Connect Core §5.1): at most 16 KiB.
    pub claims: ClaimsSettings,
    /// The groups of the person: at most 200.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true))]
    pub groups: Vec<String>,
    /// The person's administrator permissions in the tenant. Tokens do not contain these scopes, and people
    /// cannot grant them to themselves.
    #[schemars(extend("items" = schema::one_of(&Permission::NAMED.map(|(name, _)| name)), "uniqueItems" = true))]
    pub permissions: Vec<String>,
}

/// Standard claims of a person (OpenID Connect Core §5.1).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimsSettings {
    /// The full name for display.
    pub name: Option<String>,
    /// Given or first names.
    pub given_name: Option<String>,
    /// Surnames or last names.
    pub family_name: Option<String>,
    /// Middle names.
    pub middle_name: Option<String>,
    /// A casual name.
    pub nickname: Option<String>,
    /// The name that the person likes to be called. Default: the user name.
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
    /// The time zone, such as `Europe/Paris`.
    pub zoneinfo: Option<String>,
    /// The language (RFC 5646), such as `en-GB`.
    pub locale: Option<String>,
    /// The telephone number, such as `+1 (425) 555-1212`.
    pub phone_number: Option<String>,
    /// Whether the number was verified as the person's.
    pub phone_number_verified: Option<bool>,
    /// The postal address.
    pub address: Option<AddressSettings>,
}

/// A postal address (OpenID Connect Core §5.1.1).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressSettings {
    /// The full address, as on a label, including line breaks.
    pub formatted: Option<String>,
    /// Street, house number and similar parts, including line breaks.
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

/// A new account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = describe_password)]
pub struct NewAccount {
    /// The password. Default: the person cannot sign in with a password.
    #[schemars(skip)]
    pub password: Option<FileSecret>,
    /// All else.
    #[serde(flatten)]
    pub settings: AccountSettings,
}

/// The new password of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, extend("required" = ["password"]))]
pub struct NewPasswordSettings {
    /// The password: at least 15 characters, at most 1024 bytes, and not easy to guess.
    #[schemars(extend("minLength" = 15, "maxLength" = 1024, "format" = "password"))]
    pub password: Option<FileSecret>,
}

/// A link with which a person sets the password of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordLinkView {
    /// The link. Whoever has it can set the password once. It becomes invalid if the password changes or the
    /// sign-ins are revoked.
    #[schemars(extend("format" = "uri"))]
    pub link: String,
    /// When it expires: one day after it was created.
    pub expires_at: Instant,
}

/// An account with its current state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountView {
    /// Its id: the `sub` of its tokens.
    #[schemars(example = &"usr_mfrggzdfmztwq2lknnwg23tpoa", extend("pattern" = "^usr_[a-z2-7]{26}$"))]
    pub account_id: String,
    /// Whether the person can sign in. A `retired` account was declared in a file and no longer is.
    #[schemars(example = &"active", extend("enum" = ["active", "suspended", "retired"]))]
    pub status: String,
    /// Whether the operator's files or requests to this API manage it.
    #[schemars(example = &"api", extend("enum" = schema::MANAGED_BY))]
    pub managed_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
    /// When its password was set. Null: it has no password.
    pub password_changed_at: Option<Instant>,
    /// Sign-ins before this time are no longer valid.
    pub valid_from: Instant,
    /// Only in the response to a grant of a permission that removed a password which someone else had set or
    /// imported: with this link the person sets a new password.
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
        let description = "The password: at least 15 characters, at most 1024 bytes, and not easy to guess. \
            Default: the person cannot sign in with a password.";
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
