//! The facts about a source for a health page.

use std::time::Duration;

use crate::error::TokenError;

/// The state of one cached token. No part is secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// How long the cached token is still valid, if there is one.
    pub expires_in: Option<Duration>,
    /// When its renewal is due. Zero if that is now.
    pub renews_in: Option<Duration>,
    /// Whether a request is running.
    pub is_renewing: bool,
    /// Why the last request failed, if no token came since.
    pub last_error: Option<TokenError>,
    /// When the next request may begin after that failure. Zero if that is now.
    pub retry_in: Option<Duration>,
}

impl Status {
    /// Whether calls get a token now without waiting.
    pub const fn has_token(&self) -> bool {
        self.expires_in.is_some()
    }
}
