//! Repeats a request with the same idempotency key if its outcome is unknown: the store did not answer the
//! commit, or the answer was lost. The key prevents that the change is made twice.

use std::io::Write as _;
use std::time::Duration;

use anstream::stderr;
use reqwest::{Method, StatusCode};
use tokio::time::{Instant, sleep};

use super::answer::ApiAnswer;
use super::error::AdminApiError;
use super::request::ApiRequest;

/// How long a request is repeated. A failover of PostgreSQL takes about 20 s.
const LONGEST: Duration = Duration::from_secs(60);
/// The first pause. Each further pause is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

pub(super) struct RequestAttempts<'r> {
    request: &'r ApiRequest,
    until: Instant,
    pause: Duration,
    /// Whether an earlier attempt may have succeeded.
    may_be_done: bool,
}

impl<'r> RequestAttempts<'r> {
    pub(super) fn new(request: &'r ApiRequest) -> Self {
        Self { request, until: Instant::now() + LONGEST, pause: FIRST_PAUSE, may_be_done: false }
    }

    /// Handles the result of an attempt. Returns `None` after a pause, if the caller must send the request
    /// again.
    pub(super) async fn take(
        &mut self,
        answered: anyhow::Result<ApiAnswer>,
    ) -> Option<anyhow::Result<ApiAnswer>> {
        let is_first = self.pause == FIRST_PAUSE;
        let (is_lost, is_passing) = outcome(&answered);
        let changes = !self.request.only_reads;
        self.may_be_done |= is_lost && changes;
        let repeats = (is_lost && (changes || is_first)) || (self.may_be_done && is_passing);
        if repeats && Instant::now() + self.pause < self.until {
            if is_first && changes {
                say(
                    "the change may already have taken effect. Repeating the request with the same Idempotency-Key",
                );
            }
            sleep(self.pause).await;
            self.pause = LONGEST_PAUSE.min(2 * self.pause);
            return None;
        }
        if !self.may_be_done {
            return Some(answered);
        }
        Some(match answered {
            // An earlier attempt has deleted the row.
            Ok(answer) if self.request.method == Method::DELETE && answer.status == StatusCode::NOT_FOUND => {
                Ok(ApiAnswer { status: StatusCode::NO_CONTENT, body: Vec::new().into(), cause: None })
            }
            Ok(answer) if answer.status.is_success() => Ok(answer),
            refused => {
                say("the change may have taken effect anyway. Check before you repeat the command");
                refused
            }
        })
    }
}

/// Returns whether it is unknown if the request succeeded, and whether it failed because of an outage.
fn outcome(answered: &anyhow::Result<ApiAnswer>) -> (bool, bool) {
    match answered {
        Ok(answer) => (answer.may_be_done(), answer.status.is_server_error()),
        Err(error) => match error.downcast_ref() {
            Some(AdminApiError::Unreachable(error)) => {
                let was_sent = !error.is_builder() && !error.is_connect();
                (was_sent, !error.is_builder())
            }
            Some(AdminApiError::StoreNotOpen(_)) => (false, true),
            _ => (false, false),
        },
    }
}

fn say(what: &str) {
    let _ = writeln!(stderr(), "{what}");
}
