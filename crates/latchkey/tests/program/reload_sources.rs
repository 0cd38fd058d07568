//! Tests the sources of settings changes: editors, deployment tools, mounted folders, files and folders that
//! config.yaml names, and a signal.

use std::fs;
use std::os::unix::fs::symlink;

use crate::folder::Folder;
use crate::program::Program;
use crate::reload::{Load, eventually, until_status};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, NEW_SECRET, TWO_TENANTS, edited};

fn tenant(secret: &str) -> String {
    format!(
        "strategies: {{ oauth2: {{ enabled: true }} }}\nclients: {{ svc: {{ client_secret: {{ value: {secret} }} }} }}\n"
    )
}

/// Each change after the first one shows that the watch still works. The backup is like that of an editor
/// that keeps the old file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_file_signal_or_secret_file_reloads_settings() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let load = Load::on(&program);
    let (first, second) = (TWO_TENANTS, edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
    let taken_over = async |secret| until_status(&program, ("acme", "svc", secret), 200).await;
    folder.write("config.yaml", &second);
    taken_over(NEW_SECRET).await;
    folder.replace("config.yaml", first);
    taken_over(ACME_SECRET).await;

    let mark = program.mark();
    fs::rename(folder.config(), folder.path("config.yaml~")).unwrap();
    program.log_after(mark, "settings not loaded");
    taken_over(ACME_SECRET).await;
    folder.write("config.yaml", &second);
    taken_over(NEW_SECRET).await;

    let mark = program.mark();
    program.signal("HUP");
    program.log_after(mark, "settings unchanged");
    folder.write("config.yaml", first);
    program.signal("HUP");
    taken_over(ACME_SECRET).await;

    folder.write_secret("secrets/acme", NEW_SECRET);
    let named = edited(TWO_TENANTS, &format!("{{ value: {ACME_SECRET} }}"), "{ file: secrets/acme }");
    folder.replace("config.yaml", &named);
    taken_over(NEW_SECRET).await;
    folder.write_secret("secrets/acme", "acme-newer-canary-77ff");
    taken_over("acme-newer-canary-77ff").await;
    load.assert_none_failed().await;
}

/// An agent of a secret store rewrites the file in this way. Without `previous_for` the previous secret and
/// its tokens are revoked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn previous_for_keeps_the_previous_secret_and_tokens() {
    let named = edited(TWO_TENANTS, &format!("{{ value: {ACME_SECRET} }}"), "{ file: secrets/acme }");
    let kept = "{ file: secrets/globex, previous_for: 1h }";
    let folder = Folder::with(&edited(&named, &format!("{{ value: {GLOBEX_SECRET} }}"), kept));
    let secrets = [("acme", ACME_SECRET, NEW_SECRET), ("globex", GLOBEX_SECRET, "globex-new-canary-2b7e")];
    for (tenant, secret, _) in secrets {
        folder.write_secret(&format!("secrets/{tenant}"), secret);
    }
    let program = Program::start(&folder);
    let mut tokens = Vec::new();
    for (tenant, secret, _) in secrets {
        tokens.push(program.token(tenant, "svc", secret).await);
    }
    let load = Load::on(&program);
    for ((tenant, before, now), token) in secrets.into_iter().zip(&tokens) {
        folder.write_secret(&format!("secrets/{tenant}"), now);
        until_status(&program, (tenant, "svc", now), 200).await;
        let is_kept = tenant == "globex";
        let status = program.request_token(tenant, "svc", before).await.status;
        assert_eq!(status, if is_kept { 200 } else { 401 }, "{tenant}");
        assert_eq!(program.introspect(tenant, "svc", now, token).await["active"], is_kept, "{tenant}");
    }
    load.assert_none_failed().await;
    assert!(folder.run(&["plan"]).output().contains("No changes"));
    let applied = folder.run(&["apply", "--now"]).output();
    assert!(applied.contains("- secret globex/svc/s1") && !applied.contains("acme"), "{applied}");
    let (tenant, before, now) = secrets[1];
    until_status(&program, (tenant, "svc", before), 401).await;
    // Revocations are read separately from clients, so both are awaited.
    let is_over = async || program.introspect(tenant, "svc", now, &tokens[1]).await["active"] == false;
    eventually("the token has ended with its secret", is_over).await;
    assert!(folder.run(&["apply"]).output().contains("No changes"));
}

/// A file may change between its first reading and the start of the watch, so no notification arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_replaced_during_the_start_is_applied() {
    for milliseconds in [60, 120, 180, 240, 300] {
        let folder = Folder::with(TWO_TENANTS);
        let program = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(milliseconds));
                folder.replace("config.yaml", &edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
            });
            Program::start(&folder)
        });
        until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_tenants_folder_are_followed() {
    let folder = Folder::with(&format!("tenants_dir: tenants.d\n{TWO_TENANTS}"));
    folder.write("tenants.d/initech.yaml", &tenant("initech-canary-4411"));
    let program = Program::start(&folder);
    assert_eq!(program.request_token("initech", "svc", "initech-canary-4411").await.status, 200);
    let load = Load::on(&program);
    folder.replace("tenants.d/initech.yaml", &tenant("initech-canary-5522"));
    until_status(&program, ("initech", "svc", "initech-canary-5522"), 200).await;
    folder.write("tenants.d/umbrella.yaml", &tenant("umbrella-canary-6633"));
    until_status(&program, ("umbrella", "svc", "umbrella-canary-6633"), 200).await;
    fs::remove_file(folder.path("tenants.d/initech.yaml")).unwrap();
    until_status(&program, ("initech", "svc", "initech-canary-5522"), 404).await;
    let mark = program.mark();
    folder.write("tenants.d/umbrella.yaml", "clients: nonsense\n");
    let line = program.log_after(mark, "settings not loaded");
    assert!(line.contains("tenants.d/umbrella.yaml:1:10"), "{line}");
    assert_eq!(program.request_token("umbrella", "svc", "umbrella-canary-6633").await.status, 200);
    load.assert_none_failed().await;
}

/// Without the mount, the folder does not exist, or it is the empty folder of the mount point.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unmounted_tenants_folder_retires_no_tenant() {
    let folder = Folder::with(&format!("tenants_dir: tenants.d\n{TWO_TENANTS}"));
    let mounted = [("initech", "initech-canary-4411"), ("umbrella", "umbrella-canary-6633")];
    for (id, secret) in mounted {
        folder.write(&format!("tenants.d/{id}.yaml"), &tenant(secret));
    }
    let program = Program::start(&folder);
    let load = Load::on(&program);
    let mark = program.mark();
    fs::rename(folder.path("tenants.d"), folder.path("elsewhere")).unwrap();
    program.log_after(mark, "settings not loaded");
    let mark = program.mark();
    fs::create_dir(folder.path("tenants.d")).unwrap();
    program.log_after(mark, "would retire more rows than reconcile.max_retired allows");
    for (id, secret) in mounted {
        assert_eq!(program.request_token(id, "svc", secret).await.status, 200, "{id}");
    }
    fs::remove_dir(folder.path("tenants.d")).unwrap();
    fs::rename(folder.path("elsewhere"), folder.path("tenants.d")).unwrap();
    folder.write("tenants.d/initech.yaml", &tenant("initech-canary-5522"));
    until_status(&program, ("initech", "svc", "initech-canary-5522"), 200).await;
    load.assert_none_failed().await;
}

/// Kubernetes mounts a ConfigMap in this way: `config.yaml` is a link through `..data`, which is itself a
/// link. An update replaces `..data` by a link to another folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_configmap_link_is_followed() {
    let stored = edited(TWO_TENANTS, "sqlite://data/latchkey.db", "sqlite://../data/latchkey.db");
    let stored = edited(&stored, "{ file: keys/sealing.key }", "{ file: ../keys/sealing.key }");
    let folder = Folder::with_config_at("mounted/config.yaml", &stored);
    fs::remove_file(folder.config()).unwrap();
    folder.write("mounted/..2026_01/config.yaml", &stored);
    symlink("..2026_01", folder.path("mounted/..data")).unwrap();
    symlink("..data/config.yaml", folder.config()).unwrap();
    let program = Program::start(&folder);
    let load = Load::on(&program);
    for (version, secret) in [("..2026_02", NEW_SECRET), ("..2026_03", "acme-newer-canary-77ff")] {
        folder.write(&format!("mounted/{version}/config.yaml"), &edited(&stored, ACME_SECRET, secret));
        symlink(version, folder.path("mounted/..data_tmp")).unwrap();
        fs::rename(folder.path("mounted/..data_tmp"), folder.path("mounted/..data")).unwrap();
        until_status(&program, ("acme", "svc", secret), 200).await;
    }
    assert_eq!(program.request_token("acme", "svc", NEW_SECRET).await.status, 401);
    load.assert_none_failed().await;
}

// [found 16]
/// Reading a pipe would block until somebody writes to it, and delay every later change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipe_in_the_tenants_folder_does_not_block_reloads() {
    let folder = Folder::with(&format!("tenants_dir: tenants.d\n{TWO_TENANTS}"));
    fs::create_dir(folder.path("tenants.d")).unwrap();
    let program = Program::start(&folder);
    let (mark, pipe) = (program.mark(), folder.path("tenants.d/initech.yaml"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let line = program.log_after(mark, "settings not loaded");
    assert!(line.contains("initech.yaml: this is a pipe, not a regular file"), "{line}");
    fs::remove_file(pipe).unwrap();
    let changed = edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET);
    folder.write("config.yaml", &format!("tenants_dir: tenants.d\n{changed}"));
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
}

// [found 14]
/// Dropping the program searches its output for the secrets.
#[tokio::test]
async fn secrets_of_an_invalid_file_are_not_logged() {
    let folder = Folder::with(&format!("tenants_dir: tenants.d\n{TWO_TENANTS}"));
    fs::create_dir(folder.path("tenants.d")).unwrap();
    let program = Program::start(&folder);
    for secret in ["dsn-canary-11", "tag-canary-22", "bare-canary-33", "line-canary-44", "quote-canary-55"] {
        folder.canaries.add(secret);
    }
    let client = |secret: &str| format!("clients: {{ svc: {{ client_secret: {secret} }} }}\n");
    for (name, text) in [
        ("config.yaml", "storage: postgres://u:dsn-canary-11@db/latchkey\n".to_owned()),
        ("config.yaml", "storage: { url: [ 'postgres://u:dsn-canary-11@db/latchkey' ] }\n".to_owned()),
        ("tenants.d/initech.yaml", client("{ value: !tag-canary-22 }")),
        ("tenants.d/initech.yaml", client("{ bare-canary-33 }")),
        ("tenants.d/initech.yaml", client("{ env: bare-canary-33 }")),
        ("tenants.d/initech.yaml", client("{ file: bare-canary-33 }")),
        ("tenants.d/initech.yaml", "line-canary-44\nand more\n".to_owned()),
        ("tenants.d/initech.yaml", client("{ value: \"a\"quote-canary-55\" }")),
    ] {
        folder.write("config.yaml", &format!("tenants_dir: tenants.d\n{TWO_TENANTS}"));
        folder.write("tenants.d/initech.yaml", "{}");
        fs::write(folder.path(name), &text).unwrap();
        let mark = program.mark();
        program.signal("HUP");
        program.log_after(mark, "settings not loaded");
        assert_eq!(folder.run(&["check"]).code, Some(1), "{text}");
    }
}
