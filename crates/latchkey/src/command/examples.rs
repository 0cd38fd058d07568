//! The examples that `--help` shows, one for each command that does something.

use clap::Command;

/// Each command, and a line to type after `latchkey`.
const EXAMPLES: [(&str, &str); 71] = [
    ("serve", "serve --config /etc/latchkey/config.yaml"),
    ("init", "init"),
    ("health", "health --address 127.0.0.1:3000"),
    ("check", "check --config config.yaml"),
    ("doctor", "doctor --json"),
    ("inspect", "inspect token.json --tenant globex --audience orders-api"),
    ("plan", "plan --json"),
    ("drift", "drift"),
    ("apply", "apply --prune"),
    ("rollback", "rollback 12"),
    ("migrate", "migrate"),
    ("schema", "schema > config.schema.json"),
    ("openapi", "openapi > openapi.json"),
    ("completion", "completion bash > /etc/bash_completion.d/latchkey"),
    ("man", "man man1"),
    ("dev-cert", "dev-cert --name id.localhost"),
    ("admin init", "admin init --secret-file admin.secret"),
    ("tenant add", "tenant add globex --audience orders-api --scope orders:read,orders:write"),
    ("tenant list", "tenant list --search glob --all"),
    ("tenant show", "tenant show globex"),
    ("tenant set", "tenant set globex access_token.lifetime=30m"),
    ("tenant suspend", "tenant suspend globex"),
    ("tenant resume", "tenant resume globex"),
    ("tenant revoke-tokens", "tenant revoke-tokens globex"),
    ("tenant delete", "tenant delete globex --yes"),
    ("tenant restore", "tenant restore globex"),
    ("client add", "client add globex billing --audience orders-api --scope orders:read"),
    ("client list", "client list globex --search bill"),
    ("client show", "client show globex billing"),
    ("client set", "client set globex billing scopes=orders:read,orders:write"),
    ("client suspend", "client suspend globex billing"),
    ("client resume", "client resume globex billing"),
    ("client migrate", "client migrate globex billing"),
    ("client revoke-tokens", "client revoke-tokens globex billing"),
    ("client delete", "client delete globex billing --yes"),
    ("account add", "account add globex --email ada@example.com --claim name=Ada --ask-password"),
    ("account import", "account import globex accounts.ndjson"),
    ("account list", "account list globex --identifier ada@example.com"),
    ("account show", "account show globex usr_mfrggzdfmztwq2lknnwg23tpoa"),
    ("account set", "account set globex usr_mfrggzdfmztwq2lknnwg23tpoa groups=staff,accounting"),
    ("account suspend", "account suspend globex usr_mfrggzdfmztwq2lknnwg23tpoa"),
    ("account resume", "account resume globex usr_mfrggzdfmztwq2lknnwg23tpoa"),
    ("account unlock", "account unlock globex usr_mfrggzdfmztwq2lknnwg23tpoa"),
    ("account password", "account password globex usr_mfrggzdfmztwq2lknnwg23tpoa --password-file -"),
    ("account sessions", "account sessions globex usr_mfrggzdfmztwq2lknnwg23tpoa"),
    ("account consents", "account consents globex usr_mfrggzdfmztwq2lknnwg23tpoa --revoke billing"),
    ("account sign-out", "account sign-out globex usr_mfrggzdfmztwq2lknnwg23tpoa"),
    ("account delete", "account delete globex usr_mfrggzdfmztwq2lknnwg23tpoa --yes"),
    ("secret add", "secret add globex billing --expires 90d --secret-file billing.secret"),
    ("secret list", "secret list globex billing"),
    ("secret rotate", "secret rotate globex billing --grace 24h --secret-file billing.secret"),
    ("secret expire", "secret expire globex billing s1 7d"),
    ("secret revoke", "secret revoke globex billing s1 --yes"),
    ("explain", "explain globex billing --scope orders:read --secret-file billing.secret"),
    ("key list", "key list globex"),
    ("key show", "key show globex oauth2-key-1"),
    ("key rotate", "key rotate globex"),
    ("key revoke", "key revoke globex oauth2-key-1 --yes"),
    ("key import", "key import globex signing.pem --algorithm ES256"),
    ("key export", "key export globex --format pem"),
    ("key status", "key status globex"),
    ("key reseal", "key reseal --dry-run"),
    ("key new-sealing-key", "key new-sealing-key --file sealing.key"),
    ("audit list", "audit list --tenant globex --since 24h"),
    (
        "login",
        "login --server https://id.example.com --tenant globex --client-id billing --client-secret-file billing.secret",
    ),
    ("logout", "logout --profile default"),
    ("token", "token --format header"),
    ("whoami", "whoami"),
    ("call", "call -i https://orders.example.com/v1/orders"),
    ("profiles", "profiles"),
    ("use", "use production"),
];

/// The command line with its examples.
pub(crate) fn with_examples(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (path, line)| {
        let names: Vec<&str> = path.split(' ').collect();
        explain(command, &names, line)
    })
}

fn explain(command: Command, names: &[&str], line: &str) -> Command {
    match names {
        [] => command.after_help(format!("Example:\n  latchkey {line}")),
        [name, rest @ ..] if command.find_subcommand(name).is_some() => {
            command.mut_subcommand(name, |command| explain(command, rest, line))
        }
        [..] => command,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::{Arguments, command_line};

    /// The commands that do something, with their examples.
    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Option<String>)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path} {}", inner.get_name());
            if inner.has_subcommands() {
                leaves(inner, &path, found);
            } else {
                found.push((path.trim().to_owned(), inner.get_after_help().map(ToString::to_string)));
            }
        }
    }

    #[test]
    fn manual_pages_show_the_examples() {
        let folder = tempfile::tempdir().unwrap();
        crate::command::man::run(folder.path(), command_line()).unwrap();
        for (path, line) in EXAMPLES {
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
        check(&command_line());
    }

    #[test]
    fn every_command_has_an_example_that_the_command_line_accepts() {
        let mut found = Vec::new();
        leaves(&command_line(), "", &mut found);
        let without: Vec<_> = found.iter().filter(|(_, example)| example.is_none()).collect();
        assert!(without.is_empty(), "commands without an example: {without:?}");
        for (path, line) in EXAMPLES {
            assert!(found.iter().any(|(command, _)| command == path), "there is no command `{path}`");
            assert!(line.starts_with(path), "{line}");
            let words = line.split(' ').take_while(|word| *word != ">");
            let read = Arguments::command().try_get_matches_from(std::iter::once("latchkey").chain(words));
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
        }
    }
}
