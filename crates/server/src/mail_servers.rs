//! The mail servers of the settings: the platform's, and those of tenants.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use gateway::{CaughtLetter, CaughtMail, RenderedMail};
use outbound::{MailServer, OutgoingMail, SmtpOptions};
use settings::{MailRoute, MailSender, MailSettings, SmtpSettings, files};
use tenancy::TenantId;
use values::{Letter, Timestamp};

/// The senders, with the servers that accept their mail.
pub struct MailServers {
    platform: SenderServer,
    tenants: BTreeMap<TenantId, SenderServer>,
}

/// A sender, and the server that accepts its mail.
pub struct SenderServer {
    sender: MailSender,
    pub server: Arc<MailServer>,
    /// The key of the server in the settings.
    pub key: String,
    /// Whether the server is for one tenant only.
    is_own: bool,
}

impl MailServers {
    /// Reads passwords and certificates, but connects to no server. All mail goes to `caught`, if it is set.
    pub fn open(settings: &MailSettings, caught: Option<CaughtMail>) -> anyhow::Result<Self> {
        let (sender, route) = &settings.platform;
        let server = match caught.clone() {
            Some(caught) => MailServer::keeping(Arc::new(move |mail: &OutgoingMail, _: &[u8]| {
                caught.keep(caught_letter(mail));
                Ok(())
            })),
            None => open(route).context("cannot use the section mail of the settings")?,
        };
        let key = if matches!(route, MailRoute::Smtp(_)) { "mail.smtp" } else { "mail.folder" };
        let (sender, server, key) = (sender.clone(), Arc::new(server), key.to_owned());
        let platform = SenderServer { sender, server, key, is_own: false };
        let mut tenants = BTreeMap::new();
        for (tenant, (sender, own)) in &settings.tenants {
            let own = own.as_ref().filter(|_| caught.is_none());
            let (server, key) = match own {
                Some(route) => {
                    let key = format!("mail.tenants.{tenant}.smtp");
                    (Arc::new(open(route).with_context(|| format!("cannot use {key}"))?), key)
                }
                None => (Arc::clone(&platform.server), platform.key.clone()),
            };
            let of_tenant = SenderServer { sender: sender.clone(), server, key, is_own: own.is_some() };
            tenants.insert(tenant.clone(), of_tenant);
        }
        Ok(Self { platform, tenants })
    }

    /// The tenants with their own server.
    pub(crate) fn tenants_with_server(&self) -> Vec<TenantId> {
        let own = self.tenants.iter().filter(|(_, of_tenant)| of_tenant.is_own);
        own.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Each server once.
    pub fn all(&self) -> impl Iterator<Item = &SenderServer> {
        std::iter::once(&self.platform).chain(self.tenants.values().filter(|of_tenant| of_tenant.is_own))
    }

    /// The sender of a tenant, or of the platform.
    #[must_use]
    pub fn of(&self, tenant: Option<&TenantId>) -> &SenderServer {
        tenant.and_then(|tenant| self.tenants.get(tenant)).unwrap_or(&self.platform)
    }

    /// A message from the sender of a tenant, or of the platform.
    #[must_use]
    pub fn message(
        &self,
        tenant: Option<&TenantId>,
        (to, letter): (String, &Letter),
        RenderedMail { subject, text, html }: RenderedMail,
        id: String,
        date: Timestamp,
    ) -> OutgoingMail {
        let MailSender { from, reply_to } = self.of(tenant).sender.clone();
        let is_notice = letter.is_notice();
        OutgoingMail { from, reply_to, to, subject, text, html, logo: None, id, date, is_notice }
    }
}

fn open(route: &MailRoute) -> anyhow::Result<MailServer> {
    let SmtpSettings { url, credentials, ca } = match route {
        MailRoute::Smtp(smtp) => smtp,
        MailRoute::Folder(folder) => {
            let folder = folder.clone();
            return Ok(MailServer::keeping(Arc::new(move |mail, bytes| write(&folder, mail, bytes))));
        }
    };
    let credentials = credentials.as_ref().map(|(user, password)| Ok((user.clone(), password.read()?)));
    let credentials = credentials.transpose().map_err(|error: io::Error| anyhow!(error));
    let ca = ca.as_deref().map(files::read_public).transpose().context("cannot read the file in `ca`")?;
    let options = SmtpOptions {
        url: url.clone(),
        credentials: credentials.context("cannot read the password of the mail server")?,
        ca: ca.map(|pem| pem.to_vec()),
    };
    MailServer::open(options).map_err(|why| anyhow!("cannot read the certificates in `ca`: {why}"))
}

/// Another attempt for a message that is already there changes nothing.
fn write(folder: &Path, mail: &OutgoingMail, bytes: &[u8]) -> io::Result<()> {
    match files::create(&folder.join(format!("{}.eml", mail.id)), bytes, 0o600) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}

fn caught_letter(mail: &OutgoingMail) -> CaughtLetter {
    let OutgoingMail { id, to, subject, text, html, logo, date, .. } = mail.clone();
    CaughtLetter { id, to, subject, text, html, logo, at: date }
}
