//! The example that `--help` shows for each command: a line to type after `latchkey`.

/// The last part of a command's help text.
macro_rules! example {
    ($line:literal) => {
        concat!("Example:\n  latchkey ", $line)
    };
}

pub(crate) use example;

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use crate::command::Arguments;

    /// All commands without subcommands, each with its example.
    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path}{} ", inner.get_name());
            if inner.has_subcommands() {
                leaves(inner, &path, found);
                continue;
            }
            let shown =
                inner.get_after_help().unwrap_or_else(|| panic!("`{path}` has no example")).to_string();
            let line = shown.strip_prefix("Example:\n  latchkey ").unwrap().to_owned();
            found.push((path.trim_end().to_owned(), line));
        }
    }

    fn examples() -> Vec<(String, String)> {
        let mut found = Vec::new();
        leaves(&Arguments::command(), "", &mut found);
        found
    }

    #[test]
    fn manual_pages_show_the_examples() {
        let folder = tempfile::tempdir().unwrap();
        crate::man::run(folder.path(), Arguments::command()).unwrap();
        for (path, line) in examples() {
            let page = folder.path().join(format!("latchkey-{}.1", path.replace(' ', "-")));
            let page = std::fs::read_to_string(&page).unwrap().replace('\\', "");
            assert!(page.contains(&format!("latchkey {line}")), "{path}: {page}");
        }
    }

    #[test]
    fn every_argument_has_a_help_text() {
        fn check(command: &Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().filter(|inner| inner.get_name() != "help").for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn every_command_has_a_valid_example() {
        for (path, line) in examples() {
            assert!(line.starts_with(&path), "{line}");
            let words = line.split(' ').take_while(|word| *word != ">");
            let read = Arguments::command().try_get_matches_from(std::iter::once("latchkey").chain(words));
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
        }
    }
}
