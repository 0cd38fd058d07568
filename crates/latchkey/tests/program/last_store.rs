//! Tests that settings that were used with one store do not silently start with another, empty store.

use crate::folder::Folder;
use crate::program::{Mark, Program};

fn settings(file: &str) -> String {
    format!(
        "server: {{ listeners: [{{ address: 127.0.0.1:0 }}] }}
storage: {{ url: 'sqlite://data/{file}' }}
keys: {{ sealing_key: {{ file: data/sealing.key }} }}
tenants: {{ acme: {{ strategies: {{ oauth2: {{ enabled: true }} }} }} }}
"
    )
}

#[test]
fn switching_to_an_empty_store_is_reported() {
    const BEFORE: &str = "data/first.db with generation 1";
    let folder = Folder::with(&settings("first.db"));
    folder.run(&["serve", "--require-store"]).assert_ends(1, &["data/first.db is empty"]);
    assert!(!folder.exists("data"), "nothing was created");
    let program = Program::start(&folder);
    assert!(!program.log().iter().any(|line| line["message"].to_string().contains("is empty")));
    program.stop();
    for arguments in [&["check"][..], &["plan"], &["doctor"]] {
        let ran = folder.run(arguments);
        assert!(!ran.out.contains("previously used the store") && ran.err.is_empty(), "{ran:?}");
    }

    folder.write("config.yaml", &settings("second.db"));
    let check = folder.run(&["check"]);
    assert!(check.out.contains("storage: { url:") && check.out.contains(BEFORE), "{check:?}");
    for (arguments, code) in [(&["plan"][..], 2), (&["doctor"], 0), (&["serve", "--require-store"], 1)] {
        let ran = folder.run(arguments);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(told.contains("data/second.db is empty") && told.contains(BEFORE), "{ran:?}");
        assert!(told.contains("latchkey store copy"), "{ran:?}");
        assert_eq!(ran.code, Some(code), "{ran:?}");
    }
    assert!(!folder.exists("data/second.db"));
    let program = Program::start(&folder);
    assert!(program.log_after(Mark::START, "data/second.db is empty").contains(BEFORE));
    program.stop();
    let again = Program::start(&folder);
    assert!(!again.log().iter().any(|line| line["message"].to_string().contains("is empty")));
}
