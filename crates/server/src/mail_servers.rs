//! The mail servers of the settings: the platform's, and those of tenants.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use gateway::{CaughtLetter, CaughtMail, RenderedMail};
use outbound::{MailServer, OutgoingMail};
use settings::{MailRoute, MailSender, MailSettings, SmtpSettings, files};
use tenancy::{Tenant, TenantId};
use values::{Letter, Timestamp};

/// The senders, with the servers that accept their mail.
pub struct MailServers {
    platform: (MailSender, NamedServer),
    /// Tenants with their own sender. Without their own server, their mail uses the platform's.
    tenants: BTreeMap<TenantId, (MailSender, Option<NamedServer>)>,
}

pub struct NamedServer {
    /// The key of the server in the settings.
    pub key: String,
    pub server: MailServer,
}

impl MailServers {
    /// Reads passwords and certificates, but connects to no server. All mail goes to `caught`, if it is set.
    pub fn open(settings: &MailSettings, caught: Option<CaughtMail>) -> anyhow::Result<Self> {
        let own = |(tenant, (sender, route)): (&TenantId, &(MailSender, Option<MailRoute>))| {
            let route = route.as_ref().filter(|_| caught.is_none());
            let own = route.map(|route| NamedServer::open(route, format!("mail.tenants.{tenant}.smtp")));
            anyhow::Ok((tenant.clone(), (sender.clone(), own.transpose()?)))
        };
        let tenants = settings.tenants.iter().map(own).collect::<anyhow::Result<_>>()?;
        let (sender, route) = &settings.platform;
        let key = if matches!(route, MailRoute::Smtp(_)) { "mail.smtp" } else { "mail.folder" }.to_owned();
        let server = match caught {
            Some(caught) => {
                let keep = move |mail: &OutgoingMail, _: &[u8]| {
                    caught.keep(caught_letter(mail));
                    Ok(())
                };
                NamedServer { key, server: MailServer::keeping(Arc::new(keep)) }
            }
            None => NamedServer::open(route, key)?,
        };
        Ok(Self { platform: (sender.clone(), server), tenants })
    }

    /// The tenants with their own server.
    pub(crate) fn tenants_with_server(&self) -> Vec<TenantId> {
        let own = self.tenants.iter().filter(|(_, (_, own))| own.is_some());
        own.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Each server once.
    pub fn all(&self) -> impl Iterator<Item = &NamedServer> {
        std::iter::once(&self.platform.1).chain(self.tenants.values().filter_map(|(_, own)| own.as_ref()))
    }

    /// The server that accepts the mail of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> &NamedServer {
        self.tenants.get(tenant).and_then(|(_, own)| own.as_ref()).unwrap_or(&self.platform.1)
    }

    /// A letter from a tenant, in its texts and colours.
    #[must_use]
    pub fn message(
        &self,
        tenant: &Tenant,
        public_url: &str,
        (to, letter): (String, &Letter),
        id: String,
        date: Timestamp,
    ) -> OutgoingMail {
        let RenderedMail { subject, text, html } =
            gateway::render_mail(tenant, public_url.trim_end_matches('/'), letter, date);
        let sender = self.tenants.get(&tenant.id).map_or(&self.platform.0, |(sender, _)| sender);
        let MailSender { from, reply_to } = sender.clone();
        let is_notice = letter.is_notice();
        OutgoingMail { from, reply_to, to, subject, text, html, logo: None, id, date, is_notice }
    }
}

impl NamedServer {
    fn open(route: &MailRoute, key: String) -> anyhow::Result<Self> {
        let server = match route {
            MailRoute::Smtp(smtp) => connected(smtp).with_context(|| format!("cannot use {key}"))?,
            MailRoute::Folder(folder) => {
                let folder = folder.clone();
                MailServer::keeping(Arc::new(move |mail, bytes| write(&folder, mail, bytes)))
            }
        };
        Ok(Self { key, server })
    }
}

fn connected(SmtpSettings { url, credentials, ca }: &SmtpSettings) -> anyhow::Result<MailServer> {
    let credentials = credentials.as_ref().map(|(user, password)| Ok((user.clone(), password.read()?)));
    let credentials = credentials.transpose().map_err(|error: io::Error| anyhow!(error));
    let ca = ca.as_deref().map(files::read_public).transpose().context("cannot read the file in `ca`")?;
    let credentials = credentials.context("cannot read the password of the mail server")?;
    MailServer::open(url.clone(), credentials, ca.as_ref().map(|pem| pem.as_slice()))
        .map_err(|why| anyhow!("cannot read the certificates in `ca`: {why}"))
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
