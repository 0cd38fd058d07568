//! Tests which data survives the end of the program, graceful or not, and when the program refuses to start.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::folder::Folder;
use crate::jwt;
use crate::program::{Mark, Program};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

// [rfc9700 §4.9.2]
#[tokio::test]
async fn token_verifies_after_kill_9_and_restart() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let token = program.token("acme", "svc", ACME_SECRET).await;
    let of_globex = program.token("globex", "svc", GLOBEX_SECRET).await;
    program.kill();

    let program = Program::start(&folder);
    program.log_after(Mark::START, "settings unchanged");
    assert_eq!(program.present(&token).await.status, 200);
    program.present(&of_globex).await.assert_refused(401, "invalid_token");
    let facts = program.introspect("globex", "svc", GLOBEX_SECRET, &of_globex).await;
    assert_eq!(facts["active"], true);
    let key_sets = [program.jwks("acme").await.body, program.jwks("globex").await.body];
    let later = program.token("acme", "svc", ACME_SECRET).await;
    assert_eq!((jwt::kid(&later), jwt::kid(&token)), ("oauth2-key-1".to_owned(), "oauth2-key-1".to_owned()));
    program.kill();

    let program = Program::start(&folder);
    assert_eq!([program.jwks("acme").await.body, program.jwks("globex").await.body], key_sets);
    program.stop();
}

/// Sealing key, schema, pepper, settings: parts that already exist must not prevent the next start.
#[tokio::test]
async fn interrupted_first_start_can_be_repeated() {
    for milliseconds in [5, 20, 45, 80, 130, 200] {
        let folder = Folder::with(TWO_TENANTS);
        let mut child = folder.program(&["serve"]).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        let program = Program::start(&folder);
        let answer = program.request_token("acme", "svc", ACME_SECRET).await;
        assert_eq!(answer.status, 200, "killed after {milliseconds} ms: {answer:?}");
    }
}

/// As soon as the program reports that it is ready, every signal stops it gracefully.
#[test]
fn signal_right_after_the_start_stops_gracefully() {
    let folder = Folder::with(TWO_TENANTS);
    for _ in 0..6 {
        let program = Program::start(&folder);
        program.signal("HUP");
        program.stop();
    }
}

#[tokio::test]
async fn missing_or_wrong_sealing_key_stops_the_start() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    program.token("acme", "svc", ACME_SECRET).await;
    program.stop();
    let files = fs::read_dir(folder.path("data")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert_eq!(files, ["last-store.json", "latchkey.db"], "an orderly end leaves one file of the store");
    let sealing_key = folder.read("keys/sealing.key");
    folder.canaries.add(sealing_key.trim());
    let refused = |command: &str, words: &[&str]| {
        let ran = folder.run(&[command]);
        assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
        assert!(words.iter().all(|words| ran.err.contains(words)), "{command}: {words:?} in {}", ran.err);
    };
    fs::remove_file(folder.path("keys/sealing.key")).unwrap();
    let lost = ["keys/sealing.key is missing", "has rows that only this key can open", "Restore the key"];
    refused("serve", &lost);
    // Creating a new key would hide that the stored rows are lost.
    assert!(!folder.exists("keys/sealing.key"));
    let other = folder.run(&["key", "new-sealing-key"]).output();
    folder.write_secret("keys/sealing.key", other.trim());
    let words = "cannot open the pepper. Probably neither keys.sealing_key nor keys.former_sealing_keys";
    ["serve", "plan"].into_iter().for_each(|command| refused(command, &[words]));
    for text in ["", "not base64!", "c2hvcnQ="] {
        folder.write("keys/sealing.key", text);
        refused("serve", &["cannot use the sealing key"]);
    }
    folder.write_secret("keys/sealing.key", &sealing_key);
    Program::start(&folder).stop();
}

#[tokio::test]
async fn invalid_database_file_stops_the_start() {
    let folder = Folder::with(TWO_TENANTS);
    folder.write("data/latchkey.db", &"this is not a database\n".repeat(100));
    let ran = folder.run(&["serve"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("latchkey.db"), "{}", ran.err);
}

// [V13 13.3.2]: 2 | Access to secrets is limited | Files that the program creates are readable by their owner
//   only; files with secrets that others may write are refused, and there is a warning for world-readable
//   ones; the systemd unit gives credentials to the program only
#[test]
fn server_secrets_are_private_to_their_owner() {
    let folder = Folder::with(TWO_TENANTS);
    let _program = Program::start(&folder);
    for file in ["keys/sealing.key", "data/latchkey.db", "data/latchkey.db-wal"] {
        assert_eq!(folder.mode(file), 0o600, "{file}");
    }
}
