//! Logs responses to bytes that never became a request. `WatchedStream` answers a head that is late
//! or too large. The HTTP library answers bytes that are not HTTP. Both close the connection.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_http::error::{DispatchError, ParseError};
use actix_web::http::StatusCode;
use actix_web::rt::time::Instant;

use super::log_entry::LogEntry;
use crate::connection::Deadlines;
use crate::metrics::Series;

/// Writes a log line if the connection ended with such a response.
pub(crate) fn log_unparsed(
    unknown: &Arc<Series>,
    deadlines: &Deadlines,
    peer: Option<SocketAddr>,
    ended: &Result<(), DispatchError>,
) {
    let (status, since) = match (ended, deadlines.refused()) {
        (_, Some(refused)) => refused,
        (Err(DispatchError::Parse(error)), None) => {
            let status = match error {
                ParseError::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, deadlines.head_since(Instant::now()))
        }
        (_, None) => return,
    };
    drop(LogEntry::unparsed(Arc::clone(unknown), status, since, peer.map(|peer| peer.ip().to_canonical())));
}
