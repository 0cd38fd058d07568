//! The rules for the section `mail`: senders, and how their servers are reached.

use std::collections::BTreeMap;

use administration::declaration::Declaration;
use outbound::{MailAddress, MailUrl};
use tenancy::TenantId;

use super::super::{
    findings::Location,
    reading::Reading,
    resolved::{MailRoute, MailSender, MailSettings, SmtpSettings, Token},
    sections::{Listener, Mail, MailPassword, Server, Smtp},
};

impl Reading<'_> {
    /// The senders of mail, or `None` without the section or after an error, which the findings contain.
    /// Without a declaration, no password is read: commands that only open the store do not need them.
    pub(crate) fn mail(
        &mut self,
        mail: &Mail,
        server: &Server,
        declaration: Option<&Declaration>,
    ) -> Option<MailSettings> {
        if *mail == Mail::default() {
            return None;
        }
        let at = Location::section("mail");
        let from = self.address(mail.from.as_deref(), &at.key("from"));
        if mail.from.is_none() {
            let hint = "set `from`, such as `Acme <no-reply@id.example.com>`";
            self.findings.error(at.clone(), "the sender of mail is missing", hint);
        }
        let reply_to = self.address(mail.reply_to.as_deref(), &at.key("reply_to"));
        let reads = declaration.is_some();
        let route = match (&mail.folder, mail.smtp == Smtp::default()) {
            (None, false) => self.smtp(&mail.smtp, reads, &at.key("smtp")).map(MailRoute::Smtp),
            (Some(folder), true) => {
                let at = at.key("folder");
                if !server.listeners.iter().all(Listener::is_on_loopback) {
                    let problem = "mail goes to a folder, but other machines can reach a listener";
                    self.findings.error(at.clone(), problem, "set `mail.smtp` instead");
                }
                Some(MailRoute::Folder(self.path(folder, &at)))
            }
            (None, true) | (Some(_), false) => {
                let problem = "set exactly one of `smtp` and `folder`";
                self.findings.refuse(at.clone(), problem, "set `smtp: { url: 'smtp://host:587' }`")
            }
        };
        let mut tenants = BTreeMap::new();
        for (name, own) in &mail.tenants {
            let at = at.key("tenants").key(name);
            let own_from = self.address(own.from.as_deref(), &at.key("from"));
            let own_reply_to = self.address(own.reply_to.as_deref(), &at.key("reply_to"));
            let smtp = own.smtp.as_ref().and_then(|smtp| self.smtp(smtp, reads, &at.key("smtp")));
            let Ok(id) = TenantId::parse(name) else {
                let hint = "use lower-case letters, digits and hyphens";
                self.findings.key_error(at, "this is not a valid tenant id", hint);
                continue;
            };
            if declaration.is_some_and(|declaration| !declaration.tenants.contains_key(&id)) {
                let problem = format!("no file declares the tenant `{id}`");
                self.findings.warning(at, problem, "create the tenant, or remove its mail settings");
            }
            if let Some(from) = own_from.or_else(|| from.clone()) {
                let reply_to = own_reply_to.or_else(|| reply_to.clone());
                tenants.insert(id, (MailSender { from, reply_to }, smtp.map(MailRoute::Smtp)));
            }
        }
        let platform = (MailSender { from: from?, reply_to }, route?);
        Some(MailSettings { platform, tenants, recovers_administrators: mail.recovers_administrators })
    }

    fn address(&mut self, text: Option<&str>, at: &Location) -> Option<MailAddress> {
        let address = text?.parse().ok();
        if address.is_none() {
            let hint = "write an address, such as `Acme <no-reply@id.example.com>`";
            self.findings.error(at.clone(), "this is not a mail address of plain characters", hint);
        }
        address
    }

    fn smtp(&mut self, smtp: &Smtp, reads: bool, at: &Location) -> Option<SmtpSettings> {
        let Smtp { url, username, password, ca } = smtp;
        let parsed = url.as_deref().and_then(|url| url.parse::<MailUrl>().ok());
        if parsed.is_none() {
            let at = if url.is_some() { at.key("url") } else { at.clone() };
            let hint = "write smtp://host:587 for STARTTLS, or smtps://host:465; the user name and the \
                password have their own keys";
            self.findings.error(at, "this is not the URL of a mail server", hint);
        }
        let credentials = match (username, *password == MailPassword::default()) {
            (None, true) => None,
            (Some(user), false) if !user.is_empty() => {
                let password = self.mail_password(password, reads, &at.key("password"));
                password.map(|password| (user.clone(), password))
            }
            _ => {
                let problem = "a user name needs a password, and a password needs a user name";
                self.findings.refuse(at.clone(), problem, "set both `username` and `password`, or neither")
            }
        };
        let ca = ca.as_ref().map(|path| self.path(path, &at.key("ca")));
        Some(SmtpSettings { url: parsed?, credentials, ca })
    }

    fn mail_password(&mut self, password: &MailPassword, reads: bool, at: &Location) -> Option<Token> {
        const ALLOWED: &str = "set exactly one of `env`, `file` and `store`";
        let MailPassword { env, file, store, path, key } = password;
        let stored = self.reference((store.clone(), path.clone(), key.clone()), at).ok()?;
        match (env, file, stored) {
            (Some(name), None, None) if reads => self.variable(name, at.key("env")).map(Token::Text),
            (None, Some(file), None) => {
                let (path, at) = (self.path(file, &at.key("file")), at.key("file"));
                self.check_secret_file(&path, at);
                Some(Token::File(path))
            }
            (None, None, Some(stored)) if reads => self.stored_of_server(&stored, at).map(Token::Text),
            (Some(_), None, None) | (None, None, Some(_)) => None,
            _ => self.findings.refuse(at.clone(), "the password needs exactly one location", ALLOWED),
        }
    }
}
