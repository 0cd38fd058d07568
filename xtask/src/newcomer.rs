//! Measures how long a newcomer needs from the built program to a verified token, in each language: it runs
//! the commands as people type them, in a new folder, with libraries from their registries. It pastes the
//! output of `tenant add` into a file, with one line that prints the token's subject.

mod language;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::servers::{Process, free_port};
use crate::tools::{self, FOR_NEWCOMERS};
use crate::workspace::{Doing, Failure, Workspace, run};
use language::{LANGUAGES, Language};

/// The goals: seconds and commands.
const SECONDS: f64 = 60.0;
const COMMANDS: usize = 4;

/// A command that takes longer has failed.
const LONGEST: &str = "900";

/// What to begin with.
#[derive(clap::Args)]
pub(crate) struct NewcomerOptions {
    /// Only these languages
    languages: Vec<String>,
    /// The folder of a built program, instead of building it
    #[arg(long, value_name = "FOLDER")]
    program: Option<PathBuf>,
}

/// Measures all languages and prints a table.
pub(crate) fn measure(workspace: &Workspace, options: &NewcomerOptions) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_NEWCOMERS)?;
    let target = workspace.target_folder()?;
    let place = target.join(format!("newcomer-{}", std::process::id()));
    fs::create_dir_all(&place).doing("make a folder")?;
    let program = match &options.program {
        Some(folder) => folder.canonicalize().doing("find the program")?,
        None => built(workspace, &target)?,
    };
    let mut outcomes = Vec::new();
    for language in LANGUAGES {
        if options.languages.is_empty() || options.languages.iter().any(|name| name == language.name) {
            println!("\n{}", language.name);
            outcomes.push((language.name, walk(workspace, &program, &place, &language)?));
        }
    }
    println!(
        "\n{:<12}{:>9}{:>10}   met (<= {COMMANDS} commands, <= {SECONDS} s)",
        "language", "commands", "seconds"
    );
    for (name, seconds) in &outcomes {
        let total: f64 = seconds.iter().sum();
        let met = if seconds.len() <= COMMANDS && total <= SECONDS { "yes" } else { "NO" };
        println!("{name:<12}{:>9}{total:>10.1}   {met}", seconds.len());
    }
    fs::remove_dir_all(&place).doing("remove the folder")
}

fn built(workspace: &Workspace, target: &Path) -> Result<PathBuf, Failure> {
    run(&mut workspace.cargo(&["build", "--quiet", "--locked", "--release", "--package", "latchkey"]))?;
    Ok(target.join("release"))
}

/// The seconds of each command of a language.
fn walk(
    workspace: &Workspace,
    program: &Path,
    place: &Path,
    language: &Language,
) -> Result<Vec<f64>, Failure> {
    let folder = place.join(language.name);
    fs::create_dir_all(&folder).doing("make a folder")?;
    let port = free_port()?;
    let settings = format!(
        "server: {{ public_url: 'http://localhost:{port}', listeners: [{{ address: '127.0.0.1:{port}' }}] }}\n\
         storage: {{ url: 'sqlite://data/latchkey.db' }}\nkeys: {{ sealing_key: {{ file: keys/sealing.key }} }}\n"
    );
    fs::write(folder.join("config.yaml"), settings).doing("write config.yaml")?;
    let path = workspace.path_with(&[program])?;
    let newcomer = Newcomer { workspace, path, folder: &folder };
    let mut seconds = Vec::new();
    let begun = Instant::now();
    let log = folder.join("server.log");
    let _server = Process::serve(workspace, &mut newcomer.shell(&["latchkey", "serve"]), &log, port)?;
    seconds.push(begun.elapsed().as_secs_f64());
    println!("{:>8.1} s  latchkey serve", seconds[0]);
    let add = format!(
        "latchkey tenant add {} --client shipping --audience orders-api --scope orders:read --snippet {} --secret-file secret > printed",
        language.name, language.snippet
    );
    seconds.push(newcomer.types(&add)?);
    let printed = fs::read_to_string(folder.join("printed")).doing("read what tenant add printed")?;
    for (name, text) in (language.files)(&sections(&printed)) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap_or(&folder)).doing("make a folder")?;
        fs::write(file, text).doing(format_args!("write {name}"))?;
    }
    for command in language.commands {
        let command = command.replace("{port}", &port.to_string()).replace("{tenant}", language.name);
        seconds.push(newcomer.types(&command)?);
    }
    Ok(seconds)
}

/// The parts of code that were printed, each below a line with its language and library.
fn sections(printed: &str) -> Vec<String> {
    let parts = printed.split("\n── ").skip(1);
    let code = parts.map(|part| part.split_once('\n').map_or("", |(_, code)| code));
    code.map(|code| {
        code.split("\nYour API verifies the tokens").next().unwrap_or(code).trim().to_owned() + "\n"
    })
    .collect()
}

/// A person at a shell in a new folder.
struct Newcomer<'a> {
    workspace: &'a Workspace,
    /// The folder of the program, before those of the machine.
    path: String,
    folder: &'a Path,
}

impl Newcomer<'_> {
    fn types(&self, line: &str) -> Result<f64, Failure> {
        let begun = Instant::now();
        run(&mut self.shell(&["timeout", LONGEST, "bash", "-euo", "pipefail", "-c", line]))?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{seconds:>8.1} s  {line}");
        Ok(seconds)
    }

    /// A program in the newcomer's folder. It finds `latchkey`, and stores its profiles there.
    fn shell(&self, words: &[&str]) -> Command {
        let (program, arguments) = words.split_first().unwrap_or((&"true", &[]));
        let mut command = self
            .workspace
            .program("env", &[&[&*format!("PATH={}", self.path), *program], arguments].concat());
        command.current_dir(self.folder);
        for variable in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(variable, self.folder.join(variable));
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_each_section_is_extracted() {
        let printed = "Tenant x is ready.\n\n── A (a)\n\none\n\nYour API verifies the tokens that it receives:\n\n── B (b)\n\ntwo\nthree\n";
        assert_eq!(sections(printed), ["one\n", "two\nthree\n"]);
    }
}
