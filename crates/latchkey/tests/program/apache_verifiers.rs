//! Apache in front of APIs, with mod_oauth2 and mod_auth_openidc: a site for each tenant and each way to
//! check tokens. The sites use the files of `docs/examples/apache`.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;
use testkit::free_port;

use crate::apache::Apache;
use crate::changing_keys::Tenant;
use crate::foreign::{example, pointed};
use crate::other_verifiers::{EXAMPLES_ISSUER, EXAMPLES_JWKS, Verifier};

/// How a site checks tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    OauthKeys,
    /// Without the line that requires the tenant's `iss`.
    OauthKeysOfAnyIssuer,
    OauthIntrospection,
    OpenidcKeys,
    OpenidcIntrospection,
}

const WAYS: [Way; 5] = [
    Way::OauthKeys,
    Way::OauthKeysOfAnyIssuer,
    Way::OauthIntrospection,
    Way::OpenidcKeys,
    Way::OpenidcIntrospection,
];

pub(crate) struct ApacheVerifiers {
    address: String,
    _apache: Apache,
    _public: TempDir,
}

impl ApacheVerifiers {
    /// `authority` is the file with the certificate for the key sets.
    #[track_caller]
    pub(crate) fn start(tenants: &[Tenant], authority: &Path) -> Self {
        // Apache reads the certificate as another user.
        let readable = Permissions::from_mode(0o755);
        let public = tempfile::Builder::new().permissions(readable).tempdir().unwrap();
        let bundle = public.path().join("ca.pem");
        fs::write(&bundle, fs::read(authority).unwrap()).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let sites = tenants.iter().flat_map(|tenant| WAYS.map(|way| site(&address, tenant, way)));
        let settings = format!(
            "Listen {address}\nOAuth2Cache shm name=introspection\nOAuth2Cache shm\nOIDCCryptoPassphrase unused\nOIDCCABundlePath {}\nDocumentRoot /usr/lib/apache2\n{}",
            bundle.display(),
            sites.collect::<String>()
        );
        let apache = Apache::run(&["authz_user", "auth_openidc", "oauth2"], &settings, [], &address);
        Self { address, _apache: apache, _public: public }
    }

    /// The sites that check tokens in this way.
    pub(crate) fn sites(&self, way: Way) -> Sites {
        Sites { way, address: self.address.clone() }
    }
}

pub(crate) struct Sites {
    way: Way,
    address: String,
}

impl Verifier for Sites {
    fn accepts(&mut self, tenant: &Tenant, token: &str) -> bool {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let host = name(tenant, self.way);
        write!(connection, "GET /nothing HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        match answer.split(' ').nth(1) {
            // There is nothing, but Apache only says so to a caller with a good token.
            Some("404") => true,
            Some("401") => false,
            _ => panic!("{host}: {answer}"),
        }
    }
}

fn name(tenant: &Tenant, way: Way) -> String {
    format!("{way:?}.{}.test", tenant.id).to_lowercase()
}

fn site(address: &str, tenant: &Tenant, way: Way) -> String {
    let oauth = || pointed(&example("apache/mod_oauth2.conf"), &[(EXAMPLES_ISSUER, &tenant.issuer)]);
    let openidc = || {
        let replacements = [(EXAMPLES_JWKS, tenant.jwks.as_str()), (EXAMPLES_ISSUER, &tenant.issuer)];
        pointed(&example("apache/mod_auth_openidc.conf"), &replacements)
    };
    let (id, secret, issuer) = ("auditor", &tenant.secret, &tenant.issuer);
    // An example with other lines instead of those that begin with this word.
    let with = |text: String, begin: &str, lines: &str| {
        let replaced = |line: &str| match line.trim_start().starts_with(begin) {
            true => lines.to_owned(),
            false => format!("{line}\n"),
        };
        text.lines().map(replaced).collect::<String>()
    };
    let settings = match way {
        Way::OauthKeys => oauth(),
        Way::OauthKeysOfAnyIssuer => with(oauth(), "Require oauth2_claim iss:", ""),
        // In a cache of its own, or the sites that cannot check EdDSA accept what this one has accepted.
        Way::OauthIntrospection => with(
            oauth(),
            "OAuth2TokenVerify ",
            &format!(
                "OAuth2TokenVerify metadata {issuer}/.well-known/oauth-authorization-server \
                 introspect.auth=client_secret_basic&client_id={id}&client_secret={secret}&verify.cache=introspection\n"
            ),
        ),
        Way::OpenidcKeys => openidc(),
        Way::OpenidcIntrospection => with(
            openidc(),
            "OIDCOAuthVerifyJwksUri ",
            &format!(
                "OIDCOAuthServerMetadataURL {issuer}/.well-known/oauth-authorization-server\n\
                 OIDCOAuthClientID {id}\nOIDCOAuthClientSecret {secret}\n"
            ),
        ),
    };
    format!("<VirtualHost {address}>\nServerName {}\n{settings}</VirtualHost>\n", name(tenant, way))
}
