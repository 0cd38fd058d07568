//! The OpenAPI document. The program has the committed one. It is made with the feature `schemas`, for the
//! committed file and its tests.

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

pub(crate) const MERGED: &str = "RFC 7396: what is named changes, null sets the default, all else stays";
pub(crate) const NOT_MODIFIED: &str = "If-None-Match names what it is";
/// The account of the examples.
pub(crate) const ACCOUNT: &str = "usr_mfrggzdfmztwq2lknnwg23tpoa";

/// Operations that belong together: a name, a description, and the files that have them.
pub(crate) type Group = (&'static str, &'static str, &'static [fn() -> Vec<Operation>]);

/// A name in a path or a query, with a description and an example.
pub(crate) type NameInPath = (&'static str, &'static str, &'static str);

/// The method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Merges the members. If both have one, the second counts.
pub(crate) fn merged(mut of: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (of.as_object_mut(), more) {
        members.extend(more);
    }
    of
}

/// An example with the members that it leaves at their defaults.
pub(crate) fn whole<T: Serialize + DeserializeOwned>(example: Value) -> Value {
    serde_json::from_value::<T>(example).map_or(Value::Null, |whole| json!(whole))
}
