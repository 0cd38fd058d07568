//! Counts the events of a source with the crate `metrics`.

use crate::observer::{Fetched, Observer, Served};

/// An observer that counts with the recorder that the service has installed for the crate
/// `metrics`: `latchkey_client_token_requests_total{outcome}`,
/// `latchkey_client_token_request_seconds{outcome}` and `latchkey_client_served_total{from}`,
/// whose values are those of [`crate::Outcome::name`] and [`Served::name`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics;

impl Observer for Metrics {
    fn fetched(&self, fetched: &Fetched<'_>) {
        let outcome = fetched.outcome.name();
        ::metrics::counter!("latchkey_client_token_requests_total", "outcome" => outcome).increment(1);
        ::metrics::histogram!("latchkey_client_token_request_seconds", "outcome" => outcome)
            .record(fetched.took);
    }

    fn served(&self, served: Served) {
        ::metrics::counter!("latchkey_client_served_total", "from" => served.name()).increment(1);
    }
}
