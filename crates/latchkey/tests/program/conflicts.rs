//! Conflicts between a valid file and the store are reported like mistakes in the file: with file, line, key
//! and hint, by every command that compares the two. `left_out.rs` tests their other effects, also at a
//! reload; a unit test has the place of every conflict.

use crate::folder::Folder;
use crate::settings::{TWO_TENANTS, with_line};

const KEY: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs8.pem");
const SAME_KEY: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs1.pem");

// [found 16]
/// Two tenants have one key in two encodings. If both are new, its owner cannot be decided, so nothing is
/// applied. A tenant that already has the key keeps it, and the other one is left out.
#[test]
fn a_first_key_of_two_tenants_is_reported_with_its_place() {
    let acme = with_line(TWO_TENANTS, "acme", "signing: { first_key: { file: key.pem } }");
    let globex = |settings: &str| with_line(settings, "globex", "signing: { first_key: { file: same.pem } }");
    let folder = Folder::with(&globex(&acme));
    folder.write("key.pem", KEY);
    folder.write("same.pem", SAME_KEY);
    let check = |command: &str| {
        let ran = folder.run(&[command]);
        assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
        let expected =
            "tenants.globex.signing.first_key: tenant globex: first_key is, or was, a key of tenant acme";
        let (place, _) = ran.err.split_once(expected).unwrap_or_else(|| panic!("{command}: {}", ran.err));
        assert!(place.trim_end().ends_with(":27:") && place.contains("config.yaml:"), "{command}: {place}");
        let lines: Vec<&str> = ran.err.lines().collect();
        let marked = lines.windows(2).find(|lines| lines[1].trim_end().ends_with('^')).unwrap();
        assert_eq!(marked[0].find("{ file"), marked[1].find('^'), "{}", ran.err);
        assert!(ran.err.contains("= give every tenant a key of its own, or remove the line"), "{}", ran.err);
    };
    ["check", "plan", "serve"].into_iter().for_each(check);

    folder.write("config.yaml", &acme);
    folder.run(&["apply"]).output();
    // Only the store knows the other tenant's key.
    folder.write("config.yaml", &globex(TWO_TENANTS));
    folder.run(&["check"]).output();
    ["plan", "apply"].into_iter().for_each(check);
}
