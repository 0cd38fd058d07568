//! `latchkey login`: tests a client's credential by fetching a token, then stores both.

mod arguments;
mod credential;
mod new_key;

use std::process::ExitCode;

use settings::Environment;
use values::Lifetime;

use crate::process::print;
use crate::profiles::{Chosen, Folders, ProfileStore, SharedTokens, no_token, source_builder};
pub(crate) use arguments::LoginArguments;
use server::block_on;

/// Fetches a token, then stores profile, credential and token. Stores nothing if that fails. A new key is
/// stored without a token, because the server does not know the key yet.
pub(crate) fn run(arguments: &LoginArguments) -> anyhow::Result<ExitCode> {
    arguments.store.check()?;
    let environment = Environment::of_process();
    let folders = Folders::from_environment(&environment)?;
    let chosen = Chosen { name: arguments.profile.clone(), profile: arguments.profile()? };
    if arguments.new_key {
        return new_key::run(&folders, chosen);
    }
    let secret = credential::read(arguments, &environment)?;
    let request = arguments.request.request(&chosen.profile);
    let profile = &chosen.profile;
    let source = source_builder(profile, &secret, &profile.trust())?.request(request.clone()).build()?;
    let token = block_on(async { source.token().await.map_err(|error| no_token(profile, error)) })?;
    let shared = SharedTokens::from_folders(&folders);
    ProfileStore(&folders).save(&chosen, &secret)?;
    shared.remove(&chosen.name)?;
    shared.share(&chosen, &request, &token)?;
    let of = chosen.profile.tenant().map(|tenant| format!(" of {tenant}")).unwrap_or_default();
    let lifetime = Lifetime::from_seconds(token.lifetime().as_secs());
    let client = &arguments.client_id;
    print(&format!(
        "✓ Authenticated as {client}{of}. Tokens are valid for {lifetime}. Current profile: `{}`.\n",
        chosen.name
    ))
}
