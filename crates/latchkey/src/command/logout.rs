//! `latchkey logout`: removes profiles with their credentials and tokens.

use std::process::ExitCode;

use clap::Args;
use settings::Environment;

use super::print;
use crate::profiles::{Chosen, Folders, ProfileArguments, ProfileStore, SharedTokens};

/// Which profiles are removed.
#[derive(Args)]
pub(crate) struct LogoutArguments {
    #[command(flatten)]
    profile: ProfileArguments,
    /// Remove all profiles.
    #[arg(long, conflicts_with = "profile")]
    all: bool,
}

/// Removes profiles with their secrets and tokens.
pub(crate) fn run(arguments: &LogoutArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::of(&Environment::of_process())?;
    let store = ProfileStore(&folders);
    let profiles = if arguments.all {
        let profiles = store.read()?.profiles.into_iter();
        profiles.map(Chosen::try_from).collect::<anyhow::Result<Vec<Chosen>>>()?
    } else {
        vec![store.choose(arguments.profile.profile.as_ref())?]
    };
    let shared = SharedTokens::of(&folders);
    let mut lines = String::new();
    for chosen in profiles {
        shared.remove(&chosen.name)?;
        store.remove(&chosen)?;
        lines += &format!(
            "Removed the profile `{}`, its secret and its tokens. Its tokens stay valid until they expire.\n",
            chosen.name
        );
    }
    print(&lines)
}
