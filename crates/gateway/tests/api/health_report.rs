//! A health report that tests set.

use std::sync::Mutex;

use gateway::{HealthCheck, HealthReport, HealthState, MetricKind, Sample};

/// Healthy until a test sets something else.
pub(crate) struct TestHealthReport(Mutex<Vec<HealthCheck>>);

impl TestHealthReport {
    pub(crate) fn set(&self, part: &'static str, state: HealthState) {
        let mut checks = self.0.lock().unwrap();
        checks.retain(|check| check.part != part);
        checks.push(HealthCheck { part, state });
    }
}

impl Default for TestHealthReport {
    fn default() -> Self {
        let good = |part| HealthCheck { part, state: HealthState::Good };
        Self(Mutex::new(vec![good("store"), good("keys")]))
    }
}

impl HealthReport for TestHealthReport {
    fn checks(&self) -> Vec<HealthCheck> {
        self.0.lock().unwrap().clone()
    }

    fn samples(&self) -> Vec<Sample> {
        let sample = |labels, value| Sample {
            name: "latchkey_cache_loads_total",
            help: "Loads.",
            kind: MetricKind::Counter,
            labels,
            value,
        };
        vec![sample(&[("cache", "tenants")], 7), sample(&[("cache", "clients")], 11)]
    }
}
