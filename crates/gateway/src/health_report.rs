//! The health of store, keys and caches, which the gateway itself cannot see. The program provides it.

use std::borrow::Cow;

/// The health of the parts behind the gateway. Any caller may request it as often as it likes, so every
/// answer comes from memory.
pub trait HealthReport: Send + Sync {
    /// The parts that `/health/ready` depends on, each once.
    fn checks(&self) -> Vec<HealthCheck>;

    /// The samples that `/metrics` shows of these parts. Samples of one name are adjacent.
    fn samples(&self) -> Vec<Sample>;
}

/// One part of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Its name: `store`, `keys`.
    pub part: &'static str,
    /// How it is doing.
    pub state: HealthState,
}

/// The health of a part. Strangers can read the reason, so it names no host, no path and no tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthState {
    /// The part works.
    Good,
    /// The part is missing, and callers are served nevertheless.
    Degraded(Cow<'static, str>),
    /// Callers cannot be served without it.
    Failed(Cow<'static, str>),
}

/// Labels with their values: constant texts, so that requests cannot create series.
pub(crate) type Labels = &'static [(&'static str, &'static str)];

/// A number at this moment. Its name and labels are texts of the program, so no request can create a new
/// series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// `latchkey_…`, with its unit, and `_total` at the end of a counter.
    pub name: &'static str,
    /// The sentence that explains the number.
    pub help: &'static str,
    /// How it moves.
    pub kind: MetricKind,
    /// Label and value.
    pub labels: Labels,
    /// The number.
    pub value: u64,
}

impl Sample {
    /// A number that only goes up.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Self {
        Self { name, help, kind: MetricKind::Counter, labels, value }
    }

    /// A number that goes up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Self {
        Self { name, help, kind: MetricKind::Gauge, labels, value }
    }
}

/// How a number moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Up only, from 0 at the start of the program.
    Counter,
    /// Up and down.
    Gauge,
}
