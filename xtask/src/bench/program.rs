//! The programs that are measured: how each starts, and where it serves what the workloads request.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::algorithm::Algorithm;
use crate::workspace::{Doing, Failure};

#[derive(Clone, Copy)]
pub(super) enum Program<'a> {
    /// A build of the platform.
    Platform(&'a Path),
    /// `crates/gateway/examples/bare_handler`.
    BareHandler(&'a Path),
}

/// The paths of a program.
#[derive(Clone, Copy)]
pub(super) struct Endpoints {
    pub(super) token: &'static str,
    pub(super) jwks: &'static str,
    pub(super) introspection: &'static str,
}

impl Program<'_> {
    /// Adds program and arguments to a command, and writes the files that it reads.
    pub(super) fn prepare(
        self,
        command: &mut Command,
        address: SocketAddr,
        algorithm: Algorithm,
        folder: &Path,
    ) -> Result<(), Failure> {
        match self {
            Self::Platform(program) => {
                let config = folder.join("config.yaml");
                fs::write(&config, configuration(address, algorithm)).doing("write the configuration")?;
                command.arg(program).args(["serve", "--config"]).arg(&config);
                command.env("LATCHKEY__SERVER__WORKERS", "1");
            }
            Self::BareHandler(program) => {
                command.arg(program).arg(address.to_string()).arg(algorithm.name());
            }
        }
        Ok(())
    }

    pub(super) fn endpoints(self) -> Endpoints {
        match self {
            Self::Platform(_) => Endpoints {
                token: "/api/v1/tenant/bench/oauth/token",
                jwks: "/api/v1/tenant/bench/.well-known/jwks.json",
                introspection: "/api/v1/tenant/bench/oauth/introspect",
            },
            Self::BareHandler(_) => {
                Endpoints { token: "/oauth/token", jwks: "/jwks", introspection: "/introspect" }
            }
        }
    }
}

fn configuration(address: SocketAddr, algorithm: Algorithm) -> String {
    let algorithm = algorithm.name();
    format!(
        "server:
  public_url: http://{address}
  listeners: [{{ address: '{address}' }}]
  default_tenant: bench
storage: {{ url: 'sqlite://data/latchkey.db' }}
keys: {{ sealing_key: {{ file: data/sealing.key }} }}
tenants:
  bench:
    name: Bench
    strategies: {{ oauth2: {{ enabled: true }} }}
    signing: {{ algorithm: {algorithm} }}
    access_token: {{ lifetime: 1h, format: jwt }}
    resource_servers:
      bench-api: {{ scopes: [api:read, api:write] }}
    clients:
      bench:
        name: Load
        client_secret: {{ value: bench-client-secret }}
        grant_types: [client_credentials]
        audiences: [bench-api]
        scopes: [api:read, api:write]
"
    )
}
