//! Tests profiles whose credential is only in the kernel's keyring. The kernel must allow keyrings, which
//! some containers forbid.

use outbound::{Keyring, open_keyring};

use crate::cli_profiles::User;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::jwt;
use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

const KEYRING: [&str; 2] = ["--store", "keyring"];
const CREDENTIAL: &str = "home/.config/latchkey/secrets";

/// The credential that the kernel stores for a profile.
pub(crate) fn kept(folder: &Folder, profile: &str) -> Option<String> {
    let found = keyring().read(&entry(folder, profile)).expect("the kernel permits keyrings");
    found.map(|secret| secret.to_string())
}

fn keyring() -> Box<dyn Keyring> {
    open_keyring().expect("tests have the feature `keyring`")
}

fn entry(folder: &Folder, profile: &str) -> String {
    folder.path(format!("{CREDENTIAL}/{profile}")).display().to_string()
}

/// With two tenants: each profile has its own credential.
#[test]
fn credentials_are_only_in_the_keyring() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    for (tenant, secret) in [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)] {
        user.login(&program, tenant, secret, &KEYRING);
        let token = user.run(&["token", "--no-cache"]).output();
        assert!(jwt::claims(&token)["iss"].as_str().unwrap().ends_with(tenant));
        assert_eq!(kept(&folder, tenant).as_deref(), Some(secret));
        let place = format!("secret      the keyring, as {}\n", entry(&folder, tenant));
        assert_has(&user.run(&["whoami"]).output(), &[&place]);
    }
    assert!(!folder.exists(CREDENTIAL));
    folder.canaries.assert_absent(&folder.read("home/.config/latchkey/profiles.json"));
    user.run(&["logout", "--profile", "acme"]).output();
    assert_eq!((kept(&folder, "acme"), kept(&folder, "globex").as_deref()), (None, Some(GLOBEX_SECRET)));
    user.run(&["logout"]).output();
    assert_eq!(kept(&folder, "globex"), None);
}

#[test]
fn file_and_keyring_do_not_replace_each_other() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    user.login(&program, "acme", ACME_SECRET, &[]);
    user.login(&program, "acme", ACME_SECRET, &KEYRING);
    assert!(!folder.exists(&format!("{CREDENTIAL}/acme")), "the credential has moved");
    keyring().remove(&entry(&folder, "acme")).unwrap();
    folder.write_secret(&format!("{CREDENTIAL}/acme"), ACME_SECRET);
    let gone = "error: the credential of acme is no longer in the keyring. To restore it, run `latchkey login --profile=acme`";
    user.run(&["token", "--no-cache"]).assert_ends(1, &[gone]);

    user.login(&program, "acme", ACME_SECRET, &[]);
    assert_eq!(kept(&folder, "acme"), None, "the credential has moved back");
    keyring().store(&entry(&folder, "acme"), ACME_SECRET).unwrap();
    std::fs::remove_file(folder.path(format!("{CREDENTIAL}/acme"))).unwrap();
    user.run(&["token", "--no-cache"])
        .assert_ends(1, &["is missing. To restore it, run `latchkey login --profile=acme`"]);
    keyring().remove(&entry(&folder, "acme")).unwrap();
}
