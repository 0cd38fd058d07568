//! Waits for a server that is busy.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, Result, StatusCode};
use tokio::time::sleep;

/// The longest total time that one request waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_secs(1);

/// Sends a request again while the server answers 503. Waits before each attempt as long as the server asks.
pub(crate) async fn wait_for_room(send: impl AsyncFn() -> Result<Response>) -> Result<Response> {
    let mut left = LONGEST_WAIT;
    loop {
        let answer = send().await?;
        match pause(answer.status(), answer.headers(), left) {
            Some(pause) => {
                sleep(pause).await;
                left -= pause;
            }
            None => return Ok(answer),
        }
    }
}

/// The pause before the next attempt. `None` if this is the final answer. A date in `Retry-After` (RFC 9110
/// §10.2.3) is ignored, because no part of the platform sends one.
fn pause(status: StatusCode, headers: &HeaderMap, left: Duration) -> Option<Duration> {
    if status != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    let pause = Duration::from_secs(seconds).max(SHORTEST);
    (pause <= left).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_503_with_retry_after_is_retried() {
        let pause = |status, value: &str, left| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            let status = StatusCode::from_u16(status).unwrap();
            super::pause(status, &headers, Duration::from_secs(left)).map(|pause| pause.as_secs())
        };
        for (status, value, left, expected) in [
            (503, "7", 60, Some(7)),
            (503, "0", 60, Some(1)),
            (503, "60", 60, Some(60)),
            (503, "61", 60, None),
            (503, "2", 1, None),
            (503, "0", 0, None),
            (503, "soon", 60, None),
            (503, "18446744073709551615", 60, None),
            (429, "7", 60, None),
            (200, "7", 60, None),
        ] {
            assert_eq!(pause(status, value, left), expected, "{status} {value} {left}");
        }
        assert_eq!(super::pause(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), LONGEST_WAIT), None);
    }
}
