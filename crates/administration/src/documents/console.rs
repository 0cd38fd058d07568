//! A link to the console as a document.

use serde::{Deserialize, Serialize};

use super::Instant;
use super::schema::JsonSchema;

/// A link that opens the console once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleLink {
    /// The link below the server's public URL. Its fragment is a code, which no
    /// server sees in a request line.
    pub link: String,
    /// The same below any other address of the server.
    pub path: String,
    /// Until when it is valid.
    pub expires_at: Instant,
    /// When the session of the link ends at the latest. It ends earlier without requests. Servers of
    /// earlier versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ends_at: Option<Instant>,
}
