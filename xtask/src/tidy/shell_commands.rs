//! The rule for commands in messages: a value gets into `latchkey …` by `values::ShellCommand`, which quotes
//! it for shells, and not by a format string.

use super::files::Files;
use super::rust_code::literals;
use super::violation::Violation;

const WHAT: &str = "a value in the text of a command";
const HINT: &str =
    "write its name in capitals, and render it by values::with_commands or values::ShellCommand";

pub(super) fn check(files: &Files) -> Vec<Violation> {
    files.product().flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &str, text: &str) -> Vec<Violation> {
    let has_value = |(line, literal): (usize, String)| {
        // Up to the end of the command: a backquote, or the end of the line if it does not continue in the
        // next one.
        let literal = literal.replace("{{", "");
        let mut commands = literal.split("latchkey ").skip(1);
        let is_filled = |command: &str| command.split(['`', '\n']).next().unwrap_or_default().contains('{');
        commands.any(is_filled).then_some(line)
    };
    let lines = literals(text).into_iter().filter_map(has_value);
    lines.map(|line| Violation::new(path, line, WHAT, HINT)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    // [third 3]
    #[test]
    fn format_strings_must_not_fill_commands() {
        for (code, is_refused) in [
            (r#"format!("Run `latchkey client show {tenant} {}`.", id)"#, true),
            (r#"format!("latchkey {command}")"#, true),
            ("format!(\"latchkey client \\\n    show {id}\")", true),
            (r##"const A: &str = r#"see latchkey key list {tenant}"#;"##, true),
            (r#"with_commands("`latchkey client show TENANT` of {tenant}", values)"#, false),
            (r#"format!("`latchkey dev` listens at {address}")"#, false),
            ("// latchkey client show {tenant}", false),
        ] {
            let text = format!("//! A.\n{code}\n");
            let expected = if is_refused { vec![format!("crates/a/src/a.rs:2: {WHAT}")] } else { Vec::new() };
            assert_eq!(facts(&check_file("crates/a/src/a.rs", &text)), expected, "{code}");
        }
    }
}
