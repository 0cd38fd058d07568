//! Tests the series that a recorder of the crate `metrics` receives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use latchkey_client::Metrics;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::builder;
use crate::stub::{Reply, Stub};

/// Counts the values of each series.
#[derive(Clone, Default)]
struct Series(Arc<Mutex<BTreeMap<String, u64>>>);

struct Named {
    all: Series,
    name: String,
}

impl Series {
    fn of(&self, key: &Key) -> Arc<Named> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Named { all: self.clone(), name: format!("{}{{{}}}", key.name(), labels.join(",")) })
    }
}

impl CounterFn for Named {
    fn increment(&self, value: u64) {
        *self.all.0.lock().unwrap().entry(self.name.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {
        panic!("a counter counts")
    }
}

impl HistogramFn for Named {
    fn record(&self, seconds: f64) {
        assert!((0.0..5.0).contains(&seconds), "{seconds}");
        self.increment(1);
    }
}

impl Recorder for Series {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

#[tokio::test]
async fn requests_and_callers_are_counted() {
    let series = Series::default();
    let _guard = metrics::set_default_local_recorder(&series);
    let stub = Stub::good_after(|| Reply::json(503, ""));
    let tokens = builder(&stub.await).observer(Metrics).build().unwrap();
    for _ in 0..3 {
        tokens.token().await.unwrap();
    }
    let found: Vec<_> = series.0.lock().unwrap().clone().into_iter().collect();
    let expected = [
        ("latchkey_client_served_total{from=cache}", 2),
        ("latchkey_client_served_total{from=waited}", 1),
        ("latchkey_client_token_request_seconds{outcome=granted}", 1),
        ("latchkey_client_token_request_seconds{outcome=unavailable}", 1),
        ("latchkey_client_token_requests_total{outcome=granted}", 1),
        ("latchkey_client_token_requests_total{outcome=unavailable}", 1),
    ];
    assert_eq!(found, expected.map(|(name, count)| (name.to_owned(), count)));
}
