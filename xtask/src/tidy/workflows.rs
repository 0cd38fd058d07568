//! The workflow names the version of each action, and stores what browser tests leave for people to look at.

use super::files::Files;
use super::violation::Violation;

const CI: &str = ".github/workflows/ci.yml";
/// The lines of the step that stores it.
const KEPT: [&str; 3] = ["uses: actions/upload-artifact@", "if: always()", "path: target/screenshots"];

pub(super) fn check(files: &Files) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with(".github/workflows/")) {
        violations.extend(unversioned(path, text));
        if path == CI && !keeps_screenshots(text) {
            let what = format!("no step has {}", KEPT.join(", "));
            violations.push(Violation::of_file(CI, what, "upload what tests leave in target/screenshots"));
        }
    }
    violations
}

fn unversioned(path: &str, text: &str) -> impl Iterator<Item = Violation> {
    let used = text.lines().enumerate().filter_map(|(index, line)| {
        let action = line.trim_start().trim_start_matches("- ").strip_prefix("uses: ")?;
        Some((index, action))
    });
    let has_version = |action: &str| {
        let version = action.split_once("@v").map(|(_, version)| version);
        version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    };
    used.filter(move |(_, action)| !has_version(action)).map(move |(index, action)| {
        Violation::new(path, index + 1, format!("{action} has no version"), "name one, as in @v4")
    })
}

fn keeps_screenshots(text: &str) -> bool {
    let mut steps = text.split("\n      - ");
    steps.any(|step| {
        let has = |wanted: &str| step.lines().any(|line| line.trim_start().starts_with(wanted));
        KEPT.into_iter().all(has)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPS: &str = "    steps:
      - uses: actions/checkout@v4
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          path: target/screenshots
";

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let found = check(&Files::from([(CI, text)]));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn what_tests_in_a_browser_leave_is_kept_also_after_a_failure() {
        check_text(KEEPS, &[]);
        for part in ["        if: always()\n", "          path: target/screenshots\n"] {
            check_text(&KEEPS.replace(part, ""), &["upload what tests leave"]);
        }
        // All parts belong to one step.
        let without = KEEPS.replace("        if: always()\n", "");
        let apart = without.replace("    steps:\n", "    steps:\n      - if: always()\n");
        check_text(&apart, &["upload what tests leave"]);
    }

    #[test]
    fn an_action_has_a_version() {
        for action in ["actions/checkout", "actions/checkout@main", "actions/checkout@v"] {
            let text = KEEPS.replace("actions/checkout@v4", action);
            check_text(&text, &["has no version"]);
        }
    }
}
