//! A credential of a client, as the refusal of a grant lists it.

use serde::{Deserialize, Serialize};

use super::schema::JsonSchema;

/// A credential that a client already has when a change grants it a `latchkey:` scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveCredential {
    /// Identifies the credential in `keep_credentials`. No other credential ever gets the same id.
    #[schemars(example = &"s1")]
    pub id: String,
    /// The kind of credential.
    #[schemars(extend("enum" = LiveCredential::KINDS))]
    pub kind: String,
    /// A description for people: the hint of a secret, the thumbprint of a key, a URL, or a name.
    #[schemars(example = &"qTbX")]
    pub value: String,
    /// Who created it, in the audit log's notation; `unknown` if the audit log has no record of its creation.
    #[schemars(example = &"client:initech/ops")]
    pub created_by: String,
    /// The field of the client that has it, and its text there. A secret has a row of its own.
    #[serde(skip)]
    pub(crate) place: Option<(String, String)>,
}

impl LiveCredential {
    /// All kinds: the words of the audit, or the member of the client.
    pub const KINDS: [&'static str; 6] =
        ["client_secret", "public_key", "jwks_uri", "trust_rule", "certificate_subject", "rotate"];
    /// Who created a credential, if the audit has no record of its creation.
    pub const UNKNOWN: &'static str = "unknown";
}
