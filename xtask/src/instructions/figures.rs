//! The instructions of each kind of request: the counted figures, and the committed ones with the digest of
//! the counted sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::workspace::{Doing, Failure};

/// The committed figures.
pub(super) const FILE: &str = "crates/warm_requests/instructions.json";

/// The largest difference from a committed figure is one part in this number, which is 5 %. Hash seeds,
/// timers and the batches of the caches' bookkeeping make runs differ by less than 1.5 %.
const TOLERATED_PART: u64 = 20;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Figures {
    sources: String,
    kinds: BTreeMap<String, u64>,
}

/// Both figures of each kind, for people, and the kinds whose figures differ too much.
pub(super) struct Report {
    pub(super) table: String,
    pub(super) differing: Vec<String>,
}

impl Figures {
    /// No figures yet, for sources with this digest.
    pub(super) fn from_sources(sources: String) -> Self {
        Self { sources, kinds: BTreeMap::new() }
    }

    pub(super) fn are_of(&self, sources: &str) -> bool {
        self.sources == sources
    }

    pub(super) fn add(&mut self, kind: &str, instructions: u64) {
        self.kinds.insert(kind.to_owned(), instructions);
    }

    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(root.join(FILE)).doing(format_args!("read {FILE}"))?;
        Self::parse(&text).ok_or_else(|| Failure::new(format!("{FILE} is not an object of numbers")))
    }

    pub(super) fn write(&self, root: &Path) -> Result<(), Failure> {
        fs::write(root.join(FILE), self.text()).doing(format_args!("write {FILE}"))?;
        println!("{FILE} written:\n{}", self.text());
        Ok(())
    }

    pub(super) fn compare(&self, committed: &Self) -> Report {
        let mut table = format!("{:>14} {:>10} {:>10}\n", "instructions", "counted", "committed");
        let mut differing = Vec::new();
        let text = |figure: Option<&u64>| figure.map_or_else(|| "none".to_owned(), u64::to_string);
        for kind in self.kinds.keys().chain(committed.kinds.keys()).collect::<BTreeSet<_>>() {
            let (counted, figure) = (self.kinds.get(kind), committed.kinds.get(kind));
            let is_close =
                |counted: &u64, figure: &u64| counted.abs_diff(*figure) * TOLERATED_PART <= *figure;
            if !counted.zip(figure).is_some_and(|(counted, figure)| is_close(counted, figure)) {
                differing.push(kind.clone());
            }
            let per_cent = counted
                .zip(figure)
                .map_or(f64::NAN, |(counted, figure)| (*counted as f64 / *figure as f64 - 1.0) * 100.0);
            let (counted, figure) = (text(counted), text(figure));
            let _ = writeln!(table, "{kind:>14} {counted:>10} {figure:>10} {per_cent:>+6.1} %");
        }
        Report { table, differing }
    }

    fn parse(text: &str) -> Option<Self> {
        let object: Value = serde_json::from_str(text).ok()?;
        let kinds = object["instructions"].as_object()?.iter();
        let kinds = kinds.map(|(kind, figure)| Some((kind.clone(), figure.as_u64()?)));
        Some(Self { sources: object["sources"].as_str()?.to_owned(), kinds: kinds.collect::<Option<_>>()? })
    }

    fn text(&self) -> String {
        format!("{:#}\n", json!({ "sources": self.sources, "instructions": self.kinds }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(text: &str) -> Figures {
        Figures::parse(text).unwrap()
    }

    #[test]
    fn written_figures_are_parsed_again() {
        let mut counted = Figures::from_sources("a5".to_owned());
        counted.add("JWKS 200", 9000);
        counted.add("introspection", 30_000);
        assert_eq!(figures(&counted.text()), counted);
        assert!(counted.are_of("a5") && !counted.are_of(""));
        assert_eq!(Figures::parse(r#"{"sources": "a5", "instructions": {"JWKS 200": "many"}}"#), None);
    }

    #[test]
    fn difference_above_five_per_cent_is_reported() {
        let committed = figures(r#"{"sources": "", "instructions": {"a": 10000}}"#);
        for (counted, differs) in [(9499, true), (9500, false), (10_500, false), (10_501, true)] {
            let mut now = Figures::default();
            now.add("a", counted);
            assert_eq!(!now.compare(&committed).differing.is_empty(), differs, "{counted}");
        }
    }

    #[test]
    fn missing_figure_or_count_is_a_difference() {
        let of =
            |kind: &str| figures(&format!(r#"{{"sources": "", "instructions": {{"a": 1, "{kind}": 1}}}}"#));
        let (counted, committed) = (of("new"), of("old"));
        assert_eq!(counted.compare(&committed).differing, ["new", "old"]);
    }
}
