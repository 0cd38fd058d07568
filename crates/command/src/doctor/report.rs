//! The results of `doctor`: a line for each check, for people or as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::output::counted;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DoctorStatus {
    /// The check has passed.
    Ok,
    /// Not checked, because something that the check needs is missing.
    Skipped,
    /// The server works, but not as well as it could, or not for long.
    Warning,
    /// The server does not start, or does not work.
    Error,
}

#[derive(Debug, Serialize)]
pub(super) struct ReportLine {
    check: &'static str,
    pub(super) status: DoctorStatus,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct DoctorReport {
    status: DoctorStatus,
    checks: Vec<ReportLine>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct DoctorCheck(pub(super) &'static str);

impl DoctorCheck {
    pub(super) fn ok(self, found: impl Into<String>) -> ReportLine {
        ReportLine { check: self.0, status: DoctorStatus::Ok, found: found.into(), fix: None }
    }

    pub(super) fn skipped(self, found: impl Into<String>) -> ReportLine {
        ReportLine { status: DoctorStatus::Skipped, ..self.ok(found) }
    }

    pub(super) fn warning(self, found: impl Into<String>, fix: impl Into<String>) -> ReportLine {
        ReportLine { status: DoctorStatus::Warning, fix: Some(fix.into()), ..self.ok(found) }
    }

    pub(super) fn error(self, found: impl Into<String>, fix: impl Into<String>) -> ReportLine {
        ReportLine { status: DoctorStatus::Error, ..self.warning(found, fix) }
    }
}

impl DoctorReport {
    pub(super) fn from_checks(checks: Vec<ReportLine>) -> Self {
        // Skipped checks need no action.
        let statuses =
            checks.iter().map(|line| line.status).filter(|status| *status != DoctorStatus::Skipped);
        Self { status: statuses.max().unwrap_or(DoctorStatus::Ok), checks }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.status == DoctorStatus::Error
    }

    /// A line for each check, with the fix below it, and a summary at the end.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for ReportLine { check, status, found, fix } in &self.checks {
            let status = status.name();
            let found = found.replace('\n', "\n                     ");
            let _ = writeln!(text, "{status:8} {check:11} {found}");
            if let Some(fix) = fix {
                let _ = writeln!(text, "                     = {fix}");
            }
        }
        let count = |wanted| self.checks.iter().filter(|line| line.status == wanted).count();
        let (errors, warnings) = (count(DoctorStatus::Error), count(DoctorStatus::Warning));
        text + &format!("{}, {}\n", counted(errors, "error"), counted(warnings, "warning"))
    }
}

impl DoctorStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_shows_fixes_and_a_summary() {
        let report = DoctorReport::from_checks(vec![
            DoctorCheck("redis").ok("answers"),
            DoctorCheck("clock").warning("5 s behind", "set it"),
            DoctorCheck("issuer").skipped("not reached"),
        ]);
        let expected = "\
ok       redis       answers
warning  clock       5 s behind
                     = set it
skipped  issuer      not reached
0 errors, 1 warning
";
        assert_eq!((report.lines().as_str(), report.has_errors()), (expected, false));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["status"], "warning");
        assert_eq!(json["checks"][1]["fix"], "set it");
        assert!(DoctorReport::from_checks(vec![DoctorCheck("redis").error("x", "y")]).has_errors());
        assert_eq!(
            DoctorReport::from_checks(vec![DoctorCheck("redis").skipped("x")]).status,
            DoctorStatus::Ok
        );
    }
}
