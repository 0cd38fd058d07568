//! schemathesis searches the API of a running program for answers that contradict the served OpenAPI
//! document, with an administrator's token.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::cli::first_administrator;
use crate::foreign::{installed, run_in};
use crate::program::Program;
use crate::settings::TWO_TENANTS;

/// The arguments of the search: the same requests each time, with a fixed number for each operation.
/// `positive_data_acceptance` is left out, because a schema cannot say which names exist, which ETag is
/// current, or that a client authenticates in only one way. These operations are left out:
/// - The Thunder-compatible API needs a person's assertion instead of an administrator's token.
/// - The revocation feed is not JSON, although the tool expects JSON for its media type.
/// - The tool cannot write the lines of an import.
/// - Reports of leaks always get the same answer.
const SEARCH: &str = "run openapi.json --phases examples,coverage,fuzzing --max-examples 10 --seed 1 \
     --exclude-checks positive_data_acceptance --generation-database none --no-shrink --continue-on-failure --no-color \
     --exclude-path-regex ^/(applications|flow)|/revocations$|/accounts/import$|/secrets/leaked$ --workers 1 --request-timeout 20";

/// The limit, even for a machine that runs other tests.
const LONGEST: Duration = Duration::from_secs(300);
/// With fewer cases the search must have ended early.
const FEWEST_CASES: u64 = 1_500;

#[tokio::test]
async fn no_answer_contradicts_the_served_document() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let secret = first_administrator(&folder, &program).await;
    let token = program.administration_token("admin", &secret).await.unwrap();

    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("openapi.json"), program.get("/openapi.json").await.body).unwrap();
    // A precondition is checked before the body, so the answer is 412.
    let expected = "[checks.negative_data_rejection]\nexpected-statuses = [\"4xx\"]\n";
    fs::write(here.path().join("schemathesis.toml"), expected).unwrap();
    let mut search = Command::new(installed("LATCHKEY_TEST_OPENAPI_PYTHON"));
    search.args(["-m", "schemathesis.cli"]).args(SEARCH.split_whitespace());
    search.args(["--url", &program.url(""), "--header", &format!("Authorization: Bearer {token}")]);
    let report = run_in(&mut search, here.path(), LONGEST).output();

    let cases =
        report.lines().find_map(|line| line.trim().split_once(" generated, ")).map(|(count, _)| count);
    let cases: u64 = cases.and_then(|count| count.parse().ok()).unwrap_or_default();
    assert!(cases >= FEWEST_CASES, "{cases} cases: {report}");
}
