//! Tests that every command and option that README and the pages in docs/ name exists.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use crate::command::Arguments;

fn pages() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let in_docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = in_docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.chain([root.join("README.md")]).collect()
}

/// The texts in a page that may be commands: lines of shell blocks, and code within sentences.
fn commands(page: &str) -> Vec<String> {
    let (mut found, mut is_shell, mut is_block) = (Vec::new(), false, false);
    for line in page.replace("\\\n", " ").lines() {
        if let Some(language) = line.strip_prefix("```") {
            (is_shell, is_block) = (!is_block && language.starts_with("sh"), !is_block);
        } else if is_shell {
            found.extend(line.split(['|', ';', '&', '(', ')', '#']).map(|part| part.trim().to_owned()));
        } else if !is_block {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found.retain(|text| text.starts_with("latchkey "));
    found
}

/// Finds the command that the words name, and refuses options that the command does not have.
fn check(text: &str) -> Result<(), String> {
    let mut whole = Arguments::command();
    whole.build();
    let mut command: &Command = &whole;
    let mut is_value = false;
    for word in text.split_whitespace().skip(1) {
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split(['=', '[', ']', '…']).next().unwrap_or_default();
            let argument = command.get_arguments().find(|argument| argument.get_long() == Some(name));
            match argument {
                None if name.is_empty() || ["help", "version"].contains(&name) => {}
                None => return Err(format!("`{text}`: {} has no --{name}", command.get_name())),
                Some(argument) => is_value = argument.get_action().takes_values() && !option.contains('='),
            }
        } else if is_value {
            is_value = false;
        } else if let Some(found) = command.find_subcommand(word) {
            command = found;
        } else if command.has_subcommands() && word.chars().all(|sign| sign.is_ascii_lowercase()) {
            return Err(format!("`{text}`: there is no command {word}"));
        }
    }
    Ok(())
}

#[test]
fn documented_commands_and_options_exist() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        for text in commands(&page) {
            seen += 1;
            wrong.extend(check(&text).err().map(|why| format!("{}: {why}", path.display())));
        }
    }
    assert!(seen > 200, "{seen} commands");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unknown_commands_and_options_are_found() {
    let page = "Run `latchkey tenant erase acme`.\n\n```sh\nlatchkey plan --quietly | head\n```\n";
    let wrong: Vec<_> = commands(page).iter().filter_map(|text| check(text).err()).collect();
    let expected = [
        "`latchkey tenant erase acme`: there is no command erase",
        "`latchkey plan --quietly`: plan has no --quietly",
    ];
    assert_eq!(wrong, expected);
}
