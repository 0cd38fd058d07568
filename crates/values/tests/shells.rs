//! Tests commands with hostile values in real shells. A fake program `latchkey` records its arguments.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use values::{ShellCommand, shell_word};

const HOSTILE: [&str; 24] = [
    "$(touch pwn)",
    "`touch pwn`",
    "; touch pwn",
    "| touch pwn",
    "a && touch pwn",
    "> pwn",
    "\"; touch pwn; \"",
    "'; touch pwn; '",
    r"\'; touch pwn; #",
    r"a\",
    "a\ntouch pwn\nb",
    "-x;touch pwn",
    "--help",
    "*",
    "?[a-z]{a,b}",
    "~",
    "!!touch",
    "%self %1",
    "=ls",
    "(touch pwn)",
    "$HOME ${HOME} $HOME",
    "^pwn^a #",
    "\u{2028}touch pwn",
    "\u{fc}ber \u{4e2d}\u{6587} & touch pwn",
];

// [third 3]: Commands to paste contained client ids as they were, in `advise`, `explain`, the console and
//   nine other places: a tenant's administrator had the operator's shell run a text | fixed | A command is
//   words, which one function quotes for sh, bash, zsh and fish, with `--` before a value that begins with
//   `-`; a rule of `cargo xtask tidy` refuses format strings with `latchkey`. Not quoted for PowerShell and
//   cmd
#[test]
fn pasted_command_runs_only_latchkey_in_every_shell() {
    let folder = std::env::temp_dir().join(format!("latchkey-shells-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let stub = folder.join("latchkey");
    fs::write(&stub, "#!/bin/sh\nprintf '%s\\0' latchkey \"$@\" >> words\nprintf '\\0' >> words\n").unwrap();
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    let commands: Vec<ShellCommand> = HOSTILE
        .into_iter()
        .flat_map(|id| {
            let values = [("TENANT", "acme"), ("CLIENT", id), ("LIST", id)];
            [
                "latchkey secret rotate TENANT CLIENT --expires=180d",
                "latchkey client set TENANT CLIENT scopes=LIST",
                "latchkey inspect --client=TENANT --client=CLIENT FILE",
            ]
            .map(|form| ShellCommand::new(form, &values))
        })
        .collect();
    let quoted = HOSTILE.map(|text| format!("latchkey {}", shell_word(text)));
    let script: String =
        commands.iter().map(ToString::to_string).chain(quoted).map(|line| format!("{line}\n")).collect();
    let of_words = HOSTILE.map(|text| vec!["latchkey".to_owned(), text.to_owned()]);
    let expected: Vec<Vec<String>> =
        commands.iter().map(|command| command.words().to_vec()).chain(of_words).collect();
    for shell in ["sh", "bash", "zsh", "fish"] {
        let mut command = Command::new(shell);
        // The shells must not read the startup files of the person who runs the test.
        command.args(if shell == "zsh" { &["-f", "-c"][..] } else { &["-c"] }).arg(&script);
        let paths = format!("{}:/usr/bin:/bin", folder.display());
        let run = command.current_dir(&folder).env("PATH", paths).env("HOME", &folder).output();
        let run =
            run.unwrap_or_else(|error| panic!("{shell} is needed (cargo xtask test installs it): {error}"));
        assert!(run.status.success() && run.stderr.is_empty(), "{shell}: {run:?}");
        let words = fs::read_to_string(folder.join("words")).unwrap();
        fs::remove_file(folder.join("words")).unwrap();
        let ran: Vec<Vec<String>> = words
            .split_terminator("\0\0")
            .map(|words| words.split('\0').map(str::to_owned).collect())
            .collect();
        assert_eq!(ran, expected, "{shell}");
        assert!(!folder.join("pwn").exists(), "{shell}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
