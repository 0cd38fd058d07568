//! A whole answer of the server, read within a bound.

use reqwest::header::HeaderMap;
use reqwest::{Response, Url};
use zeroize::Zeroizing;

use crate::error::TokenError;

/// Longer answers are read no further.
const LARGEST: usize = 64 * 1024;

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    pub(crate) async fn from_response(mut response: Response) -> Result<Self, TokenError> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // The buffer has room for the largest answer: a growing buffer leaves copies of the token in memory.
        let mut body = Zeroizing::new(Vec::with_capacity(LARGEST));
        while let Some(chunk) = response.chunk().await.map_err(TokenError::unavailable)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(unusable(response.url(), format!("it is longer than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, headers, body })
    }
}

pub(crate) fn unusable(from: &Url, why: String) -> TokenError {
    TokenError::Unusable { from: from.to_string(), why, retry_after: None }
}
