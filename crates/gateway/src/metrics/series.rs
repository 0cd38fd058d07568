//! The counters of one route on one worker. Their number is fixed: all statuses and codes outside
//! the tables share one counter.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keys::KeyAlgorithm;
use protocol::{ErrorCode, PresentedMethod};

use super::histogram::Histogram;
use crate::authentication::{AttemptedAuthentication, AuthenticationOutcome, ProofOutcome};
use crate::request::RequestLogFields;

/// The statuses of this server, the most frequent first, because the search is linear.
pub(super) const STATUSES: [u16; 21] =
    [200, 304, 400, 401, 403, 404, 405, 408, 413, 415, 500, 503, 201, 202, 204, 409, 412, 421, 422, 429, 431];
/// The index for every other status.
pub(super) const OTHER: usize = STATUSES.len();
/// The index for a caller that hung up before the response.
pub(super) const CLOSED: usize = OTHER + 1;

/// Allocated at the first request, because most workers never use most routes.
#[derive(Default)]
pub(crate) struct Series(OnceLock<Box<SeriesCounts>>);

/// The counters of one worker, or the sums of several.
#[derive(Default)]
pub(super) struct SeriesCounts {
    pub(super) answers: [[AtomicU64; 1 + ErrorCode::ALL.len()]; CLOSED + 1],
    pub(super) signatures: [AtomicU64; KeyAlgorithm::COUNT],
    /// By method, then by outcome.
    pub(super) authentications: [[AtomicU64; AuthenticationOutcome::ALL.len()]; PresentedMethod::ALL.len()],
    pub(super) proofs: [AtomicU64; ProofOutcome::ALL.len()],
    pub(super) dpop_bound: AtomicU64,
    pub(super) latency: Histogram,
}

impl Series {
    /// `status` is `None` if the caller hung up before the response.
    pub(crate) fn record(
        &self,
        status: Option<u16>,
        error: Option<ErrorCode>,
        fields: &RequestLogFields,
        took: Duration,
    ) {
        let counts = self.0.get_or_init(Box::default);
        let status = match status {
            Some(status) => STATUSES.iter().position(|known| *known == status).unwrap_or(OTHER),
            None => CLOSED,
        };
        let error = error.map_or(0, |error| 1 + error as usize);
        counts.answers[status][error].fetch_add(1, Ordering::Relaxed);
        let signatures = fields.signed.and_then(|algorithm| counts.signatures.get(algorithm.index()));
        if let Some(signatures) = signatures {
            signatures.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(AttemptedAuthentication { method, outcome }) = fields.authentication {
            counts.authentications[method as usize][outcome as usize].fetch_add(1, Ordering::Relaxed);
        }
        if let Some(outcome) = fields.proof {
            counts.proofs[outcome as usize].fetch_add(1, Ordering::Relaxed);
        }
        if fields.is_dpop_bound {
            counts.dpop_bound.fetch_add(1, Ordering::Relaxed);
        }
        counts.latency.record(took);
    }

    /// `None` if there were no requests.
    pub(super) fn counts(&self) -> Option<&SeriesCounts> {
        self.0.get().map(|counts| &**counts)
    }
}

impl SeriesCounts {
    pub(super) fn add(&mut self, other: &Self) {
        let answers = self.answers.as_flattened_mut().iter_mut().zip(other.answers.as_flattened());
        let authentications = self.authentications.as_flattened_mut().iter_mut();
        let authentications = authentications.zip(other.authentications.as_flattened());
        let signatures = self.signatures.iter_mut().zip(&other.signatures);
        let proofs = self.proofs.iter_mut().zip(&other.proofs);
        let dpop = proofs.chain([(&mut self.dpop_bound, &other.dpop_bound)]);
        for (sum, count) in answers.chain(signatures).chain(authentications).chain(dpop) {
            *sum.get_mut() += count.load(Ordering::Relaxed);
        }
        self.latency.add(&other.latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_labels_match_their_enum_positions() {
        for (place, algorithm) in KeyAlgorithm::all().enumerate() {
            assert_eq!(algorithm.index(), place);
        }
        for (place, method) in PresentedMethod::ALL.iter().enumerate() {
            assert_eq!(*method as usize, place);
        }
        for (place, outcome) in AuthenticationOutcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
        }
        for (place, outcome) in ProofOutcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
        }
    }

    #[test]
    fn unlisted_status_codes_share_one_counter() {
        let series = Series::default();
        assert!(series.counts().is_none());
        for status in [Some(200), Some(418), Some(599), None] {
            series.record(status, None, &RequestLogFields::default(), Duration::ZERO);
        }
        let mut sum = SeriesCounts::default();
        sum.add(series.counts().unwrap());
        let answers = sum.answers.map(|counts| counts.map(AtomicU64::into_inner));
        assert_eq!((answers[0][0], answers[OTHER][0], answers[CLOSED][0]), (1, 2, 1));
        assert_eq!(answers.as_flattened().iter().sum::<u64>(), 4);
    }
}
