//! `latchkey usage`: the numbers of counted events.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use administration::documents::{BusyView, PeriodView, UsagePeriod, UsageSums, UsageView};
use clap::Args;
use tenancy::TenantId;
use values::Timestamp;

use crate::admin_client::{AdminArguments, ApiRequest, with_query};
use crate::output::table;
use crate::parse::parse_since;
use crate::paths::client_path;
use crate::process::print;
use crate::runner::Runner;
use crate::suggested::suggested;

/// Whose usage, and when.
#[derive(Args)]
pub(crate) struct UsageArguments {
    /// Tenant ID. By default, all tenants together.
    tenant: Option<TenantId>,
    /// Only count requests of this client of the tenant.
    client: Option<String>,
    /// Start of the period: a time, or a duration before now such as 24h. Default: seven days ago, or 24
    /// hours ago.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// End of the period. Default: now.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    until: Option<Timestamp>,
    /// Length of each line's period, in UTC. Default: day.
    #[arg(long, value_name = "PERIOD", value_parser = suggested(UsagePeriod::NAMES))]
    by: Option<String>,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

/// The longest bar, in characters.
const BAR: u64 = 24;

pub(crate) fn run(config: &Path, arguments: &UsageArguments) -> anyhow::Result<ExitCode> {
    let UsageArguments { tenant, client, since, until, by, csv, admin } = arguments;
    let path = match (tenant, client) {
        (None, _) => "/api/v1/admin/usage".to_owned(),
        (Some(tenant), None) => format!("/api/v1/tenant/{tenant}/usage"),
        (Some(tenant), Some(client)) => format!("{}/usage", client_path(tenant, client)),
    };
    let [since, until] = [since, until].map(|at| at.map(Timestamp::to_rfc3339));
    let path = with_query(&path, &[("since", since), ("until", until), ("by", by.clone())]);
    let runner = Runner { config, arguments: admin };
    runner.run(async |admin| {
        let usage: UsageView = admin.send(ApiRequest::get(path)).await?;
        if *csv { print(&values(&usage)) } else { runner.print(&usage, || lines(&usage)) }
    })
}

fn values(usage: &UsageView) -> String {
    let mut text = "start,issued,api_keys_exchanged,introspected,revoked,signed_in,refused\n".to_owned();
    for PeriodView { start, sums } in &usage.periods {
        let UsageSums { issued, api_keys_exchanged, introspected, revoked, signed_in, refused, .. } = sums;
        let start = start.0.to_rfc3339();
        let written = writeln!(
            text,
            "{start},{issued},{api_keys_exchanged},{introspected},{revoked},{signed_in},{refused}"
        );
        written.expect("a text takes any length");
    }
    text
}

fn lines(usage: &UsageView) -> String {
    let most = usage.periods.iter().map(|period| period.sums.issued).max().unwrap_or_default();
    let row = |PeriodView { start, sums }: &PeriodView| {
        let start = start.0.to_rfc3339();
        let start = if usage.by == UsagePeriod::Day.as_str() {
            start[..10].to_owned()
        } else {
            start[..16].replace('T', " ")
        };
        let numbers = [sums.issued, sums.introspected, sums.revoked, sums.signed_in, sums.refused];
        let numbers = numbers.iter().map(ToString::to_string);
        [start].into_iter().chain(numbers).chain([bar(sums.issued, most)]).collect()
    };
    let head = ["UTC", "ISSUED", "INTROSPECTED", "REVOKED", "SIGNED IN", "REFUSED", ""];
    let mut text = table("No periods.", &head, usage.periods.iter().map(row).collect());
    let UsageSums { issued, api_keys_exchanged, refused, .. } = usage.total;
    let busiest = usage.busiest.iter().take(10).map(|BusyView { id, issued }| format!("{id} {issued}"));
    let facts = [
        ("Total", format!("{issued} issued, {api_keys_exchanged} of them for API keys; {refused} refused")),
        ("Refused", named(&usage.total.refused_by_reason)),
        ("From unknown clients", named(&usage.total.refused_unknown)),
        ("Requested scopes", named(&usage.total.scopes_asked)),
        ("Busiest", busiest.collect::<Vec<_>>().join(", ")),
    ];
    text.push('\n');
    for (name, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
        writeln!(text, "{name}: {fact}").expect("a text takes any length");
    }
    text
}

/// The names with their numbers, the greatest first.
fn named(numbers: &BTreeMap<String, u64>) -> String {
    let mut numbers: Vec<_> = numbers.iter().collect();
    numbers.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
    numbers.into_iter().map(|(name, number)| format!("{name} {number}")).collect::<Vec<_>>().join(", ")
}

/// A bar in proportion to the greatest number. Every number above zero has at least one character.
fn bar(number: u64, most: u64) -> String {
    let length = (u128::from(number) * u128::from(BAR)).div_ceil(u128::from(most.max(1)));
    "█".repeat(usize::try_from(length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_proportional_and_visible_for_small_numbers() {
        let lengths = |numbers: [u64; 4]| numbers.map(|number| bar(number, numbers[3]).chars().count());
        assert_eq!(lengths([0, 1, 500, 1_000]), [0, 1, 12, 24]);
        assert_eq!(lengths([0, 0, 0, 0]), [0; 4]);
        assert_eq!(lengths([0, 1, u64::MAX, u64::MAX]), [0, 1, 24, 24]);
    }
}
