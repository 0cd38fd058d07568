//! A link to the console as a document.

use serde::{Deserialize, Serialize};

use super::Instant;
use super::schema::JsonSchema;

/// A link that opens the console once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleLink {
    /// The link under the server's public URL. Its fragment is a code, so no server sees the code in a
    /// request line.
    pub link: String,
    /// The same link under any other address of the server.
    pub path: String,
    /// When the link expires.
    pub expires_at: Instant,
    /// When the session of the link ends at the latest. Without requests the session ends earlier. Servers of
    /// earlier versions omit this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ends_at: Option<Instant>,
}
