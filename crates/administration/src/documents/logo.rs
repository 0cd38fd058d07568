//! A tenant's logo as a document. A request may contain the picture; answers contain only its digest.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tenancy::Logo;

use super::schema::{self, JsonSchema};

/// A picture: `data`, or `file` in a settings file. Responses contain its `hash`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = one_place)]
pub struct LogoSettings {
    /// A file with the picture, relative to the file that names it.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub file: Option<PathBuf>,
    /// The picture in base64 (RFC 4648 §4).
    #[serde(skip_serializing)]
    #[schemars(extend("pattern" = schema::BASE64))]
    pub data: Option<String>,
    /// The SHA-256 of the picture in base64url. A request with `hash` and without `data` keeps the picture.
    #[schemars(example = &"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg")]
    pub hash: Option<String>,
}

/// A request has the picture in one of two members. An answer has neither.
#[cfg(feature = "schemas")]
fn one_place(schema: &mut schemars::Schema) {
    if schema.pointer("/properties/data").is_some() {
        schema::exactly_one(schema, ["file", "data"]);
    }
}

impl From<&Logo> for LogoSettings {
    fn from(logo: &Logo) -> Self {
        Self { hash: Some(logo.hash().to_owned()), ..Self::default() }
    }
}
