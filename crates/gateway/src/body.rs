//! A request's body, read whole: never more than we take, never longer than we wait, only of a type that is read here.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::rt::time::timeout;
use actix_web::web::BytesMut;
use futures_util::StreamExt as _;
use protocol::ErrorResponse;

use crate::respond::Refusal;

/// No body that we read is larger.
const LIMIT: usize = 64 * 1024;
/// A body must be complete within this time of its head.
const DEADLINE: Duration = Duration::from_secs(10);

/// There is no body to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("The request body is incomplete")]
    Incomplete,
    #[error("The request body is larger than 65536 bytes")]
    TooLarge,
    #[error("The request body took too long to come")]
    TooSlow,
    #[error("The Content-Type header was sent more than once")]
    TwoTypes,
    /// What it must be.
    #[error("The request body must be {0}")]
    MediaType(&'static str),
}

/// Reads it; `announced` is its length as the head gives it.
pub(crate) async fn read(payload: &mut Payload, announced: Option<usize>) -> Result<BytesMut, BodyError> {
    if announced.is_some_and(|length| length > LIMIT) {
        return Err(BodyError::TooLarge);
    }
    timeout(DEADLINE, collect(payload)).await.map_err(|_| BodyError::TooSlow)?
}

impl BodyError {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Incomplete | Self::TwoTypes => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// Whether what is still to come would be taken for the next request.
    pub(crate) const fn ends_connection(self) -> bool {
        matches!(self, Self::TooLarge | Self::TooSlow)
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let refusal = Self::new(error.status(), ErrorResponse::invalid_request(error.to_string()));
        if error.ends_connection() { refusal.closing() } else { refusal }
    }
}

async fn collect(payload: &mut Payload) -> Result<BytesMut, BodyError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Incomplete)?;
        if body.len() + chunk.len() > LIMIT {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
