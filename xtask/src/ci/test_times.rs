//! The duration of each test in the last run, and their sum compared with the committed one: a new capability
//! may add 40 seconds of CI.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::workspace::{Doing, Failure, Workspace};

/// The profile of the test runner with the tests of each change.
pub(crate) const OF_A_CHANGE: &str = "change";
/// The committed sum of them.
const FILE: &str = ".config/test-seconds.json";
/// The files that the test runner writes for a profile, below cargo's build folder (.config/nextest.toml).
const WRITTEN: [&str; 2] = ["nextest/change/junit.xml", "nextest/default/junit.xml"];
/// How many of the slowest tests are shown.
const SHOWN: usize = 20;

/// What becomes of the times of the last run.
#[derive(Args)]
pub(crate) struct TestTimesOptions {
    /// Write their sum into the file that is committed
    #[arg(long)]
    update: bool,
}

/// The tests of a run with their seconds, the slowest first.
#[derive(Debug, PartialEq)]
pub(crate) struct TestTimes(Vec<(String, f64)>);

pub(crate) fn run(workspace: &Workspace, options: &TestTimesOptions) -> Result<(), Failure> {
    let times = TestTimes::of_last_run(workspace).ok_or_else(|| {
        Failure::new("no run of the tests has left its times; run `cargo xtask test` first")
    })?;
    print!("{}", times.report(&workspace.root));
    if options.update {
        let sum = json!({ "tests": times.0.len(), "seconds": times.sum().round() });
        fs::write(workspace.root.join(FILE), format!("{sum:#}\n")).doing(format_args!("write {FILE}"))?;
    }
    Ok(())
}

impl TestTimes {
    /// None if no test ran, or another runner ran them.
    pub(crate) fn of_last_run(workspace: &Workspace) -> Option<Self> {
        let folder = workspace.target_folder().ok()?;
        let written = WRITTEN.map(|file| folder.join(file)).into_iter();
        let modified = |file: &PathBuf| fs::metadata(file).and_then(|file| file.modified()).ok();
        let latest = written.filter(|file| file.is_file()).max_by_key(modified)?;
        Some(Self::parse(&fs::read_to_string(latest).ok()?)).filter(|times| !times.0.is_empty())
    }

    fn parse(text: &str) -> Self {
        let cases = text.split("<testcase ").skip(1).filter_map(|rest| {
            let attribute = |name: &str| {
                let (_, value) = rest.split_once('>')?.0.split_once(&format!("{name}=\""))?;
                Some(value.split_once('"')?.0)
            };
            let seconds = attribute(" time")?.parse().ok()?;
            Some((format!("{} {}", attribute("classname")?, attribute("name")?), seconds))
        });
        let mut cases: Vec<_> = cases.collect();
        cases.sort_by(|(_, one): &(String, f64), (_, other)| other.total_cmp(one));
        Self(cases)
    }

    fn sum(&self) -> f64 {
        self.0.iter().map(|(_, seconds)| seconds).sum()
    }

    pub(crate) fn report(&self, root: &Path) -> String {
        let committed = fs::read_to_string(root.join(FILE)).unwrap_or_default();
        self.beside(&serde_json::from_str(&committed).unwrap_or_default())
    }

    /// The slowest tests, and the sum compared with the committed one.
    fn beside(&self, committed: &Value) -> String {
        let mut text = format!("the {} slowest tests:\n", self.0.len().min(SHOWN));
        for (name, seconds) in self.0.iter().take(SHOWN) {
            let _ = writeln!(text, "{seconds:>7.1} s  {name}");
        }
        let (sum, before) = (self.sum(), committed["seconds"].as_f64().unwrap_or_default());
        let _ = writeln!(
            text,
            "{sum:>7.0} s in {} tests; {FILE} has {before:.0} s in {} tests: {:+.0} s",
            self.0.len(),
            committed["tests"].as_u64().unwrap_or_default(),
            sum - before
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowest_tests_come_first_and_the_sum_is_compared() {
        let text = r#"<testsuites name="run" time="3.1"><testsuite name="keys" tests="2">
            <testcase name="a::b" classname="keys" timestamp="2026-11-24T00:00:00Z" time="0.250">
            </testcase>
            <testcase name="c" classname="keys::d" timestamp="2026-11-24T00:00:00Z" time="2.500"/>"#;
        let times = TestTimes::parse(text);
        assert_eq!(times, TestTimes(vec![("keys::d c".to_owned(), 2.5), ("keys a::b".to_owned(), 0.25)]));
        let report = times.beside(&json!({ "tests": 1, "seconds": 5 }));
        assert!(report.starts_with("the 2 slowest tests:\n    2.5 s  keys::d c\n"), "{report}");
        assert!(report.ends_with("has 5 s in 1 tests: -2 s\n"), "{report}");
        assert!(times.beside(&Value::Null).ends_with("has 0 s in 0 tests: +3 s\n"));
        assert_eq!(TestTimes::parse(""), TestTimes(Vec::new()));
    }
}
