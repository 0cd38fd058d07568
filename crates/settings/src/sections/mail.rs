//! The section `mail`: the servers that send mail to people.

use std::{collections::BTreeMap, path::PathBuf};

use administration::documents::schema::{JsonSchema, STORE_PATH};
use serde::Deserialize;

use crate::schema;

/// Mail to people: to reset passwords and to verify addresses. Default: Latchkey sends no mail.
#[derive(Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = schema::mail)]
pub(crate) struct Mail {
    /// The sender, such as `Acme <no-reply@id.example.com>`.
    #[schemars(with = "String", extend("pattern" = schema::SENDER))]
    pub from: Option<String>,
    /// The address for replies. Default: none.
    #[schemars(extend("pattern" = schema::SENDER))]
    pub reply_to: Option<String>,
    /// The mail server of the platform.
    pub smtp: Smtp,
    /// A folder for messages as `.eml` files instead of a mail server, relative to the file that names it.
    /// Only for a server that no other machine can reach.
    #[schemars(extend("minLength" = 1))]
    pub folder: Option<PathBuf>,
    /// Whether people with administrator permissions can reset their password by mail.
    pub recovers_administrators: bool,
    /// Tenants with their own sender or mail server, by id.
    #[schemars(extend("propertyNames" = { "pattern": schema::TENANT_ID }))]
    pub tenants: BTreeMap<String, TenantMail>,
}

/// The sender and mail server of one tenant.
#[derive(Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TenantMail {
    /// The sender. Default: the platform's.
    #[schemars(extend("pattern" = schema::SENDER))]
    pub from: Option<String>,
    /// The address for replies. Default: the platform's.
    #[schemars(extend("pattern" = schema::SENDER))]
    pub reply_to: Option<String>,
    /// The tenant's own mail server. Default: the platform's.
    pub smtp: Option<Smtp>,
}

/// A mail server.
#[derive(Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend(
    "required" = ["url"], "dependentRequired" = { "username": ["password"], "password": ["username"] }
))]
pub(crate) struct Smtp {
    /// `smtp://host:587` for a server with STARTTLS, which Latchkey requires, or `smtps://host:465` for a
    /// server with TLS only. `smtp://` on this machine needs no STARTTLS, unless `ca` is set.
    #[schemars(with = "String", extend("pattern" = schema::MAIL_SERVER))]
    pub url: Option<String>,
    /// The user name. Default: Latchkey does not authenticate.
    #[schemars(with = "String", extend("minLength" = 1))]
    pub username: Option<String>,
    /// The source of the password. The server reads the password at the start.
    pub password: MailPassword,
    /// The only certificates to trust, in PEM. The path is relative to the file that contains it. Default:
    /// the certificates that the machine trusts.
    pub ca: Option<PathBuf>,
}

/// A password: one of `env`, `file` and `store`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    extend("dependentRequired" = { "store": ["path"], "path": ["store"], "key": ["store"] }),
    transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["env", "file", "store"]),
)]
pub(crate) struct MailPassword {
    /// The environment variable that contains the password.
    pub env: Option<String>,
    /// The file that contains the password, relative to the file that names it.
    pub file: Option<PathBuf>,
    /// The name of the secret store that contains the password.
    pub store: Option<String>,
    /// The location of the password in that store: the path in Vault's KV engine, or the name or ARN in AWS
    /// Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = STORE_PATH))]
    pub path: Option<String>,
    /// The member of the stored JSON object that contains the password. Default: the whole text, which is
    /// possible only in AWS Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 256, "pattern" = schema::NAME))]
    pub key: Option<String>,
}

impl Mail {
    /// The mail servers of the platform and of tenants.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Smtp> {
        std::iter::once(&self.smtp).chain(self.tenants.values().filter_map(|tenant| tenant.smtp.as_ref()))
    }
}
