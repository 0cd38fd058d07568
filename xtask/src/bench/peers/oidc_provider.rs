//! oidc-provider, a library for OAuth servers on Node: how `oidc_provider.mjs` starts, and its endpoints.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::endpoints::{Endpoints, PeoplesEndpoints};
use super::super::setup::Setup;

pub(in super::super) struct OidcProvider {
    pub(super) node: PathBuf,
    pub(super) program: PathBuf,
    /// The URL of the Redis with its clients. Without it they are in memory.
    pub(super) redis_url: Option<String>,
}

impl OidcProvider {
    pub(in super::super) const ENDPOINTS: Endpoints = Endpoints {
        health: "/jwks",
        token: "/token",
        jwks: "/jwks",
        introspection: "/token/introspection",
        resource: "/resource",
        // The application has to provide its pages.
        people: PeoplesEndpoints { authorization: "/auth", sign_in: "/interaction", userinfo: "/me" },
    };

    /// Adds program and arguments to a command.
    pub(in super::super) fn prepare(&self, command: &mut Command, setup: &Setup<'_>, folder: &Path) {
        let (port, algorithm) = (setup.address.port().to_string(), setup.algorithm.name());
        command.arg(&self.node).arg(&self.program).args([&port, algorithm]);
        command.arg(folder.join("key.json")).env("NODE_ENV", "production");
        // The URL is no argument, because every user can read a command line.
        command.envs(self.redis_url.iter().map(|url| ("REDIS_URL", url)));
    }
}
