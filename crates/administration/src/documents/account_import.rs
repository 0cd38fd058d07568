//! A line of an import of accounts, and its result.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "schemas")]
use super::account::describe_password;
use super::schema::JsonSchema;
use super::{AccountSettings, FieldErrorView, FileSecret};
use crate::edit::FieldError;

/// The most errors that are reported for one line. An answer must not be much larger than its request.
const MOST_ERRORS: usize = 4;

/// An account to import, with `password`, `password_hash` or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = describe_password, transform = describe_hash)]
pub struct ImportedAccount {
    /// The password. Default: the person cannot sign in with a password.
    #[schemars(skip)]
    pub password: Option<FileSecret>,
    /// What another system stored of the password.
    #[schemars(skip)]
    pub password_hash: Option<FileSecret>,
    /// All else.
    #[serde(flatten)]
    pub settings: AccountSettings,
}

/// The result of importing one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedLine {
    /// The number of the line; the first line is 1.
    pub line: u32,
    /// The result.
    pub result: ImportResult,
    /// The new account, or the account that already has the line's identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"usr_mfrggzdfmztwq2lknnwg23tpoa", extend("pattern" = "^usr_[a-z2-7]{26}$"))]
    pub account_id: Option<String>,
    /// Why the line was refused: at most 4 errors. They never repeat a value that could be a password.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldErrorView>,
}

/// The result of importing a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImportResult {
    /// A new account was created.
    Created,
    /// An account already has the line's identifiers. Nothing was changed.
    Exists,
    /// Nothing was created; `errors` says why.
    Refused,
}

/// The schema cannot describe the forms of hashes.
#[cfg(feature = "schemas")]
fn describe_hash(schema: &mut schemars::Schema) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let description = "The password hash from another system: argon2id, argon2i, scrypt, pbkdf2-sha256 \
            or pbkdf2-sha512 as a PHC string, or bcrypt. Latchkey replaces it with its own hash when the \
            person signs in.";
        let member = json!({ "description": description, "type": ["string", "null"], "format": "password", "maxLength": 512 });
        members.insert("password_hash".to_owned(), member);
    }
}

impl ImportedLine {
    /// The result of a line that created this account, or whose account exists already.
    pub(crate) fn new(line: u32, result: ImportResult, account: &accounts::AccountId) -> Self {
        Self { line, result, account_id: Some(account.to_string()), errors: Vec::new() }
    }

    pub(crate) fn refused(line: u32, errors: Vec<FieldError>) -> Self {
        let errors = errors.into_iter().take(MOST_ERRORS);
        let errors = errors.map(FieldErrorView::from);
        Self { line, result: ImportResult::Refused, account_id: None, errors: errors.collect() }
    }
}
