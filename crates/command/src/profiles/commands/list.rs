//! `latchkey profiles` and `latchkey use`: the existing profiles, and the current one.

use std::process::ExitCode;

use clap::Args;
use settings::Environment;

use crate::process::{json, print};
use crate::profiles::{Folders, ProfileName, ProfileStore};

/// How the list is shown.
#[derive(Args)]
pub(crate) struct ProfilesArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lists the profiles and marks the current one.
pub(crate) fn run(arguments: &ProfilesArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::from_environment(&Environment::of_process())?;
    let found = ProfileStore(&folders).read()?;
    if arguments.json {
        return print(&json(&found));
    }
    let mut lines = String::new();
    for (name, profile) in &found.profiles {
        let is_current = found.current.as_ref().is_some_and(|current| current.as_str() == name);
        let mark = if is_current { '*' } else { ' ' };
        lines += &format!("{mark} {name}: {} at {}\n", profile.client_id, profile.endpoint);
    }
    if lines.is_empty() {
        lines = "No profiles. Create one with `latchkey login`.\n".to_owned();
    }
    print(&lines)
}

/// Which profile.
#[derive(Args)]
pub(crate) struct UseArguments {
    /// Profile to use by default.
    name: ProfileName,
}

/// Makes this profile the current one.
pub(crate) fn switch(arguments: &UseArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::from_environment(&Environment::of_process())?;
    ProfileStore(&folders).switch_to(&arguments.name)?;
    print(&format!("Current profile: `{}`.\n", arguments.name))
}
