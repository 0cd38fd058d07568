//! The arguments that choose a profile, and the scopes and resources of a token.

use clap::Args;

use super::profile::Profile;
use super::profile_name::ProfileName;
use latchkey_client::Request;

/// Which profile.
#[derive(Args)]
pub(crate) struct ProfileArguments {
    /// Profile to use. Defaults to the current profile, which you set with `latchkey use`.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<ProfileName>,
}

/// What a token is requested for, instead of what the profile says.
#[derive(Args)]
pub(crate) struct RequestArguments {
    /// Request these scopes instead of the profile's (repeatable or comma-separated).
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
    /// Request a token for this resource (RFC 8707) instead of the profile's (repeatable or
    /// comma-separated).
    #[arg(long = "resource", value_name = "URI", value_delimiter = ',')]
    pub(crate) resources: Vec<String>,
}

impl RequestArguments {
    /// Chooses the scopes and resources of the profile.
    pub(crate) const fn none() -> Self {
        Self { scopes: Vec::new(), resources: Vec::new() }
    }

    pub(crate) fn request(&self, profile: &Profile) -> Request {
        let scopes = if self.scopes.is_empty() { &profile.scopes } else { &self.scopes };
        // The origins belong to the profile's resources. A token for other resources must not be sent to
        // them.
        let (resources, origins) = if self.resources.is_empty() {
            (&profile.resources, profile.origins.as_slice())
        } else {
            (&self.resources, &[][..])
        };
        let request = scopes.iter().fold(Request::new(), Request::scope);
        let request = resources.iter().fold(request, Request::resource);
        origins.iter().fold(request, Request::origin)
    }
}
