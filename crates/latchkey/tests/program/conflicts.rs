//! Conflicts between a valid file and the store are reported like errors in the file: with file, line, key
//! and hint, by every command that compares the two. `left_out.rs` tests their other effects, also at a
//! reload. A unit test covers the place of every conflict.

use crate::folder::Folder;
use crate::settings::{TWO_TENANTS, with_line};

const KEY: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs8.pem");
const SAME_KEY: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs1.pem");

// [found 16]
/// Two tenants have one key in two encodings. If both tenants are new, nothing says who owns the key, so
/// nothing is applied. If one tenant already has the key, it keeps it, and the other one is left out.
#[test]
fn first_key_of_two_tenants_is_reported() {
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
        assert!(ran.err.contains("= give each tenant its own key, or remove the line"), "{}", ran.err);
    };
    ["check", "plan", "serve"].into_iter().for_each(check);

    folder.write("config.yaml", &acme);
    folder.run(&["apply"]).output();
    // Only the store knows the other tenant's key.
    folder.write("config.yaml", &globex(TWO_TENANTS));
    folder.run(&["check"]).output();
    ["plan", "apply"].into_iter().for_each(check);
}

/// An issuer must not be at a route of the server, or above or below another tenant's issuer. The tenant with
/// the new issuer is left out, and the other tenant is applied. Issuers that are already stored stay.
#[test]
fn tenant_with_conflicting_issuer_is_left_out() {
    const URL: &str = "http://localhost:3000";
    let folder = Folder::with(TWO_TENANTS);
    let write = |acme: &str, globex: &str| {
        let settings = with_line(TWO_TENANTS, "acme", &format!("issuer: {URL}{acme}"));
        let settings = with_line(&settings, "globex", &format!("issuer: {URL}{globex}"));
        folder.write("config.yaml", &settings);
    };
    let refuses = |place: &str, why: &str| {
        for command in ["plan", "apply"] {
            let ran = folder.run(&[command]);
            assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
            let expected = format!("tenants.{place}.issuer: tenant {place}: {why}");
            assert!(ran.err.contains(&expected), "{expected}: {}", ran.err);
            assert!(ran.err.contains(&format!("until you fix this): {place}\n")), "{}", ran.err);
        }
    };
    write("/console", "/login/blue");
    refuses("acme", "the server has its own routes at /console");
    write("/login", "/login/blue");
    refuses("acme", &format!("the issuer is above {URL}/login/blue, which belongs to tenant `globex`"));
    write("/red", "/login/blue");
    folder.run(&["apply"]).output();
    write("/red", "/red/blue");
    refuses("globex", &format!("the issuer is at or below {URL}/red, which belongs to tenant `acme`"));
}
