//! Tests `latchkey doctor` on PostgreSQL and Redis.

use crate::folder::Folder;
use crate::host::run;
use crate::test_env::{TestEnv, settings};
use serde_json::Value;

/// The lines with warnings or errors, and all lines of the check `check`.
fn lines(report: &Value, check: &str) -> Vec<(String, String)> {
    let text = |line: &Value, member: &str| line[member].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter().filter(|line| line["check"] == check);
    checks.map(|line| (text(line, "status"), text(line, "found"))).collect()
}

#[tokio::test]
async fn read_only_database_is_an_error() {
    let (_redis, test_env) = TestEnv::with_redis();
    let folder = Folder::with(&settings(1));
    let doctor = |url: &str| {
        let mut command = test_env.command(&folder, &["doctor", "--json"]);
        let ran = run(command.env("LATCHKEY__STORAGE__URL", url));
        (ran.code, ran.document())
    };
    let (code, report) = doctor(&test_env.database.url());
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(lines(&report, "migrations")[0].1, "there is no schema yet; the first start creates one");

    run(&mut test_env.command(&folder, &["apply"])).output();
    let before = test_env.database.query("SELECT count(*), max(position) FROM change_log");
    let (code, report) = doctor(&test_env.database.url());
    assert_eq!(code, Some(0), "{report:#}");
    for (check, found) in [
        ("storage", "PostgreSQL responds and is writable"),
        ("engine", "locks, transaction ids, sequences, row level security and notifications work"),
        ("migrations", "the schema matches this version"),
        ("redis", "responds; scripts and subscriptions work"),
        ("clock", "the clocks of this machine and of the store agree within 5 s"),
    ] {
        assert_eq!(lines(&report, check), [("ok".to_owned(), found.to_owned())], "{report:#}");
    }
    assert!(lines(&report, "sealing-key")[0].1.ends_with("sealed values in the store"), "{report:#}");
    assert_eq!(test_env.database.query("SELECT count(*), max(position) FROM change_log"), before);

    let reader = format!("latchkey_doctor_{}", std::process::id());
    test_env.database.create_reader(&reader);
    let (code, report) = doctor(&test_env.database.url_of(&reader, &reader));
    assert_eq!(code, Some(1), "{report:#}");
    assert!(lines(&report, "storage")[0].1.contains("this user may not write the tables"), "{report:#}");
    let (code, report) = doctor(&test_env.database.url_of(&reader, "wrong"));
    assert_eq!(code, Some(1), "{report:#}");
    assert!(!report.to_string().contains("wrong@"), "{report:#}");
    test_env.database.drop_login(&reader);

    let name = test_env.database.query("SELECT current_database()");
    test_env.database.query(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let (code, report) = doctor(&test_env.database.url());
    assert_eq!(code, Some(1), "{report:#}");
    assert!(lines(&report, "storage")[0].1.contains("is read-only"), "{report:#}");
}
