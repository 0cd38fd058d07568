//! Usage as interfaces show it: the sums of a span, and its hours or days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use values::{Timestamp, named};

use super::Instant;
use super::schema::JsonSchema;
use crate::audit::usage::{Counter, DayCounts};

/// What happened in a number of whole hours or days. Numbers are at most one minute late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageView {
    /// The beginning.
    pub since: Instant,
    /// The end (exclusive).
    pub until: Instant,
    /// The length of each period.
    #[schemars(example = &"day", extend("enum" = UsagePeriod::NAMES))]
    pub by: String,
    /// The totals.
    pub total: UsageSums,
    /// Each hour or day, oldest first.
    pub periods: Vec<PeriodView>,
    /// Who was issued the most tokens: at most 50 clients of a tenant, or tenants of the platform. Counted in
    /// whole days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub busiest: Vec<BusyView>,
}

/// What happened in one hour or day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodView {
    /// The beginning of the period, UTC.
    pub start: Instant,
    /// What happened.
    #[serde(flatten)]
    pub sums: UsageSums,
}

/// Counts of events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageSums {
    /// Issued access tokens.
    pub issued: u64,
    /// Access tokens issued in exchange for an API key.
    pub api_keys_exchanged: u64,
    /// Introspections of tokens and API keys, counted for the client that asked.
    pub introspected: u64,
    /// Revocations, counted for the client that asked.
    pub revoked: u64,
    /// Sign-ins of people.
    pub signed_in: u64,
    /// Requests for a code to reset a forgotten password, for known and unknown identifiers.
    #[serde(default, skip_serializing_if = "is_none")]
    pub recovery_requested: u64,
    /// Passwords that people reset with a mailed code.
    #[serde(default, skip_serializing_if = "is_none")]
    pub recovered: u64,
    /// Refused requests.
    pub refused: u64,
    /// Refused requests by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = BTreeMap::from([("wrong_secret", 3)]))]
    pub refused_by_reason: BTreeMap<String, u64>,
    /// Refused requests without a registered client, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = BTreeMap::from([("unknown_client", 1)]))]
    pub refused_unknown: BTreeMap<String, u64>,
    /// Tokens by requested scope. A request without a scope parameter counts for none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = BTreeMap::from([("orders:read", 41)]))]
    pub scopes_asked: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A client or tenant, and the number of tokens it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BusyView {
    /// The id.
    pub id: String,
    /// Access tokens.
    pub issued: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsagePeriod {
    /// From one full hour to the next.
    Hour,
    /// From midnight UTC to the next midnight.
    Day,
}

named! {
    UsagePeriod { Hour => "hour", Day => "day" }
}

impl UsagePeriod {
    pub(crate) const fn seconds(self) -> u64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

impl UsageSums {
    fn add(&mut self, counter: Counter, name: &str, count: u64) {
        let sum = match counter {
            Counter::Issued => &mut self.issued,
            Counter::ApiKeyExchanged => &mut self.api_keys_exchanged,
            Counter::Introspected => &mut self.introspected,
            Counter::Revoked => &mut self.revoked,
            Counter::SignedIn => &mut self.signed_in,
            Counter::RecoveryRequested => &mut self.recovery_requested,
            Counter::Recovered => &mut self.recovered,
            Counter::Refused => {
                self.refused += count;
                self.refused_by_reason.entry(name.to_owned()).or_default()
            }
            Counter::RefusedUnknown => self.refused_unknown.entry(name.to_owned()).or_default(),
            Counter::ScopeAsked => self.scopes_asked.entry(name.to_owned()).or_default(),
        };
        *sum += count;
    }
}

impl UsageView {
    /// The usage of a span, from the counts of its days. The span begins and ends at the border of a period.
    pub(crate) fn new(
        since: u64,
        until: u64,
        by: UsagePeriod,
        counts: &[DayCounts],
        busiest: Vec<(String, u64)>,
    ) -> Self {
        let length = by.seconds();
        let instant = |at| Instant(Timestamp::from_seconds(at));
        let starts = (since..until).step_by(usize::try_from(length).unwrap_or(usize::MAX));
        let mut periods: Vec<_> =
            starts.map(|start| PeriodView { start: instant(start), sums: UsageSums::default() }).collect();
        let mut total = UsageSums::default();
        for DayCounts { counter, name, day, hours } in counts {
            for (hour, count) in (0..).zip(hours).filter(|(_, count)| **count > 0) {
                let at = day * 86_400 + hour * 3_600;
                let place = at.checked_sub(since).and_then(|after| usize::try_from(after / length).ok());
                let Some(period) = place.and_then(|place| periods.get_mut(place)) else { continue };
                period.sums.add(*counter, name, *count);
                total.add(*counter, name, *count);
            }
        }
        let busiest = busiest.into_iter().map(|(id, issued)| BusyView { id, issued }).collect();
        let by = by.as_str().to_owned();
        Self { since: instant(since), until: instant(until), by, total, periods, busiest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_period_within_the_span() {
        let mut hours = [0; 24];
        (hours[0], hours[5], hours[23]) = (1, 2, 4);
        let refused = DayCounts { counter: Counter::Refused, name: "wrong_secret".into(), day: 1, hours };
        let issued = DayCounts { counter: Counter::Issued, name: String::new(), day: 2, hours };
        let counts = [refused, issued];
        let sums = |view: UsageView| {
            view.periods.iter().map(|period| (period.sums.refused, period.sums.issued)).collect::<Vec<_>>()
        };
        let day = 86_400;
        let view = UsageView::new(day, 4 * day, UsagePeriod::Day, &counts, Vec::new());
        assert_eq!(view.total.refused_by_reason, BTreeMap::from([("wrong_secret".to_owned(), 7)]));
        assert_eq!(sums(view), [(7, 0), (0, 7), (0, 0)]);
        let view = UsageView::new(2 * day - 3_600, 2 * day + 3_600, UsagePeriod::Hour, &counts, Vec::new());
        assert_eq!(sums(view), [(4, 0), (0, 1)]);
    }
}
