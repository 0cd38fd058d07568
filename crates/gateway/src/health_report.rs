//! What the gateway cannot see and an operator asks it: how store, keys and caches are doing. The program provides it.

use std::borrow::Cow;

/// How the parts behind the gateway are doing. Anybody may ask as often as they like, so every answer comes from memory.
pub trait HealthReport: Send + Sync {
    /// What `/health/ready` depends on, each part once.
    fn checks(&self) -> Vec<Check>;

    /// What `/metrics` tells of these parts. Samples of one name stand beside each other.
    fn samples(&self) -> Vec<Sample>;
}

/// One part of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name: `store`, `keys`.
    pub part: &'static str,
    /// How it is doing.
    pub state: State,
}

/// How a part is doing. Reasons are read by strangers too: they name no host, no path and no tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should.
    Good,
    /// It is missed, and callers are served all the same.
    Degraded(Cow<'static, str>),
    /// Callers cannot be served without it.
    Failed(Cow<'static, str>),
}

/// Labels with their values: constant texts, so that requests cannot create series.
pub(crate) type Labels = &'static [(&'static str, &'static str)];

/// A number at this moment. Its names and labels are texts of the program, so that no request can make a new series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// `latchkey_…`, with its unit, and `_total` at the end of a counter.
    pub name: &'static str,
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Label and value.
    pub labels: Labels,
    /// The number.
    pub value: u64,
}

impl Sample {
    /// A number that only goes up.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Self {
        Self { name, help, kind: Kind::Counter, labels, value }
    }

    /// A number that goes up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Self {
        Self { name, help, kind: Kind::Gauge, labels, value }
    }
}

/// How a number moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Up only, from 0 at the start of the program.
    Counter,
    /// Up and down.
    Gauge,
}
