//! The measured programs: how each starts, and the paths that it serves for the workloads.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::endpoints::{Endpoints, PeoplesEndpoints};
use super::peers::oidc_provider::OidcProvider;
use super::setup::Setup;
use crate::workspace::{Doing, Failure};

#[derive(Clone, Copy)]
pub(super) enum Program<'a> {
    /// A build of the platform.
    Platform(&'a Path),
    /// `crates/gateway/examples/bare_handler`.
    BareHandler(&'a Path),
    /// A token server of others.
    OidcProvider(&'a OidcProvider),
}

impl Program<'_> {
    /// Adds program and arguments to a command, and writes the files that it reads.
    pub(super) fn prepare(
        self,
        command: &mut Command,
        setup: &Setup<'_>,
        folder: &Path,
    ) -> Result<(), Failure> {
        match self {
            Self::Platform(program) => {
                let config = folder.join("config.yaml");
                fs::write(&config, setup.configuration()).doing("write the configuration")?;
                command.arg(program).args(["serve", "--config"]).arg(&config);
            }
            Self::BareHandler(program) => {
                command.arg(program).arg(setup.address.to_string()).arg(setup.algorithm.name());
                command.arg(folder.join("signing-key.der"));
                if let Some((address, certificate)) = setup.tls {
                    command.arg(address.to_string()).arg(&certificate.chain).arg(&certificate.key);
                }
            }
            Self::OidcProvider(peer) => peer.prepare(command, setup, folder),
        }
        Ok(())
    }

    pub(super) fn endpoints(self) -> Endpoints {
        match self {
            Self::Platform(_) => Endpoints {
                health: "/health/live",
                token: "/api/v1/tenant/bench/oauth/token",
                jwks: "/api/v1/tenant/bench/.well-known/jwks.json",
                introspection: "/api/v1/tenant/bench/oauth/introspect",
                resource: "/api/v1/protected-resource",
                people: PeoplesEndpoints {
                    authorization: "/api/v1/tenant/bench/oauth/authorize?response_type=code&client_id=bench-web&\
                                    redirect_uri=http://127.0.0.1:3001/callback&scope=openid%20profile%20email%20offline_access&state=load",
                    sign_in: "/api/v1/tenant/bench/oauth/sign-in",
                    userinfo: "/api/v1/tenant/bench/oauth/userinfo",
                },
            },
            Self::BareHandler(_) => Endpoints {
                health: "/health",
                token: "/oauth/token",
                jwks: "/jwks",
                introspection: "/introspect",
                resource: "/resource",
                people: PeoplesEndpoints {
                    authorization: "/authorize",
                    sign_in: "/sign-in",
                    userinfo: "/userinfo",
                },
            },
            Self::OidcProvider(_) => OidcProvider::ENDPOINTS,
        }
    }

    /// A peer need not serve every workload.
    pub(super) fn is_peer(self) -> bool {
        matches!(self, Self::OidcProvider(_))
    }
}
