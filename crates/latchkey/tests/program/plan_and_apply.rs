//! Tests that `latchkey plan` never writes, and that `latchkey apply` writes and notifies a running server.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::folder::Folder;
use crate::host::{Ran, assert_has};
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, NEW_SECRET, TWO_TENANTS, edited};

/// Before the first start everything is listed.
#[test]
fn plan_lists_changes_and_writes_nothing() {
    let folder = Folder::with(TWO_TENANTS);
    let before = snapshot(&folder.path("."));
    let plan = folder.run(&["plan"]);
    assert_eq!((plan.code, plan.err.as_str()), (Some(2), ""), "{plan:?}");
    assert_has(&plan.out, &["+ tenant acme", "+ tenant globex", "+ resource server acme/api"]);
    assert_has(&plan.out, &["+ client acme/svc", "+ secret acme/svc/"]);
    assert_eq!(snapshot(&folder.path(".")), before);

    let applied = folder.run(&["apply"]).output();
    assert!(applied.contains("Applied as generation 1."), "{applied}");
    let unchanged = snapshot(&folder.path("."));
    let plan = folder.run(&["plan"]);
    assert_eq!((plan.code, plan.out.as_str()), (Some(0), "No changes.\n"), "{plan:?}");
    assert_eq!(snapshot(&folder.path(".")), unchanged);
    let wider = edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET);
    let svc = "value: globex-svc-canary-52b7 }, audiences: [api], scopes: [api:read]";
    folder.write("config.yaml", &edited(&wider, svc, &svc.replace("api:read", "api:read, api:write")));
    let before = snapshot(&folder.path("."));
    let plan = folder.run(&["plan"]);
    assert_eq!(plan.code, Some(2), "{plan:?}");
    let parts = ["+ secret acme/svc/", "- secret acme/svc/", "~ client globex/svc", "gains api:write"];
    assert_has(&plan.out, &parts);
    assert_eq!(plan.out.lines().count(), 5, "{}", plan.out);
    assert!(plan.out.ends_with("\n\n1 added, 1 changed, 1 retired.\n"), "{}", plan.out);
    assert_eq!(snapshot(&folder.path(".")), before);
    // Apply makes exactly the planned changes, once.
    let apply = folder.run(&["apply"]).output();
    assert!(apply.contains(plan.out.trim()) && apply.contains("Applied as generation 2."), "{apply}");
    assert_eq!(folder.run(&["plan"]).code, Some(0));
}

#[test]
fn plan_works_in_a_read_only_folder() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    for name in ["data", "keys", "."] {
        let path = folder.path(name);
        for file in
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        {
            set_read_only(&file, true);
        }
        set_read_only(&path, true);
    }
    let plan = folder.run(&["plan"]);
    for name in [".", "data", "keys"] {
        set_read_only(&folder.path(name), false);
    }
    assert_eq!((plan.code, plan.out.as_str()), (Some(0), "No changes.\n"), "{plan:?}");
}

/// The command reads another file than the server, so only the store can notify the server. A start with the
/// earlier file uses the state that the later file created.
#[tokio::test]
async fn applied_changes_reach_a_running_server() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);
    assert_eq!(folder.run(&["plan"]).code, Some(0));
    folder.write("later.yaml", &edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
    assert_eq!(with_other_settings(&folder, &["plan"], "later.yaml").code, Some(2));
    assert_eq!(program.request_token("acme", "svc", NEW_SECRET).await.status, 401);
    let applied = with_other_settings(&folder, &["apply"], "later.yaml").output();
    assert!(applied.contains("Applied as generation 2."), "{applied}");
    let since = std::time::Instant::now();
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    assert!(since.elapsed().as_secs() < 5, "the cached client expired first: {:?}", since.elapsed());
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 401);
    program.stop();

    let program = Program::start(&folder);
    program.log_after(crate::program::Mark::START, "newer settings have already replaced these settings");
    assert_eq!(program.request_token("acme", "svc", NEW_SECRET).await.status, 200);
    // An explicit apply applies the earlier settings again.
    folder.run(&["apply"]).output();
    until_status(&program, ("acme", "svc", ACME_SECRET), 200).await;
}

/// The second `--config` option overrides the first.
fn with_other_settings(folder: &Folder, arguments: &[&str], config: &str) -> Ran {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(arguments).arg("--config").arg(folder.path(config)).env_clear();
    crate::host::run(&mut command)
}

/// All files below a folder, each with a digest of its content and its modification time.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut files = BTreeMap::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            let mut hasher = DefaultHasher::new();
            fs::read(&path).unwrap().hash(&mut hasher);
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            files.insert(path, (hasher.finish(), modified));
        }
    }
    files
}

fn set_read_only(path: &Path, read_only: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match (path.is_dir(), read_only) {
        (true, true) => 0o555,
        (true, false) => 0o755,
        (false, _) => 0o444,
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
