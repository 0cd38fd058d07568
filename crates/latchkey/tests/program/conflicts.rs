//! Conflicts between a valid file and the store are reported like mistakes in the file: with file, line, key and hint, by every command
//! that compares the two, and at a reload. `left_out.rs` tests their other effects.

use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::settings::{ACME_SECRET, TWO_TENANTS, edited};

const KEY: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs8.pem");
const SAME_KEY: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs1.pem");
const OTHER_KEY: &str = include_str!("../../../keys/tests/keys/rsa3072.pkcs8.pem");
const INITECH: &str = "  initech: {}\n";

#[tokio::test]
async fn a_conflict_with_the_store_names_file_line_key_and_hint() {
    let with_key =
        edited(TWO_TENANTS, "  acme:\n", "  acme:\n    signing: { first_key: { file: key.pem } }\n");
    let with_folder = edited(&with_key, "tenants:\n", "tenants_dir: more\ntenants:\n");
    let folder = Folder::with(&with_folder);
    folder.write("key.pem", KEY);
    folder.write("more/README.md", "");
    assert_eq!(folder.run(&["apply"]).code, Some(0));
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.run(&["client", "add", "acme", "other"]).output();

    let other = "    clients:\n      other: { client_secret: { value: other-canary-03bd } }\n      svc: { client_secret: { value: acme-svc";
    let with_client =
        edited(&with_folder, "    clients:\n      svc: { client_secret: { value: acme-svc", other);
    for (config, added, expected) in [
        (
            format!("{with_folder}{INITECH}"),
            None,
            [
                "config.yaml:22:3: tenants.initech: tenant initech was created through the administration API",
                "= leave it out here, or declare it under another id; `latchkey tenant show initech` has it",
            ],
        ),
        (
            with_folder.clone(),
            Some(("more/initech.yaml", "name: Initech\n")),
            [
                "more/initech.yaml:1:1: tenant initech was created through the administration API",
                "= leave it out here",
            ],
        ),
        (
            with_client,
            None,
            [
                "config.yaml:14:7: tenants.acme.clients.other: client acme/other was created through",
                "`latchkey client show acme other` has it",
            ],
        ),
        (
            with_folder.clone(),
            Some(("key.pem", OTHER_KEY)),
            [
                "config.yaml:10:27: tenants.acme.signing.first_key: tenant acme: first_key is not the key that was imported",
                "= remove the line, and rotate instead: `latchkey key rotate acme`",
            ],
        ),
    ] {
        folder.write("config.yaml", &config);
        if let Some((name, text)) = added {
            folder.write(name, text);
        }
        for command in ["plan", "drift", "apply"] {
            let ran = folder.run(&[command]);
            assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
            assert_eq!(ran.out.lines().next().unwrap().chars().next(), Some('!'), "{command}: {ran:?}");
            for words in expected {
                assert!(ran.err.contains(words), "{command}: {words:?} in\n{}", ran.err);
            }
        }
        if let Some((name, _)) = added {
            std::fs::remove_file(folder.path(name)).unwrap();
        }
        folder.write("key.pem", KEY);
    }

    folder.write("config.yaml", &with_folder);
    folder.run(&["apply"]).output();
    let program = Program::start(&folder);
    let mark = program.mark();
    folder.replace("config.yaml", &format!("{with_folder}{INITECH}"));
    let line = program.log_after(mark, "tenants left out; all others are applied");
    assert!(line.contains("config.yaml:22:3: tenants.initech"), "{line}");
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);
}

/// The same key in two encodings. Which of two new tenants it belongs to cannot be decided, so nothing is applied; a tenant that has it
/// keeps it, and the other one is left out.
#[test]
fn a_first_key_of_two_tenants_is_reported_with_its_place() {
    let acme = edited(TWO_TENANTS, "  acme:\n", "  acme:\n    signing: { first_key: { file: key.pem } }\n");
    let globex = |settings: &str| {
        edited(settings, "  globex:\n", "  globex:\n    signing: { first_key: { file: same.pem } }\n")
    };
    let folder = Folder::with(&globex(&acme));
    folder.write("key.pem", KEY);
    folder.write("same.pem", SAME_KEY);
    let check = |command: &str| {
        let ran = folder.run(&[command]);
        assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
        let expected =
            "tenants.globex.signing.first_key: tenant globex: first_key is, or was, a key of tenant acme";
        let (place, _) = ran.err.split_once(expected).unwrap_or_else(|| panic!("{command}: {}", ran.err));
        assert!(
            place.trim_end().ends_with(":27:") && place.contains("config.yaml:"),
            "{command}: {}",
            ran.err
        );
        let lines: Vec<&str> = ran.err.lines().collect();
        let marked = lines.windows(2).find(|lines| lines[1].trim_end().ends_with('^')).unwrap();
        assert_eq!(marked[0].find("{ file"), marked[1].find('^'), "{}", ran.err);
        assert!(ran.err.contains("= give every tenant a key of its own, or remove the line"), "{}", ran.err);
    };
    ["check", "plan", "drift", "apply", "serve"].into_iter().for_each(check);

    folder.write("config.yaml", &acme);
    folder.run(&["apply"]).output();
    folder.write("config.yaml", &globex(&acme));
    ["check", "plan", "drift", "apply"].into_iter().for_each(check);
    // Nothing but the store knows the other tenant's key.
    folder.write("config.yaml", &globex(TWO_TENANTS));
    folder.run(&["check"]).output();
    ["plan", "drift", "apply"].into_iter().for_each(check);
}
