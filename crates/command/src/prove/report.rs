//! The report of a proof: JSON, which is signed, and Markdown, which is derived from the JSON.

use serde::{Deserialize, Serialize};

/// What was tried, and the result.
#[derive(Debug, Default)]
pub(super) struct TrialOutcome {
    pub(super) kinds: Vec<KindCount>,
    pub(super) findings: Vec<IsolationLeak>,
}

/// How often a kind of value was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KindCount {
    pub(super) kind: String,
    /// The number of routes, in both directions.
    pub(super) cells: usize,
    pub(super) findings: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IsolationLeak {
    pub(super) kind: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) request: String,
    pub(super) found: String,
}

/// Something that the proof does not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NotTried {
    pub(super) what: String,
    pub(super) reason: String,
}

/// The document that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProofReport {
    pub(super) report: String,
    /// The server, its public URL and its version.
    pub(super) server: String,
    pub(super) public_url: String,
    pub(super) version: String,
    pub(super) begun_at: String,
    pub(super) seconds: u64,
    pub(super) tenants: [String; 2],
    pub(super) routes: usize,
    pub(super) cells: usize,
    pub(super) kinds: Vec<KindCount>,
    pub(super) findings: Vec<IsolationLeak>,
    pub(super) not_tried: Vec<NotTried>,
}

impl TrialOutcome {
    pub(super) fn add(
        &mut self,
        kind: &str,
        cells: usize,
        findings: impl IntoIterator<Item = IsolationLeak>,
    ) {
        let before = self.findings.len();
        self.findings.extend(findings);
        let found = self.findings.len() - before;
        match self.kinds.iter_mut().find(|count| count.kind == kind) {
            Some(count) => {
                count.cells += cells;
                count.findings += found;
            }
            None => self.kinds.push(KindCount { kind: kind.to_owned(), cells, findings: found }),
        }
    }
}

impl ProofReport {
    pub(super) const ISOLATION: &str = "isolation";

    /// The result in one line for people.
    pub(super) fn summary(&self) -> String {
        let Self { cells, routes, seconds, findings, .. } = self;
        let found = match findings.len() {
            0 => "no finding".to_owned(),
            1 => "1 FINDING".to_owned(),
            count => format!("{count} FINDINGS"),
        };
        format!(
            "{found} in {cells} cells: {} kinds at {routes} routes, in both directions, {seconds} s",
            self.kinds.len()
        )
    }

    pub(super) fn markdown(&self) -> String {
        let Self { public_url, version, begun_at, tenants, kinds, findings, not_tried, .. } = self;
        let mut text = format!(
            "# Isolation of tenants\n\n{}.\n\n- Server: {public_url}, version {version}\n- Started: {begun_at}\n- Tenants: `{}`, `{}`\n",
            self.summary(),
            tenants[0],
            tenants[1]
        );
        text.push_str("\n## Findings\n\n");
        if findings.is_empty() {
            text.push_str("None.\n");
        }
        for IsolationLeak { kind, from, to, request, found } in findings {
            text.push_str(&format!("- **{kind}** of `{from}` at `{to}`, `{request}`: {found}\n"));
        }
        text.push_str("\n## Tried\n\n| what | cells | findings |\n|---|---|---|\n");
        for KindCount { kind, cells, findings } in kinds {
            text.push_str(&format!("| {kind} | {cells} | {findings} |\n"));
        }
        text.push_str("\n## Not tried\n\n");
        for NotTried { what, reason } in not_tried {
            text.push_str(&format!("- {what}: {reason}\n"));
        }
        text
    }
}

/// What this proof never tries, and why.
pub(super) fn never_tried() -> Vec<NotTried> {
    [
        ("POST /api/v1/secrets/leaked", "accepts leaked credentials from anybody, in order to revoke them"),
        ("client certificates", "the server would have to trust a certificate authority of this test"),
        ("assertions of trusted issuers", "the throw-away tenants trust no other issuers"),
        (
            "tokens by the key of the other tenant with this one's issuer",
            "nobody can get the private key of a tenant",
        ),
        ("links and sessions of the console", "these routes are not in the OpenAPI document"),
        ("links with which people set passwords", "only administrators of accounts can get these links"),
        ("logos", "logos are public, and identical logos have the same URL"),
        ("applications of the Thunder-compatible API", "only the default tenant has these applications"),
    ]
    .map(|(what, reason)| NotTried { what: what.to_owned(), reason: reason.to_owned() })
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_report_lists_findings_and_untried_kinds() {
        let mut outcome = TrialOutcome::default();
        let finding = IsolationLeak {
            kind: "session of a person".to_owned(),
            from: "a".to_owned(),
            to: "b".to_owned(),
            request: "GET /x".to_owned(),
            found: "200: the credential was accepted".to_owned(),
        };
        outcome.add("session of a person", 3, [finding]);
        outcome.add("session of a person", 3, None);
        assert_eq!((outcome.kinds[0].cells, outcome.kinds[0].findings, outcome.kinds.len()), (6, 1, 1));
        let report = ProofReport {
            report: ProofReport::ISOLATION.to_owned(),
            server: "http://127.0.0.1:3000".to_owned(),
            public_url: "https://id.example.com".to_owned(),
            version: "1.2.3".to_owned(),
            begun_at: "2027-01-31T12:00:00Z".to_owned(),
            seconds: 4,
            tenants: ["a".to_owned(), "b".to_owned()],
            routes: 3,
            cells: 6,
            kinds: outcome.kinds,
            findings: outcome.findings,
            not_tried: never_tried(),
        };
        let text = report.markdown();
        for expected in [
            "1 FINDING in 6 cells: 1 kinds at 3 routes",
            "- **session of a person** of `a` at `b`, `GET /x`: 200: the credential was accepted\n",
            "| session of a person | 6 | 1 |\n",
            "- client certificates: ",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
