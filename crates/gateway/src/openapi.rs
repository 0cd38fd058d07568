//! The OpenAPI document. The program contains the committed document. The feature `schemas`
//! generates the document from the types, for `docs/openapi.json` and its tests.

mod embedded;
#[cfg(feature = "schemas")]
mod errors;
#[cfg(feature = "schemas")]
mod examples;
#[cfg(feature = "schemas")]
mod forms;
#[cfg(feature = "schemas")]
mod made;
#[cfg(feature = "schemas")]
mod operation;
#[cfg(feature = "schemas")]
mod paths;
mod reference;
#[cfg(feature = "schemas")]
mod schemas;
#[cfg(feature = "schemas")]
mod tags;
#[cfg(not(feature = "schemas"))]
mod undescribed;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use crate::request::MERGE_PATCH;
pub(crate) use embedded::{DOCUMENT, SETTINGS_SCHEMA, document_of};
pub use embedded::{openapi_document, settings_schema};
#[cfg(feature = "schemas")]
pub use made::openapi_of_types;
#[cfg(feature = "schemas")]
pub(crate) use operation::{Operation, admin};
pub(crate) use reference::reference;
#[cfg(not(feature = "schemas"))]
pub(crate) use undescribed::{Operation, admin};

pub(crate) const MERGED: &str = "RFC 7396: members that you send change, null restores the default, and all \
    other members stay";
pub(crate) const NOT_MODIFIED: &str = "If-None-Match contains the current ETag";
/// The account in the examples.
pub(crate) const ACCOUNT: &str = "usr_mfrggzdfmztwq2lknnwg23tpoa";

/// A tag of the document: its name, its description, and the functions that return its operations.
pub(crate) type Group = (&'static str, &'static str, &'static [fn() -> Vec<Operation>]);

/// A parameter of a path or query: its name, a description and an example.
pub(crate) type NameInPath = (&'static str, &'static str, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// If both have a member, `more` wins.
pub(crate) fn merged(mut of: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (of.as_object_mut(), more) {
        members.extend(more);
    }
    of
}

/// Adds members with default values to an example.
pub(crate) fn whole<T: Serialize + DeserializeOwned>(example: Value) -> Value {
    serde_json::from_value::<T>(example).map_or(Value::Null, |whole| json!(whole))
}
