//! Tests the command line on PostgreSQL: reading needs no write permission, and every replica sees changes
//! immediately, even if Redis has earlier rows.

use std::time::Duration;

use crate::folder::Folder;
use crate::host::run;
use crate::program::{Mark, Program};
use crate::test_env::{TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

#[test]
fn plan_and_drift_work_with_a_read_only_login() {
    let test_env = TestEnv::new(None);
    let folder = Folder::with(&settings(1));
    run(&mut test_env.command(&folder, &["apply"])).output();
    let reader = format!("latchkey_reader_{}", std::process::id());
    test_env.database.create_reader(&reader);
    let url = test_env.database.url_of(&reader, &reader);
    let as_reader =
        |arguments: &[&str]| run(test_env.command(&folder, arguments).env("LATCHKEY__STORAGE__URL", &url));
    let before = test_env.database.query("SELECT count(*), max(position) FROM change_log");
    for (command, says) in [("plan", "No changes.\n"), ("drift", "No drift.\n")] {
        let ran = as_reader(&[command]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), says), "{ran:?}");
    }
    folder.write("config.yaml", &settings(2));
    for command in ["plan", "drift"] {
        let ran = as_reader(&[command]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for tenant in TENANTS {
            assert!(ran.out.contains(&format!("+ client {tenant}/svc-1; gains api:read")), "{ran:?}");
        }
    }
    assert_eq!(as_reader(&["apply"]).code, Some(1), "it may not write");
    assert_eq!(test_env.database.query("SELECT count(*), max(position) FROM change_log"), before);
    test_env.database.drop_login(&reader);
}

#[test]
fn login_without_roles_gets_a_warning() {
    const OFF: &str =
        "row level security is off: this login cannot act as the roles latchkey_app and latchkey_operator";
    let test_env = TestEnv::new(None);
    let folder = Folder::with(&settings(1));
    let migrated = run(&mut test_env.command(&folder, &["migrate"]));
    assert_eq!((migrated.code, migrated.err.as_str()), (Some(0), ""), "{migrated:?}");

    let test_env = TestEnv::new(None);
    let plain = format!("latchkey_plain_{}", std::process::id());
    test_env.database.query(&format!("CREATE ROLE {plain} LOGIN PASSWORD '{plain}'"));
    let name = test_env.database.query("SELECT current_database()");
    test_env.database.query(&format!("ALTER DATABASE {name} OWNER TO {plain}"));
    let url = test_env.database.url_of(&plain, &plain);
    let as_plain = |command: &str| {
        let mut command = test_env.command(&folder, &[command]);
        command.env("LATCHKEY__STORAGE__URL", &url);
        command
    };
    let migrated = run(&mut as_plain("migrate"));
    assert_eq!((migrated.code, migrated.out.as_str()), (Some(0), "The schema is up to date.\n"));
    assert!(migrated.err.starts_with(&format!("warning: {OFF}")), "{migrated:?}");
    let program = Program::spawn(&folder, &mut as_plain("serve"));
    program.log_after(Mark::START, OFF);
    program.stop();
}

#[tokio::test]
async fn changes_by_command_line_reach_every_replica() {
    let (_redis, test_env) = TestEnv::with_redis();
    let replicas = test_env.start_two(&settings(1)).await;
    let status = async |tenant: &str| {
        let mut statuses = Vec::new();
        for replica in &replicas {
            let answer = replica.program.request_token(tenant, "svc-0", test_env.secret_of(tenant)).await;
            statuses.push(answer.status);
        }
        statuses
    };
    for tenant in TENANTS {
        eventually("both replicas serve", LONGEST, async || status(tenant).await == [200, 200]).await;
    }
    // After a suspension the program issues the first token only when the revocation of the earlier tokens
    // has passed.
    for (verb, expected, longest) in [("suspend", 401, 2), ("resume", 200, 7)] {
        let changed = run(&mut test_env.command(&replicas[0].folder, &["client", verb, "acme", "svc-0"]));
        assert_eq!((changed.code, changed.err.as_str()), (Some(0), ""), "{changed:?}");
        let is_seen = async || status("acme").await == [expected, expected];
        let seen = eventually("both replicas see it", LONGEST, is_seen).await;
        assert!(seen < Duration::from_secs(longest), "seen after {seen:?}");
        assert_eq!(status("globex").await, [200, 200]);
    }
}
