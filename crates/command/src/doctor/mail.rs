//! Checks whether the mail servers can be reached and accept the credentials. Sends no mail.

use futures_util::future::join_all;
use server::mail_servers::MailServers;
use settings::Loaded;

use super::report::{DoctorCheck, ReportLine};
use crate::mail::fix;

const MAIL: DoctorCheck = DoctorCheck("mail");

pub(super) async fn check(loaded: &Loaded) -> Vec<ReportLine> {
    let Some(settings) = &loaded.platform.mail else { return vec![MAIL.skipped("mail is not set")] };
    let servers = match MailServers::open(settings, None) {
        Ok(servers) => servers,
        Err(error) => {
            return vec![MAIL.error(format!("{error:#}"), "correct the section mail of the settings")];
        }
    };
    let checked = servers.all().map(async |of| match of.server.check().await {
        Ok(()) => MAIL.ok(format!("{} accepts mail", of.key)),
        Err(error) => MAIL.error(format!("{}: {error}", of.key), fix(&error)),
    });
    join_all(checked).await
}
