//! Tests that the queries in `deploy/monitoring` only use metrics and labels that the program exports.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::program::Program;
use crate::settings::{ACME_SECRET, TWO_TENANTS};

const ALERTS: &str = include_str!("../../../../deploy/monitoring/alerts.yaml");
const DASHBOARD: &str = include_str!("../../../../deploy/monitoring/dashboard.json");

/// Prometheus adds these labels to each series when it scrapes.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];
/// Words of PromQL before a list of labels.
const LISTS: [&str; 3] = ["by", "without", "on"];

/// The names of series, each with its labels. Histograms have `_bucket`, `_sum` and `_count`.
fn series(exposition: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in exposition.lines().filter(|line| !line.is_empty()) {
        // The metric has no series yet, for example a counter whose labels no request has produced.
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            if kind != "histogram" {
                found.entry(name.to_owned()).or_default();
            }
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let name: String = line.chars().take_while(|letter| is_word(*letter)).collect();
        let labels = found.entry(name.clone()).or_default();
        // A value may contain braces: a route contains its parameters in braces.
        if let Some((list, _)) = line[name.len()..].strip_prefix('{').and_then(|rest| rest.rsplit_once('}')) {
            labels.extend(list.split("\",").map(|label| label.split('=').next().unwrap().to_owned()));
        }
    }
    found
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The names in a query that are not exported.
fn unknown(query: &str, series: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = query;
    while let Some(place) = rest.find("latchkey_") {
        let name: String = rest[place..].chars().take_while(|letter| is_word(*letter)).collect();
        rest = &rest[place + name.len()..];
        let Some(labels) = series.get(&name) else {
            unknown.push(name);
            continue;
        };
        if let Some((matchers, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            let used = matchers.split(',').map(|matcher| matcher.split(['=', '!']).next().unwrap().trim());
            let missing = used.filter(|label| !labels.contains(*label) && !OF_PROMETHEUS.contains(label));
            unknown.extend(missing.map(|label| format!("{name}{{{label}}}")));
        }
        names.insert(name);
    }
    if names.is_empty() {
        unknown.push("no metric of ours".to_owned());
    }
    for list in LISTS {
        for (_, rest) in query.match_indices(&format!("{list} (")).map(|(place, _)| query.split_at(place)) {
            let labels = rest.split_once('(').unwrap().1.split_once(')').unwrap().0;
            for label in labels.split(',').map(str::trim) {
                let is_known = names.iter().any(|name| series[name].contains(label));
                if !is_known && !OF_PROMETHEUS.contains(&label) {
                    unknown.push(format!("{list} ({label})"));
                }
            }
        }
    }
    unknown
}

fn queries() -> Vec<String> {
    let alerts: Vec<String> =
        ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned).collect();
    assert_eq!(alerts.len(), ALERTS.matches("- alert: ").count());
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let shown = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    alerts.into_iter().chain(shown).collect()
}

/// Redis is configured but does not run: its metrics are exported nevertheless.
#[tokio::test]
async fn alerts_and_dashboard_use_exported_metrics() {
    let (_folder, program) =
        Program::serving(&format!("{TWO_TENANTS}cache: {{ redis_url: redis://127.0.0.1:1 }}\n"));
    program.token("acme", "svc", ACME_SECRET).await;
    program.request_token("acme", "svc", "wrong").await.assert_refused(401, "invalid_client");
    let series = series(&program.get("/metrics").await.body);
    for query in queries() {
        let unknown = unknown(&query, &series);
        assert!(unknown.is_empty(), "{unknown:?} in\n{query}\nexported: {series:#?}");
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            assert_eq!(query.matches(open).count(), query.matches(close).count(), "{query}");
        }
    }
    program.stop();
}

#[test]
fn unknown_metric_or_label_is_found() {
    let exported = "# TYPE latchkey_a_total counter\nlatchkey_a_total{route=\"/x\",le=\"1\"} 3\n";
    let series = series(exported);
    for (query, expected) in [
        ("sum by (route, instance) (rate(latchkey_a_total{le=\"1\",job=\"l\"}[5m])) > 0", vec![]),
        ("rate(latchkey_b_total[5m]) > 0", vec!["latchkey_b_total", "no metric of ours"]),
        ("latchkey_a_total{tenant=~\"x\"}", vec!["latchkey_a_total{tenant}"]),
        ("sum by (client) (latchkey_a_total)", vec!["by (client)"]),
        ("up == 0", vec!["no metric of ours"]),
    ] {
        assert_eq!(unknown(query, &series), expected, "{query}");
    }
}
