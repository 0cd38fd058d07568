//! Prometheus text format 0.0.4. Labels are constants without quotes, backslashes and line ends, so
//! nothing is escaped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use keys::KeyAlgorithm;
use protocol::{ErrorCode, PresentedMethod};

use super::histogram::BOUNDS;
use super::series::{OTHER, STATUSES, SeriesCounts};
use crate::authentication::{AuthenticationOutcome, ProofOutcome};
use crate::health_report::{MetricKind, Sample};

const REQUESTS: &str = "latchkey_http_requests_total";
const DURATION: &str = "latchkey_http_request_duration_seconds";
const AUTHENTICATIONS: &str = "latchkey_client_authentications_total";
const PROOFS: &str = "latchkey_dpop_proofs_total";
const BOUND: &str = "latchkey_dpop_bound_tokens_total";
const SIGNATURES: &str = "latchkey_signatures_total";

/// The gateway's own metrics.
pub(super) fn requests(by_route: &BTreeMap<&'static str, SeriesCounts>) -> String {
    let mut text = String::with_capacity(8 * 1024);
    let help = "Requests by route, status and OAuth error code (empty without an error code); status \
        closed: the caller disconnected before the response.";
    head(&mut text, REQUESTS, help, "counter");
    for (route, sum) in by_route {
        for (place, counts) in sum.answers.iter().enumerate() {
            let status = status_label(place);
            let errors = std::iter::once("").chain(ErrorCode::ALL.iter().map(|error| error.as_str()));
            for (error, count) in errors.zip(counts.iter().map(number)).filter(|(_, count)| *count > 0) {
                let labels = format_args!("route=\"{route}\",status=\"{status}\",error=\"{error}\"");
                let _ = writeln!(text, "{REQUESTS}{{{labels}}} {count}");
            }
        }
    }
    head(
        &mut text,
        DURATION,
        "Time from the head of a request to the end of its response, by route.",
        "histogram",
    );
    for (route, sum) in by_route {
        latency(&mut text, route, sum);
    }
    head(&mut text, SIGNATURES, "Tokens signed or encrypted, by algorithm.", "counter");
    for algorithm in KeyAlgorithm::all() {
        let count: u64 = by_route.values().map(|sum| number(&sum.signatures[algorithm.index()])).sum();
        let _ = writeln!(text, "{SIGNATURES}{{algorithm=\"{algorithm}\"}} {count}");
    }
    let help = "Client authentications, by presented method and result.";
    head(&mut text, AUTHENTICATIONS, help, "counter");
    for method in PresentedMethod::ALL {
        for outcome in AuthenticationOutcome::ALL {
            let of_route =
                |sum: &SeriesCounts| number(&sum.authentications[*method as usize][*outcome as usize]);
            let count: u64 = by_route.values().map(of_route).sum();
            let labels = format_args!("method=\"{}\",outcome=\"{}\"", method.as_str(), outcome.as_str());
            let _ = writeln!(text, "{AUTHENTICATIONS}{{{labels}}} {count}");
        }
    }
    head(&mut text, PROOFS, "DPoP proofs, by result.", "counter");
    for outcome in ProofOutcome::ALL {
        let count: u64 = by_route.values().map(|sum| number(&sum.proofs[*outcome as usize])).sum();
        let _ = writeln!(text, "{PROOFS}{{outcome=\"{}\"}} {count}", outcome.as_str());
    }
    head(&mut text, BOUND, "Access tokens bound by DPoP.", "counter");
    let _ = writeln!(text, "{BOUND} {}", by_route.values().map(|sum| number(&sum.dpop_bound)).sum::<u64>());
    text
}

pub(super) fn append_samples(text: &mut String, samples: &[Sample]) {
    let mut last = "";
    for sample in samples {
        if sample.name != last {
            let kind = match sample.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
            };
            head(text, sample.name, sample.help, kind);
            last = sample.name;
        }
        text.push_str(sample.name);
        for (index, (label, value)) in sample.labels.iter().enumerate() {
            let opening = if index == 0 { '{' } else { ',' };
            let _ = write!(text, "{opening}{label}=\"{value}\"");
        }
        let closing = if sample.labels.is_empty() { "" } else { "}" };
        let _ = writeln!(text, "{closing} {}", sample.value);
    }
}

/// `other` for a status that is not in the table, `closed` for a caller that hung up before the
/// response.
fn status_label(place: usize) -> Cow<'static, str> {
    match STATUSES.get(place) {
        Some(status) => Cow::Owned(status.to_string()),
        None => Cow::Borrowed(if place == OTHER { "other" } else { "closed" }),
    }
}

fn latency(text: &mut String, route: &str, sum: &SeriesCounts) {
    let mut cumulated = 0;
    let bounds = BOUNDS.iter().map(|(_, seconds)| *seconds).chain(["+Inf"]);
    for (bound, count) in bounds.zip(sum.latency.buckets.iter().map(number)) {
        cumulated += count;
        let _ = writeln!(text, "{DURATION}_bucket{{route=\"{route}\",le=\"{bound}\"}} {cumulated}");
    }
    let nanoseconds = number(&sum.latency.nanoseconds);
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let _ = writeln!(text, "{DURATION}_sum{{route=\"{route}\"}} {seconds}.{rest:09}");
    let _ = writeln!(text, "{DURATION}_count{{route=\"{route}\"}} {cumulated}");
}

fn number(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_with_one_name_share_help_and_type() {
        let sample = |labels, value| Sample {
            name: "latchkey_loads_total",
            help: "Loads.",
            kind: MetricKind::Counter,
            labels,
            value,
        };
        let mut text = String::new();
        let gauge =
            Sample { name: "latchkey_up", help: "Up.", kind: MetricKind::Gauge, labels: &[], value: 1 };
        append_samples(
            &mut text,
            &[sample(&[("cache", "tenants")], 3), sample(&[("cache", "clients"), ("of", "x")], 4), gauge],
        );
        let expected = "# HELP latchkey_loads_total Loads.\n# TYPE latchkey_loads_total counter\n\
            latchkey_loads_total{cache=\"tenants\"} 3\nlatchkey_loads_total{cache=\"clients\",of=\"x\"} 4\n\
            # HELP latchkey_up Up.\n# TYPE latchkey_up gauge\nlatchkey_up 1\n";
        assert_eq!(text, expected);
    }
}
