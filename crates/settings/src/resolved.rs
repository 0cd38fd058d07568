//! The resolved settings: the files, with the content of everything that they refer to.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use administration::declaration::{DeclaredSecret, UnreadValue};
use administration::documents::{FileSecret, TenantSettings};
use derive_more::Display;
use outbound::{MailAddress, MailUrl, VaultToken};
use registry::DeclaredPassword;
use tenancy::TenantId;
use values::Secret;

use super::{
    files,
    findings::Location,
    sections::{KmsSetting, PoolerMode, VaultSetting},
};

/// A tenant's document, and everything that it refers to.
#[derive(Debug)]
pub(crate) struct ResolvedTenant {
    pub at: Location,
    pub settings: TenantSettings,
    /// The secrets of each client, in the order of the clients.
    pub secrets: Vec<Vec<DeclaredSecret>>,
    /// The secrets that could not be read from a secret store.
    pub unread: Vec<UnreadValue>,
    /// The password of each account, in the order of the accounts.
    pub passwords: Vec<Option<DeclaredPassword>>,
    /// The private key in PEM.
    pub first_key: Option<Secret>,
}

/// Where rows are stored. The text of this value is the place, without the password in a URL.
#[derive(Debug, Display)]
pub enum StorageLocation {
    #[display("{}", _0.display())]
    Sqlite(PathBuf),
    #[display("the PostgreSQL database of storage.url")]
    Postgres(PostgresUrls),
}

/// How a server reaches its PostgreSQL database.
#[derive(Debug)]
pub struct PostgresUrls {
    pub url: FileSecret,
    /// Bypasses the connection pooler, for notifications of changes and for migrations.
    pub direct_url: Option<FileSecret>,
    pub pooler: PoolerMode,
}

impl PostgresUrls {
    /// The URLs with their keys in the section `storage`.
    pub fn by_key(&self) -> impl Iterator<Item = (&'static str, &FileSecret)> {
        let direct_url = self.direct_url.as_ref().map(|direct| ("direct_url", direct));
        [("url", &self.url)].into_iter().chain(direct_url)
    }
}

impl StorageLocation {
    /// The hint for an invalid URL.
    pub const HINT: &str =
        "write sqlite:// followed by a path, such as sqlite://data/latchkey.db, or postgres://…";

    /// The store in the URL. The path of a file is relative to `folder`.
    #[must_use]
    pub fn of_url(url: &FileSecret, folder: &Path) -> Option<Self> {
        if is_of_postgres(url) {
            let (url, pooler) = (url.clone(), PoolerMode::Session);
            return Some(Self::Postgres(PostgresUrls { url, direct_url: None, pooler }));
        }
        let is_path = |path: &&str| {
            !path.is_empty() && !path.contains(['?', '#']) && !path.chars().any(char::is_control)
        };
        let path = url.expose().strip_prefix("sqlite://").filter(is_path)?;
        Some(Self::Sqlite(folder.join(path)))
    }
}

pub(crate) fn is_of_postgres(url: &FileSecret) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| url.expose().starts_with(scheme))
}

/// The keys that seal private keys and the pepper at rest.
#[derive(Debug)]
pub struct SealingKeys {
    pub writing: SealingKeySource,
    pub former: Vec<SealingKeySource>,
}

#[derive(Debug)]
pub enum SealingKeySource {
    /// The file with the key in base64. The first start may create the file.
    File(PathBuf),
    /// The key in base64, from the environment.
    Text(FileSecret),
    Vault {
        /// With absolute paths.
        setting: VaultSetting,
        token: Token,
    },
    AwsKms(KmsSetting),
}

/// The senders of mail to people.
#[derive(Debug)]
pub struct MailSettings {
    pub platform: (MailSender, MailRoute),
    /// Tenants with their own sender. Without their own route, their mail uses the platform's.
    pub tenants: BTreeMap<TenantId, (MailSender, Option<MailRoute>)>,
    /// Whether people with administrator permissions can reset their password by mail.
    pub recovers_administrators: bool,
}

#[derive(Clone, Debug)]
pub struct MailSender {
    pub from: MailAddress,
    pub reply_to: Option<MailAddress>,
}

#[derive(Debug)]
pub enum MailRoute {
    Smtp(SmtpSettings),
    /// A folder for `.eml` files.
    Folder(PathBuf),
}

#[derive(Debug)]
pub struct SmtpSettings {
    pub url: MailUrl,
    /// User name and password.
    pub credentials: Option<(String, Token)>,
    /// The file with the only certificates to trust.
    pub ca: Option<PathBuf>,
}

/// A token, or a file that is read whenever the token is needed.
#[derive(Clone, Debug)]
pub enum Token {
    Text(FileSecret),
    /// A file that may be rewritten while the program runs.
    File(PathBuf),
}

impl Token {
    /// The text, without the line feed that ends a file.
    pub fn read(&self) -> io::Result<Secret> {
        Ok(Secret::new(match self {
            Self::Text(token) => token.expose().to_owned(),
            Self::File(path) => files::read_secret_text(path)?.trim_end_matches(['\r', '\n']).to_owned(),
        }))
    }

    /// Converts the token for the Vault client.
    #[must_use]
    pub fn for_vault(&self) -> VaultToken {
        match self {
            Self::Text(token) => VaultToken::Text(Secret::new(token.expose().trim().to_owned())),
            Self::File(path) => VaultToken::File { path: path.clone(), read: files::read_secret },
        }
    }
}
