//! The counters of one route on one worker. Their number is fixed: a status or code that is not in the tables has a place that all
//! such share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::{ErrorCode, SigningAlgorithm};

use super::histogram::{Histogram, HistogramSum};

/// Statuses that we answer with; what is first is found first.
const STATUSES: [u16; 21] =
    [200, 304, 400, 401, 403, 404, 405, 408, 413, 415, 500, 503, 201, 202, 204, 409, 412, 421, 422, 429, 431];
/// Their labels: `closed` is a caller who left before the answer.
pub(super) const STATUS_LABELS: [&str; 23] = [
    "200", "304", "400", "401", "403", "404", "405", "408", "413", "415", "500", "503", "201", "202", "204",
    "409", "412", "421", "422", "429", "431", "other", "closed",
];
const OTHER: usize = STATUSES.len();
const CLOSED: usize = OTHER + 1;

/// Labels of error codes, by [`place`]; an answer without one has the first.
pub(super) const ERROR_LABELS: [&str; 12] = [
    "",
    "invalid_request",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "insufficient_scope",
    "not_found",
    "temporarily_unavailable",
    "server_error",
];

/// Labels of algorithms, by [`algorithm_place`].
pub(super) const ALGORITHM_LABELS: [&str; 7] =
    ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];

/// Made when the route is used for the first time: most are not used by most workers.
#[derive(Default)]
pub(crate) struct Series(OnceLock<Box<Counts>>);

/// What became of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answered {
    /// None for a caller who left before the answer.
    pub(crate) status: Option<u16>,
    /// The code of a refusal.
    pub(crate) error: Option<ErrorCode>,
    /// What a token was signed with.
    pub(crate) signed: Option<SigningAlgorithm>,
}

#[derive(Default)]
pub(super) struct Counts {
    answers: [[AtomicU64; ERROR_LABELS.len()]; STATUS_LABELS.len()],
    signatures: [AtomicU64; ALGORITHM_LABELS.len()],
    latency: Histogram,
}

/// The numbers of several workers.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) answers: [[u64; ERROR_LABELS.len()]; STATUS_LABELS.len()],
    pub(super) signatures: [u64; ALGORITHM_LABELS.len()],
    pub(super) latency: HistogramSum,
}

impl Series {
    /// One request more.
    pub(crate) fn record(&self, answered: Answered, took: Duration) {
        let counts = self.0.get_or_init(Box::default);
        let status = match answered.status {
            Some(status) => STATUSES.iter().position(|known| *known == status).unwrap_or(OTHER),
            None => CLOSED,
        };
        counts.answers[status][answered.error.map_or(0, place)].fetch_add(1, Ordering::Relaxed);
        if let Some(algorithm) = answered.signed {
            counts.signatures[algorithm_place(algorithm)].fetch_add(1, Ordering::Relaxed);
        }
        counts.latency.record(took);
    }

    /// None when nothing was counted.
    pub(super) fn counts(&self) -> Option<&Counts> {
        self.0.get().map(|counts| &**counts)
    }
}

impl Sum {
    pub(super) fn add(&mut self, counts: &Counts) {
        let cells = self.answers.as_flattened_mut().iter_mut().zip(counts.answers.as_flattened());
        for (sum, count) in cells.chain(self.signatures.iter_mut().zip(&counts.signatures)) {
            *sum += count.load(Ordering::Relaxed);
        }
        self.latency.add(&counts.latency);
    }
}

const fn place(error: ErrorCode) -> usize {
    match error {
        ErrorCode::InvalidRequest => 1,
        ErrorCode::InvalidClient => 2,
        ErrorCode::UnauthorizedClient => 3,
        ErrorCode::UnsupportedGrantType => 4,
        ErrorCode::InvalidScope => 5,
        ErrorCode::InvalidTarget => 6,
        ErrorCode::InvalidToken => 7,
        ErrorCode::InsufficientScope => 8,
        ErrorCode::NotFound => 9,
        ErrorCode::TemporarilyUnavailable => 10,
        ErrorCode::ServerError => 11,
    }
}

const fn algorithm_place(algorithm: SigningAlgorithm) -> usize {
    match algorithm {
        SigningAlgorithm::RS256 => 0,
        SigningAlgorithm::RS384 => 1,
        SigningAlgorithm::RS512 => 2,
        SigningAlgorithm::PS256 => 3,
        SigningAlgorithm::ES256 => 4,
        SigningAlgorithm::ES384 => 5,
        SigningAlgorithm::EdDSA => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_match_the_counters_of_their_codes() {
        for error in [
            ErrorCode::InvalidRequest,
            ErrorCode::InvalidClient,
            ErrorCode::UnauthorizedClient,
            ErrorCode::UnsupportedGrantType,
            ErrorCode::InvalidScope,
            ErrorCode::InvalidTarget,
            ErrorCode::InvalidToken,
            ErrorCode::InsufficientScope,
            ErrorCode::NotFound,
            ErrorCode::TemporarilyUnavailable,
            ErrorCode::ServerError,
        ] {
            assert_eq!(ERROR_LABELS[place(error)], error.as_str());
        }
        for algorithm in [
            SigningAlgorithm::RS256,
            SigningAlgorithm::RS384,
            SigningAlgorithm::RS512,
            SigningAlgorithm::PS256,
            SigningAlgorithm::ES256,
            SigningAlgorithm::ES384,
            SigningAlgorithm::EdDSA,
        ] {
            assert_eq!(ALGORITHM_LABELS[algorithm_place(algorithm)], algorithm.to_string());
        }
        for (status, label) in STATUSES.iter().zip(STATUS_LABELS) {
            assert_eq!(status.to_string(), label);
        }
    }

    #[test]
    fn codes_of_no_table_share_one_counter() {
        let series = Series::default();
        assert!(series.counts().is_none());
        for status in [Some(200), Some(418), Some(599), None] {
            series.record(Answered { status, ..Answered::default() }, Duration::ZERO);
        }
        let mut sum = Sum::default();
        sum.add(series.counts().unwrap());
        assert_eq!((sum.answers[0][0], sum.answers[OTHER][0], sum.answers[CLOSED][0]), (1, 2, 1));
        assert_eq!(sum.answers.as_flattened().iter().sum::<u64>(), 4);
    }
}
