//! The health of store, keys and caches. The program implements it, because the gateway cannot see
//! these parts.

use std::borrow::Cow;

/// Any caller can request it at any rate, so implementations must answer from memory.
pub trait HealthReport: Send + Sync {
    /// The parts that `/health/ready` depends on.
    fn checks(&self) -> Vec<HealthCheck>;

    /// Additional samples for `/metrics`. Samples with the same name must be adjacent.
    fn samples(&self) -> Vec<Sample>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// `store` or `keys`.
    pub part: &'static str,
    pub state: HealthState,
}

/// Anyone can read the reason, so it must not name hosts, paths or tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthState {
    Good,
    /// The part fails, but callers can still be served.
    Degraded(Cow<'static, str>),
    /// The part fails, and callers cannot be served.
    Failed(Cow<'static, str>),
}

/// Constant texts, so that requests cannot create series.
pub(crate) type Labels = &'static [(&'static str, &'static str)];

/// One number for `/metrics`. Name and labels are constants, so that requests cannot create series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// `latchkey_…` with the unit. Counters end with `_total`.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: MetricKind,
    pub labels: Labels,
    pub value: u64,
}

impl Sample {
    /// A number that only increases.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Self {
        Self { name, help, kind: MetricKind::Counter, labels, value }
    }

    /// A number that increases and decreases.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Self {
        Self { name, help, kind: MetricKind::Gauge, labels, value }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only increases, from 0 at the start of the program.
    Counter,
    Gauge,
}
