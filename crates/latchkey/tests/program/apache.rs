//! Apache with mod_auth_openidc: one process with a site for each tenant, in front of one application.

use std::path::Path;
use std::process::Command;

use secrets::GeneratedSecret;
use tempfile::TempDir;
use testkit::free_port;

use crate::proxy_process::ProxyProcess;
use crate::two_providers::{ProviderTenant, TwoProviders};

// The paths of Debian's packages.
pub(crate) const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// Addresses on free ports. They are chosen before Apache starts, because clients are registered with them.
pub(crate) struct Sites {
    pub(crate) application: String,
    sites: [String; 2],
}

impl Sites {
    pub(crate) fn new() -> Self {
        let free = || format!("http://127.0.0.1:{}", free_port());
        Self { application: free(), sites: [free(), free()] }
    }

    pub(crate) fn of(&self, tenant: &str) -> &str {
        &self.sites[usize::from(tenant != "acme")]
    }
}

/// A running Apache. It is stopped when the value is dropped.
pub(crate) struct Apache {
    _process: ProxyProcess,
    _folder: TempDir,
}

impl Apache {
    /// Starts a site for each tenant, where people sign in with the client `web`.
    #[track_caller]
    pub(crate) fn start(sites: &Sites, providers: &TwoProviders) -> Self {
        let secrets = providers.tenants.iter().map(|tenant| (secret_variable(tenant), tenant.secret.clone()));
        let passphrase = GeneratedSecret::generate().secret.expose().to_owned();
        let variables = secrets.chain([("CRYPTO_PASSPHRASE".to_owned(), passphrase)]);
        let modules = ["authz_user", "proxy", "proxy_http", "auth_openidc"];
        let address = sites.of("acme").trim_start_matches("http://");
        Self::run(&modules, &text(sites, providers), variables, address)
    }

    /// Starts Apache with these modules and settings, and waits until it listens at the address.
    #[track_caller]
    pub(crate) fn run(
        modules: &[&str],
        settings: &str,
        variables: impl IntoIterator<Item = (String, String)>,
        address: &str,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("httpd.conf");
        std::fs::write(&file, common(folder.path(), modules) + settings).unwrap();
        // `-X`: Apache stays one process in the foreground. If root starts it, it changes to the user in its
        // settings.
        let mut apache = Command::new(PROGRAM);
        apache.arg("-X").arg("-f").arg(&file).env_clear().envs(variables);
        let process = ProxyProcess::start(&mut apache, folder.path(), &[address]);
        Self { _process: process, _folder: folder }
    }
}

/// The settings of Apache with these modules, which logs to standard error.
pub(crate) fn common(root: &Path, modules: &[&str]) -> String {
    let root = root.display();
    let modules: String = ["mpm_event", "authz_core", "authn_core"]
        .iter()
        .chain(modules)
        .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
        .collect();
    format!(
        "ServerRoot \"{root}\"\n\
         ServerName 127.0.0.1\n\
         DefaultRuntimeDir \"{root}\"\n\
         PidFile \"{root}/httpd.pid\"\n\
         ErrorLog /dev/stderr\n\
         User nobody\n\
         Group nogroup\n\
         {modules}"
    )
}

fn text(sites: &Sites, providers: &TwoProviders) -> String {
    let hosts: String = providers
        .tenants
        .iter()
        .map(|tenant| {
            let address = sites.of(tenant.id).trim_start_matches("http://");
            format!(
                "Listen {address}\n\
                 <VirtualHost {address}>\n\
                 OIDCProviderMetadataURL {}/.well-known/openid-configuration\n\
                 OIDCClientSecret ${{{}}}\n\
                 </VirtualHost>\n",
                tenant.issuer,
                secret_variable(tenant),
            )
        })
        .collect();
    format!(
        "OIDCCryptoPassphrase ${{CRYPTO_PASSPHRASE}}\n\
         OIDCClientID web\n\
         OIDCRedirectURI /callback\n\
         OIDCScope \"openid profile email\"\n\
         OIDCPKCEMethod S256\n\
         OIDCSessionType server-cache\n\
         OIDCPassRefreshToken On\n\
         {hosts}\
         ProxyPass / {}/\n\
         <Location />\n\
         AuthType openid-connect\n\
         Require valid-user\n\
         </Location>\n\
         <Location /signed-out>\n\
         AuthType None\n\
         Require all granted\n\
         </Location>\n",
        sites.application,
    )
}

fn secret_variable(tenant: &ProviderTenant) -> String {
    format!("CLIENT_SECRET_{}", tenant.id)
}
