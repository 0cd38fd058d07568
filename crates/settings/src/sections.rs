//! The sections of config.yaml that belong to the whole server and not to one tenant.

mod mail;

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
};

use accounts::SignInThrottling;
use administration::documents::schema::{JsonSchema, STORE_PATH};
use administration::documents::{FileSecret, PasswordSource};
use administration::rules::UrlRule;
use gateway::{CertificateFormat, CertificateRequests, ForwardingHeader, TlsFiles};
use outbound::Guard;
use serde::{Deserialize, Serialize};
use values::{Lifetime, Rate};

pub(crate) use mail::{Mail, MailPassword, Smtp};

use super::{
    scalar::{ListenAddress, Network, PublicUrl},
    schema,
    store_reference::StoreReference,
};

/// The addresses that the server listens on, and its public URL.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The URL from which issuers and metadata are derived. The server does not need to listen on this
    /// address itself.
    pub public_url: PublicUrl,
    /// The base URL of the endpoints for clients with certificates (RFC 8705 section 5): an https URL that
    /// leads to a listener that requests certificates. Default: these clients use the same endpoints as all
    /// others.
    pub mtls_url: Option<PublicUrl>,
    /// The addresses to listen on, at least one.
    #[schemars(extend("minItems" = 1))]
    pub listeners: Vec<Listener>,
    /// The tenant that the server also serves at the paths without a prefix, such as `/oauth/token`. Default:
    /// none.
    #[schemars(extend("pattern" = schema::TENANT_ID))]
    pub default_tenant: Option<String>,
    /// The maximum number of connections over all listeners, from 1 to 1000000. When half of them are open,
    /// one source can have at most a quarter. Default: 10000, or less if the limit on open files is lower.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000))]
    pub max_connections: Option<u32>,
    /// Threads that serve requests, from 1 to 512. Default: one for each core.
    pub workers: Option<NonZeroUsize>,
    /// Which URLs of tenants and clients the server can fetch.
    pub outbound: Outbound,
    /// Where Latchkey writes audit records, in addition to the store.
    pub audit: Audit,
}

/// Where Latchkey writes audit records, in addition to the store.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Writes each record as a line of JSON to `stdout`, or to `file` with a path. Default: nowhere.
    pub stream: Option<AuditOutput>,
}

/// The destination of the audit lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutput {
    /// To standard output, mixed with the lines of the log.
    Stdout,
    /// Appended to this file, relative to the file that names it.
    File(PathBuf),
}

/// Which URLs of tenants and clients the server can fetch, such as `jwks_uri`, and the URL for GitHub's keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    /// Non-public addresses or networks that the server can connect to: private, link-local and loopback
    /// addresses. If you list loopback, a URL can be `http://127.0.0.1:…`. Default: none.
    #[schemars(extend("uniqueItems" = true))]
    pub allowed_networks: Vec<Network>,
    /// The URL of the keys with which GitHub signs reports of leaked credentials. Default: none, so Latchkey
    /// does not keep what such a report says about the location of a credential.
    #[schemars(example = &"https://api.github.com/meta/public_keys/secret_scanning", extend("pattern" = schema::FETCHED))]
    pub github_keys: Option<String>,
}

impl Outbound {
    /// The guard that decides about the addresses of requests that the server sends.
    #[must_use]
    pub fn guard(&self) -> Guard {
        Guard::allowing(self.allowed_networks.iter().map(|network| network.net()).collect())
    }

    /// The guard's rule for URLs before a name is resolved.
    #[must_use]
    pub fn url_rule(&self) -> UrlRule {
        let guard = self.guard();
        UrlRule::new(move |url| guard.check(url).err().map(|why| why.to_string()))
    }
}

/// One address to listen on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// An IP address and a port.
    pub address: ListenAddress,
    /// What this address serves: `public` (tokens, keys, metadata), `admin` (clients, keys, tenants,
    /// metrics), `console` (a tenant's pages for its administrators) and `operator_console`. Default:
    /// everything on loopback, `public` on other addresses. If no listener names a console, `public` includes
    /// the console of tenants with sign-in, and `admin` includes the operators' console.
    #[schemars(extend("minItems" = 1, "uniqueItems" = true))]
    pub serves: Option<Vec<Surface>>,
    /// Additional `Host` names for the paths of `admin`. The host of `public_url`, localhost and addresses
    /// are always allowed.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = schema::texts(schema::HOST)))]
    pub hosts: Vec<String>,
    /// Proxies in front of this address. Default: none, and the caller is the peer of the connection.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Serve https instead of http.
    pub tls: Option<Tls>,
}

/// Proxies that Latchkey trusts to report the address of a caller.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedProxies {
    /// Their addresses or networks, at least one.
    #[schemars(extend("minItems" = 1))]
    pub from: Vec<Network>,
    /// The header that they set. Latchkey ignores all other such headers.
    pub header: ForwardingHeader,
    /// The header in which they forward client certificates. Default: none.
    pub client_certificate: Option<ClientCertificateHeader>,
}

/// A header with the client certificate of a TLS connection that a proxy terminated. The proxy must remove
/// this header from callers' requests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificateHeader {
    /// Its name, such as `Client-Cert`.
    #[schemars(extend("pattern" = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    pub header: String,
    /// The format of the certificate: `rfc9440`; `url_encoded_pem` for nginx and Apache; `base64_der` for
    /// HAProxy, Caddy and Traefik; `xfcc` for Envoy.
    pub format: CertificateFormat,
    /// The certificate authorities of client certificates, in PEM. Default: none, so only self-signed
    /// certificates can authenticate a client.
    pub client_ca: Option<PathBuf>,
}

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// Everything that services and verifiers call.
    Public,
    /// `/api/v1/admin`, `/clients`, `/keys` and `/metrics`.
    Admin,
    /// The console of each tenant, for its administrators.
    Console,
    /// The console of the operators.
    OperatorConsole,
}

/// The certificate of a listener. Paths are relative to the file that contains them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain in PEM.
    pub certificate: PathBuf,
    /// The private key of the certificate in PEM.
    pub private_key: PathBuf,
    /// The certificate authorities of client certificates, in PEM, for mutual TLS. Default: none.
    pub client_ca: Option<PathBuf>,
    /// Whether the listener requests client certificates. Default: `required` if `client_ca` is set,
    /// otherwise no.
    pub client_certificates: Option<CertificateRequests>,
}

/// The database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// `sqlite://` and a path relative to the file that contains it (absolute with a third slash), or
    /// `postgres://…`.
    #[schemars(extend("pattern" = r"^(sqlite://[^?#\x00-\x1F\x7F]+|postgres(ql)?://.*)$"))]
    pub url: FileSecret,
    /// A URL of the same PostgreSQL database that bypasses the pooler, for migrations and for the changes of
    /// other replicas. Default: `url`.
    #[schemars(extend("pattern" = "^postgres(ql)?://"))]
    pub direct_url: Option<FileSecret>,
    /// What the pooler in front of PostgreSQL keeps for a connection. `transaction` needs `direct_url`.
    pub pooler: PoolerMode,
    /// The source of the PostgreSQL password, instead of a password in the URLs. New connections use a
    /// changed password. Default: the password in `url`.
    pub password: Option<StoreReference>,
    /// The maximum number of PostgreSQL connections of this replica, in addition to two for changes and
    /// migrations.
    pub connections: Connections,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum PoolerMode {
    /// A session, as without a pooler.
    #[default]
    Session,
    /// Only the session of a transaction.
    Transaction,
}

/// The number of PostgreSQL connections of a replica.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// For requests, from 1 to 1000. Default: 2 for each core, from 4 to 32.
    #[schemars(extend("minimum" = 1, "maximum" = 1000))]
    pub readers: Option<u32>,
    /// For all other work, from 1 to 1000. Default: 8.
    #[schemars(extend("minimum" = 1, "maximum" = 1000))]
    pub writers: Option<u32>,
}

/// Copies of rows from the store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cache {
    /// `redis://` or `rediss://`. Default: each replica caches only in its own memory.
    #[schemars(extend("pattern" = r"^rediss?(\+(sentinel|cluster))?://"))]
    pub redis_url: Option<FileSecret>,
    /// The source of the Redis password, instead of a password in `redis_url`. New connections use a changed
    /// password. Default: the password in `redis_url`.
    pub redis_password: Option<StoreReference>,
    /// How long a replica uses a cached row without a message about changes, from 1s to 10s.
    #[schemars(with = "schema::Span", extend("pattern" = "^0*([1-9]|10)s?$", "minimum" = 1, "maximum" = 10))]
    pub l1_lifetime: Lifetime,
    /// The memory of each cache of this replica.
    pub memory: CacheMemory,
}

/// Defines the sizes of caches.
macro_rules! cache_memory {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// MiB of memory for each cache, from 1 to 65536.
        #[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct CacheMemory {
            $($(#[$doc])* #[schemars(extend("minimum" = 1, "maximum" = 65_536))] pub $name: Option<u32>,)+
        }

        impl CacheMemory {
            /// The sizes that are set, by the names of the caches in metrics.
            pub fn given(self) -> impl Iterator<Item = (&'static str, u32)> {
                [$((stringify!($name), self.$name),)+].into_iter().filter_map(|(name, size)| Some((name, size?)))
            }
        }
    };
}

cache_memory! {
    /// Tenants. Default: 16.
    tenants,
    /// Clients. Default: 64.
    clients,
    /// Clients looked up by the subject of another issuer. Default: 32.
    federated,
    /// API keys. Default: 64.
    api_keys,
    /// Sealed keys of tenants. Default: 48.
    signing_keys,
    /// Keys that are ready to sign. Default: 128.
    opened_keys,
    /// Revocations. Default: 32.
    revocations,
    /// People. Default: 32.
    accounts,
    /// Logos of tenants. Default: 16.
    logos,
}

/// How much a start or a reload may retire when the files no longer declare it.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reconcile {
    /// Only `latchkey apply --prune` retires more than this.
    pub max_retired: MaxRetired,
}

/// How many rows one start or reload may retire.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaxRetired {
    /// Tenants.
    pub tenants: u32,
    /// Clients.
    pub clients: u32,
}

/// The server's own keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Keys {
    /// The key that encrypts every private key and the pepper at rest.
    pub sealing_key: SealingKeySetting,
    /// Earlier sealing keys. They decrypt existing data until `latchkey key reseal` has re-encrypted it.
    #[schemars(extend("items" = { "$ref": "#/$defs/SealingKeySetting", "oneOf": schema::given(["file", "env", "vault", "aws_kms"]) }))]
    pub former_sealing_keys: Vec<SealingKeySetting>,
}

/// One of `file`, `env`, `store`, `vault` and `aws_kms`. Default: the file `data/sealing.key`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    extend("dependentRequired" = { "store": ["path"], "path": ["store"], "key": ["store"] }),
    transform = |schema: &mut schemars::Schema| schema::at_most_one(schema, ["file", "env", "store", "vault", "aws_kms"]),
)]
pub(crate) struct SealingKeySetting {
    /// The file that contains the key, 32 bytes in base64, relative to the file that names it.
    pub file: Option<PathBuf>,
    /// The environment variable that contains the key, 32 bytes in base64.
    pub env: Option<String>,
    /// The name of the secret store that contains the key, 32 bytes in base64. The server reads the key at
    /// the start.
    pub store: Option<String>,
    /// The location of the key in that store: the path in Vault's KV engine, or the name or ARN in AWS
    /// Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = STORE_PATH))]
    pub path: Option<String>,
    /// The member of the stored JSON object that contains the key. Default: the whole text, which is possible
    /// only in AWS Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 256, "pattern" = schema::NAME))]
    pub key: Option<String>,
    /// A key of the transit engine of HashiCorp Vault. The key never leaves Vault.
    pub vault: Option<VaultSetting>,
    /// A key of AWS KMS. The key never leaves AWS KMS.
    pub aws_kms: Option<KmsSetting>,
}

/// A key of the transit engine of HashiCorp Vault.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultSetting {
    /// The address of Vault: an https URL, or http on this machine.
    #[schemars(extend("pattern" = schema::SERVICE))]
    pub address: String,
    /// The name of the key.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._-]+$"))]
    pub transit_key: String,
    /// The mount path of the transit engine. Default: `transit`.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
    /// The namespace of Vault Enterprise. Default: none.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub namespace: Option<String>,
    /// The token to authenticate with. It must be allowed to encrypt and decrypt with this key.
    pub token: TokenSetting,
    /// The only certificates to trust, in PEM. The path is relative to the file that contains it. Default:
    /// the certificates that the machine trusts.
    pub ca: Option<PathBuf>,
}

/// A token: one of `env` and `file`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["env", "file"]))]
pub struct TokenSetting {
    /// The environment variable that contains the token.
    pub env: Option<String>,
    /// The file that contains the token, relative to the file that names it. Latchkey reads it again whenever
    /// Vault refuses the token.
    pub file: Option<PathBuf>,
}

/// A key of AWS KMS. Latchkey finds credentials like the AWS command line: variables, profiles, web identity,
/// instance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KmsSetting {
    /// The key's id or ARN. Do not use an alias: if it moves to another key, Latchkey cannot decrypt existing
    /// data.
    #[schemars(extend("maxLength" = 2048, "pattern" = "^[A-Za-z0-9_:/-]+$"))]
    pub key_id: String,
    /// Its region. Default: the ARN's region, otherwise the region that the AWS command line would use.
    #[schemars(extend("maxLength" = 2048, "pattern" = "^[A-Za-z0-9_:/-]+$"))]
    pub region: Option<String>,
    /// An address to use instead of the region's: an https URL, or http on this machine. Default: the
    /// region's.
    #[schemars(extend("pattern" = schema::SERVICE))]
    pub endpoint: Option<String>,
}

/// The sample resource server. It accepts the tokens of one tenant only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectedResource {
    /// The tenant whose tokens it accepts.
    #[schemars(extend("pattern" = schema::TENANT_ID))]
    pub tenant: String,
    /// The audience that a token must name.
    #[schemars(extend("minLength" = 1, "pattern" = schema::NAME, "not" = schema::beginning("urn:latchkey:")))]
    pub audience: String,
    /// The scope that a token must have. Default: none.
    #[schemars(extend("pattern" = schema::SCOPE, "not" = schema::beginning("latchkey:")))]
    pub required_scope: Option<String>,
}

/// Rate limits and other limits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Failed authentications per tenant and source. Over this limit, the source's expensive hashes wait
    /// behind all others.
    #[schemars(with = "schema::Rate")]
    pub failed_attempts: Rate,
    /// The maximum number of clients per tenant. If a file declares more, Latchkey leaves the tenant
    /// unchanged.
    pub clients: NonZeroU32,
    /// Writes through the API by the administrators of one tenant, including refused writes. Over this limit
    /// they get 429.
    #[schemars(with = "schema::Rate")]
    pub admin_writes: Rate,
    /// Writes through the API by the administrators of the platform.
    #[schemars(with = "schema::Rate")]
    pub platform_writes: Rate,
    /// The number of a client's secrets that can be valid at the same time. Over this limit, the API and the
    /// command line create no more.
    pub live_secrets: NonZeroU32,
    /// The maximum number of live API keys of a client.
    pub api_keys: NonZeroU32,
    /// How long you can cancel the deletion of a tenant.
    #[schemars(with = "schema::Span")]
    pub deletion_grace: Lifetime,
    /// Wrong passwords of people within 15 minutes.
    pub sign_in: SignInLimits,
}

/// How many wrong passwords are allowed within 15 minutes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInLimits {
    /// At one account, from all browsers that the account does not know.
    #[schemars(extend("maximum" = 100))]
    pub account: NonZeroU32,
    /// At one account, from each browser that the account knows.
    #[schemars(extend("maximum" = 100))]
    pub known_browser: NonZeroU32,
    /// The number of a tenant's accounts at which one source may fail, from browsers that the accounts do not
    /// know.
    #[schemars(extend("maximum" = 100))]
    pub source: NonZeroU32,
}

/// Who can sign in at `/flow/execute`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admin {
    /// Administrators by user name.
    #[schemars(extend("propertyNames" = { "minLength": 1, "maxLength": 255, "pattern": schema::NAME }))]
    pub users: BTreeMap<String, AdminUser>,
    /// The values that `/flow/execute` accepts as `applicationId`.
    pub applications: Vec<String>,
}

/// An administrator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminUser {
    /// The password.
    pub password: PasswordSource,
    /// The permissions that a sign-in can request, such as `system`.
    #[serde(default)]
    #[schemars(extend("items" = schema::texts(schema::SCOPE), "uniqueItems" = true))]
    pub permissions: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        let address = ListenAddress::try_from("127.0.0.1:3000".to_owned()).expect("a literal address");
        Self {
            public_url: PublicUrl::try_from("http://localhost:3000".to_owned()).expect("a literal URL"),
            listeners: vec![Listener {
                address,
                serves: None,
                hosts: Vec::new(),
                trusted_proxies: None,
                tls: None,
            }],
            mtls_url: None,
            default_tenant: None,
            max_connections: None,
            workers: None,
            outbound: Outbound::default(),
            audit: Audit::default(),
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        let url = FileSecret::new("sqlite://data/latchkey.db".to_owned());
        let (pooler, connections) = (PoolerMode::default(), Connections::default());
        Self { url, direct_url: None, pooler, password: None, connections }
    }
}

impl Default for Cache {
    fn default() -> Self {
        let l1_lifetime = Lifetime::from_seconds(10);
        Self { redis_url: None, redis_password: None, l1_lifetime, memory: CacheMemory::default() }
    }
}

impl Default for MaxRetired {
    fn default() -> Self {
        Self { tenants: 1, clients: 10 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            failed_attempts: Rate::per_minute(10_000),
            clients: NonZeroU32::new(10_000).expect("ten thousand is not zero"),
            admin_writes: Rate::per_minute(600),
            platform_writes: Rate::per_minute(60_000),
            live_secrets: NonZeroU32::new(5).expect("five is not zero"),
            api_keys: NonZeroU32::new(10_000).expect("ten thousand is not zero"),
            deletion_grace: Lifetime::from_seconds(30 * 86_400),
            sign_in: SignInLimits::default(),
        }
    }
}

impl Default for SignInLimits {
    fn default() -> Self {
        let SignInThrottling { account, known_browser, source } = SignInThrottling::default();
        Self { account, known_browser, source }
    }
}

impl From<SignInLimits> for SignInThrottling {
    fn from(limits: SignInLimits) -> Self {
        let SignInLimits { account, known_browser, source } = limits;
        Self { account, known_browser, source }
    }
}

impl Server {
    /// Whether other machines can reach the server: at a listener, or through a proxy under its public URL.
    pub fn is_beyond_loopback(&self) -> bool {
        !self.public_url.is_on_loopback() || self.listeners.iter().any(|listener| !listener.is_on_loopback())
    }

    /// Resolves the paths of certificates and of the audit file against these folders.
    pub(crate) fn find_files_in(&mut self, listeners: &Path, audit: &Path) {
        if let Some(AuditOutput::File(path)) = &mut self.audit.stream {
            *path = audit.join(&path);
        }
        for listener in &mut self.listeners {
            let tls = listener.tls.iter_mut().flat_map(|tls| {
                [Some(&mut tls.certificate), Some(&mut tls.private_key), tls.client_ca.as_mut()]
            });
            let header =
                listener.trusted_proxies.as_mut().and_then(|proxies| proxies.client_certificate.as_mut());
            let of_proxies = header.and_then(|header| header.client_ca.as_mut());
            tls.flatten().chain(of_proxies).for_each(|path| *path = listeners.join(&path));
        }
    }
}

impl Listener {
    /// Whether only this machine reaches it.
    pub fn is_on_loopback(&self) -> bool {
        self.address.socket().ip().to_canonical().is_loopback()
    }

    /// Whether its consoles are named.
    pub fn names_console(&self) -> bool {
        self.surfaces().iter().any(|surface| matches!(surface, Surface::Console | Surface::OperatorConsole))
    }

    /// The surfaces of the listener. If strangers may reach it, it serves administration only if the file
    /// says so.
    pub fn surfaces(&self) -> &[Surface] {
        match &self.serves {
            Some(serves) => serves,
            None if self.is_on_loopback() => &[Surface::Public, Surface::Admin],
            None => &[Surface::Public],
        }
    }

    /// The header in which its proxies forward client certificates.
    pub fn certificate_header(&self) -> Option<&ClientCertificateHeader> {
        self.trusted_proxies.as_ref()?.client_certificate.as_ref()
    }

    /// Whether requests can come with a client certificate.
    pub(crate) fn reads_client_certificates(&self) -> bool {
        let asks = self.tls.as_ref().is_some_and(|tls| tls.files().client_certificates.is_some());
        asks || self.certificate_header().is_some()
    }
}

impl Tls {
    /// The files, and what the handshake demands of clients.
    #[must_use]
    pub fn files(&self) -> TlsFiles {
        let Self { certificate, private_key, client_ca, client_certificates } = self.clone();
        let by_default = client_ca.is_some().then_some(CertificateRequests::Required);
        let client_certificates = client_certificates.or(by_default);
        TlsFiles { certificate, private_key, client_ca, client_certificates }
    }
}
