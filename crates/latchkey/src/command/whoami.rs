//! `latchkey whoami`, `latchkey profiles` and `latchkey use`: which profiles there are, and which one counts.

use std::process::ExitCode;

use clap::Args;
use protocol::{Lifetime, Timestamp};
use serde_json::{Value, json};
use settings::Environment;

use super::output;
use super::print;
use crate::clock;
use crate::profiles::{
    Chosen, Folders, ProfileArguments, ProfileName, ProfileStore, RequestArguments, SharedTokens,
};

/// Which profile, and how it is shown.
#[derive(Args)]
pub(crate) struct WhoamiArguments {
    #[command(flatten)]
    profile: ProfileArguments,
    /// Print a JSON document instead.
    #[arg(long)]
    json: bool,
}

/// Shows a profile. Asks no server.
pub(crate) fn run(arguments: &WhoamiArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::of(&Environment::of_process())?;
    let store = ProfileStore(&folders);
    let chosen = store.choose(arguments.profile.profile.as_ref())?;
    let Chosen { name, profile } = &chosen;
    let request = RequestArguments::none().request(profile);
    let shared = SharedTokens::of(&folders);
    let token = shared.peek(&chosen, &request)?;
    let now = clock::now();
    let left = token.as_ref().map(|token| Lifetime::from_seconds(token.left(now)));
    let document = json!({
        "profile": name.as_str(),
        "endpoint": profile.endpoint.to_string(),
        "tenant": profile.tenant(),
        "client_id": profile.client_id,
        "store": profile.store,
        "credential": profile.store.place(&folders, name),
        "scopes": profile.scopes,
        "resources": profile.resources,
        "origins": profile.origins,
        "token_expires_at": token.as_ref().map(|token| Timestamp::from_seconds(token.expires_at).to_rfc3339()),
    });
    if arguments.json {
        return print(&output::json(&document));
    }
    let mut lines = String::new();
    for (label, member) in LABELS {
        let value = match &document[member] {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            _ => continue,
        };
        if !value.is_empty() {
            lines += &format!("{label:<11} {value}\n");
        }
    }
    let token = left
        .map_or_else(|| "none; the next command fetches one".to_owned(), |left| format!("ends in {left}"));
    print(&format!("{lines}{:<11} {token}\n", "token"))
}

const LABELS: [(&str, &str); 8] = [
    ("profile", "profile"),
    ("server", "endpoint"),
    ("tenant", "tenant"),
    ("client", "client_id"),
    ("secret", "credential"),
    ("scopes", "scopes"),
    ("resources", "resources"),
    ("origins", "origins"),
];

/// How the list is shown.
#[derive(Args)]
pub(crate) struct ProfilesArguments {
    /// Print a JSON document instead.
    #[arg(long)]
    json: bool,
}

/// Lists the profiles; the current one is marked.
pub(crate) fn list(arguments: &ProfilesArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::of(&Environment::of_process())?;
    let found = ProfileStore(&folders).read()?;
    if arguments.json {
        return print(&output::json(&found));
    }
    let mut lines = String::new();
    for (name, profile) in &found.profiles {
        let is_current = found.current.as_ref().is_some_and(|current| current.as_str() == name);
        let mark = if is_current { '*' } else { ' ' };
        lines += &format!("{mark} {name}: {} at {}\n", profile.client_id, profile.endpoint);
    }
    if lines.is_empty() {
        lines = "There is no profile; `latchkey login` makes one.\n".to_owned();
    }
    print(&lines)
}

/// Which profile.
#[derive(Args)]
pub(crate) struct UseArguments {
    /// The profile that commands use from now on.
    name: ProfileName,
}

/// Makes another profile the current one.
pub(crate) fn switch(arguments: &UseArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::of(&Environment::of_process())?;
    ProfileStore(&folders).switch_to(&arguments.name)?;
    print(&format!("The profile `{}` is the current one.\n", arguments.name))
}
