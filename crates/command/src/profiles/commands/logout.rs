//! `latchkey logout`: removes profiles with their credentials and tokens.

use std::process::ExitCode;

use clap::Args;
use settings::Environment;

use crate::process::print;
use crate::profiles::{
    Chosen, Folders, ProfileArguments, ProfileStore, RequestArguments, SharedTokens, no_answer,
};
use server::block_on;

/// Which profiles are removed.
#[derive(Args)]
pub(crate) struct LogoutArguments {
    #[command(flatten)]
    profile: ProfileArguments,
    /// Remove all profiles.
    #[arg(long, conflicts_with = "profile")]
    all: bool,
    /// Revoke the tokens at the server first (RFC 7009). If this fails, the profile is not removed.
    #[arg(long)]
    revoke: bool,
}

pub(crate) fn run(arguments: &LogoutArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::from_environment(&Environment::of_process())?;
    let store = ProfileStore(&folders);
    let profiles = if arguments.all {
        let profiles = store.read()?.profiles.into_iter();
        profiles.map(Chosen::try_from).collect::<anyhow::Result<Vec<Chosen>>>()?
    } else {
        vec![store.choose(arguments.profile.profile.as_ref())?]
    };
    let shared = SharedTokens::from_folders(&folders);
    let mut lines = String::new();
    for chosen in profiles {
        let tokens = if arguments.revoke {
            block_on(revoke(&shared, &chosen))?;
            "The tokens are revoked."
        } else {
            "The tokens stay valid until they expire."
        };
        shared.remove(&chosen.name)?;
        store.remove(&chosen)?;
        lines += &format!("Removed profile `{}` with its secret and tokens. {tokens}\n", chosen.name);
    }
    print(&lines)
}

/// Revokes the profile's shared tokens. Other tokens of the client are not known here.
async fn revoke(shared: &SharedTokens<'_>, chosen: &Chosen) -> anyhow::Result<()> {
    let source = shared.source(chosen, &RequestArguments::none().request(&chosen.profile))?;
    for token in shared.valid(&chosen.name) {
        let revoked = source.revoke(&token.access_token).await;
        revoked.map_err(|error| no_answer(&chosen.profile, error))?;
    }
    Ok(())
}
