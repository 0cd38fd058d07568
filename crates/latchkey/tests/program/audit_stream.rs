//! Tests the audit lines of a program that is killed, and `latchkey audit verify` on these lines.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::Cli;
use crate::folder::Folder;
use crate::foreign::python;
use crate::host::{assert_has, run};
use crate::program::{Mark, Program};
use crate::settings::{TWO_TENANTS, edited};

const FILE: &str = "audit.jsonl";

fn settings(stream: &str) -> String {
    edited(
        TWO_TENANTS,
        "default_tenant: acme",
        &format!("default_tenant: acme\n  audit: {{ stream: {stream} }}"),
    )
}

/// Line number and content of the lines with this tenant and action.
fn lines_of(folder: &Folder, tenant: &str, action: &str) -> Vec<(usize, Value)> {
    if !folder.exists(FILE) {
        return Vec::new();
    }
    let text = folder.read(FILE);
    let lines =
        text.lines().zip(1..).filter_map(|(line, number)| Some((number, serde_json::from_str(line).ok()?)));
    lines
        .filter(|(_, line): &(usize, Value)| {
            line["audit"]["tenant"] == tenant && line["audit"]["action"] == action
        })
        .collect()
}

/// Deletes the leases. A killed leader keeps its lease for 15 s, for which the next one would have to wait.
fn end_leases(folder: &Folder) {
    let database = folder.path("data/latchkey.db");
    let script =
        format!("import sqlite3\nwith sqlite3.connect({database:?}) as s: s.execute('DELETE FROM leases')\n");
    python(&script, &[]).output();
}

// [third 20], [parties #17]
#[test]
fn audit_stream_survives_kill_9_and_detects_changes() {
    let (folder, program) = Program::serving(&settings(&format!("{{ file: {FILE} }}")));
    let cli = Cli::store(&folder);
    let change = |action: &str| {
        for tenant in ["acme", "globex"] {
            cli.run(&["client", action, tenant, "auditor"]).output();
        }
    };
    let until_written = |action: &str| {
        let began = Instant::now();
        while ["acme", "globex"].iter().any(|tenant| lines_of(&folder, tenant, action).is_empty()) {
            assert!(began.elapsed() < Duration::from_secs(30), "{action} is not written");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    // Killed while or before it writes lines.
    change("suspend");
    program.kill();
    end_leases(&folder);
    let program = Program::start(&folder);
    until_written("client.suspended");
    // Killed when it may not have recorded the written lines yet.
    program.kill();
    assert_eq!(folder.mode(FILE), 0o600);
    let line = lines_of(&folder, "acme", "client.suspended").pop().unwrap().1;
    let actor = line["audit"]["actor"].as_str().unwrap();
    assert!(actor.starts_with("cli:hmac-sha256:") && !folder.read(FILE).contains("cli:ops"), "{line}");

    // The chains continue in another output.
    folder.write("config.yaml", &settings("stdout"));
    end_leases(&folder);
    let program = Program::start(&folder);
    change("resume");
    program.log_after(Mark::START, r#""tenant":"globex"},"chain""#);
    let resumed = |tenant: &str| {
        let began = Instant::now();
        let found =
            |line: &Value| line["audit"]["tenant"] == tenant && line["audit"]["action"] == "client.resumed";
        while !program.log().iter().any(found) {
            assert!(began.elapsed() < Duration::from_secs(30), "{tenant} is not written");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    ["acme", "globex"].iter().for_each(|tenant| resumed(tenant));
    let logged: String = program.log().iter().map(|line| format!("{line}\n")).collect();
    let whole = format!("{}{logged}", folder.read(FILE));
    folder.write(FILE, &whole);
    program.stop();

    let heads = cli.run(&["audit", "verify", FILE]).output();
    assert_has(&heads, &[r#","tenant":"acme"}"#, r#","tenant":"globex"}"#]);
    folder.write("heads.jsonl", &heads);
    let verify = |text: &str| {
        folder.write(FILE, text);
        cli.run(&["audit", "verify", FILE, "--head", "heads.jsonl"])
    };
    assert_eq!(verify(&whole).output(), heads);
    let document = cli.json(&["audit", "verify", FILE]);
    assert_eq!((document["heads"].as_array().map(Vec::len), &document["faults"]), (Some(2), &json!([])));

    let (number, line) = lines_of(&folder, "acme", "client.suspended").remove(0);
    let edit = format!("{number}s/client.suspended/client.changed/");
    run(Command::new("sed").args(["-i", &edit]).arg(folder.path(FILE))).output();
    let changed = cli.run(&["audit", "verify", FILE]);
    changed.assert_ends(1, &[&format!("{FILE}:{number}: tenant acme"), "the line was changed"]);
    assert!(!changed.err.contains("globex"), "{changed:?}");
    let as_json = cli.run(&["audit", "verify", FILE, "--json"]);
    assert_eq!(as_json.code, Some(1), "{as_json:?}");
    let document = as_json.document();
    let [fault] = document["faults"].as_array().unwrap().as_slice() else { panic!("{document}") };
    let place = ["file", "line", "tenant", "sequence"].map(|member| &fault[member]);
    assert_eq!(place, [&json!(FILE), &json!(number), &json!("acme"), &line["sequence"]], "{document}");
    assert!(fault["fault"].to_string().contains("the line was changed"), "{document}");

    let last = lines_of(&folder, "globex", "client.resumed").pop().unwrap().1["sequence"].clone();
    let of = |tenant: &str, line: &Value| line["audit"]["tenant"] == tenant;
    let without = |tenant: &str, sequence: &Value| -> String {
        let kept = whole.split_inclusive('\n').filter(|text| {
            let line: Value = serde_json::from_str(text).unwrap_or_default();
            !(of(tenant, &line) && line["sequence"] == *sequence)
        });
        kept.collect()
    };
    for (tenant, sequence) in [("acme", &line["sequence"]), ("globex", &last)] {
        let missing = verify(&without(tenant, sequence));
        missing.assert_ends(1, &[&format!("tenant {tenant}, line {sequence} of chain"), "missing"]);
        assert_has(&missing.err, &["the audit was changed: 1 fault"]);
    }
    folder.write(FILE, &without("globex", &last));
    cli.run(&["audit", "verify", FILE]).output();
}
