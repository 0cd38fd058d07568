//! Where config.yaml says that an administrator's password is found.

use std::path::PathBuf;

use administration::FileSecret;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::schema;

/// The password of an administrator: exactly one of `value`, `env`, `file` and `hash`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut Schema| schema::exactly_one(schema, ["value", "env", "file", "hash"]))]
pub(crate) struct PasswordSetting {
    /// The password itself. Start is refused with it on a listener beyond loopback.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::NAME))]
    pub value: Option<FileSecret>,
    /// The environment variable that holds the password.
    pub env: Option<String>,
    /// The file that holds the password; one newline at its end is left out. Relative to the file that names it.
    pub file: Option<PathBuf>,
    /// The argon2id hash of the password (m=19456, t=2, p=1) as a PHC string.
    #[schemars(extend("pattern" = schema::PHC))]
    pub hash: Option<FileSecret>,
}
