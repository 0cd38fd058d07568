//! The tasks of a server in addition to requests: writing buffered data, deliveries, rotations, housekeeping.

use std::sync::Arc;

use anyhow::Context as _;
use futures_util::future::{BoxFuture, join_all};
use outbound::ReportKeys;
use parking_lot::Mutex;
use settings::Server;

use crate::audit_export::{AuditExport, AuditWriter};
use crate::batch_writer::BatchWriter;
use crate::clock;
use crate::housekeeping;
use crate::leaks::LeakWorker;
use crate::logout_delivery::{LogoutDelivery, LogoutSender};
use crate::mail_delivery::{LetterSender, MailDelivery};
use crate::mail_servers::MailServers;
use crate::periodic_writer::PeriodicWriter;
use crate::platform::Platform;
use crate::refusal_writer::RefusalWriter;
use crate::rotation::KeyScheduler;
use crate::secret_rotations::RotationScheduler;
use crate::usage_writer::UsageWriter;

const THREAD: &str = "cannot start the thread that writes the audit";

/// The tasks that may still have data to write when the server ends.
#[must_use]
pub(crate) struct Background {
    last_writes: Vec<BoxFuture<'static, ()>>,
}

impl Background {
    pub(crate) fn start(
        platform: &Platform,
        server: &Server,
        mail: Option<MailServers>,
    ) -> anyhow::Result<Self> {
        start_workers(platform, server.outbound.github_keys.clone());
        if let Some(servers) = mail {
            deliver_mail(platform, server, servers);
        }
        if let Some(output) = &server.audit.stream {
            let writer = AuditWriter::start(output.clone()).context(THREAD)?;
            let leader = Arc::clone(&platform.health.rotated);
            let export = AuditExport {
                store: platform.database.clone(),
                writer,
                leads: Box::new(move || leader.leads()),
                clock: Arc::new(clock::now),
                exported: Arc::clone(&platform.health.exported_audit),
                losses: Arc::clone(&platform.health.losses),
                written: Mutex::default(),
            };
            tokio::spawn(export.run());
        }
        let (store, tokens) = (&platform.database, &platform.services.tokens);
        let mut background = Self { last_writes: Vec::new() };
        let secrets = Arc::clone(&tokens.authenticator.last_used_secrets);
        background.write(BatchWriter::new(secrets, store.clone()));
        let keys = Arc::clone(&tokens.authenticator.api_keys.last_used);
        background.write(BatchWriter::new(keys, store.clone()));
        let fetches = Arc::clone(&platform.services.jwks_fetches);
        background.write(BatchWriter::new(fetches, store.clone()));
        let counts = Arc::clone(&platform.services.usage);
        background.write(UsageWriter::new(counts, store.clone(), Arc::new(clock::now)));
        background.write(RefusalWriter::new(Arc::clone(&platform.services.refusals), store.clone()));
        background.rotate_keys(platform);
        Ok(background)
    }

    /// Writes the remaining data. Call this method when no more requests arrive.
    pub(crate) async fn finish(self) {
        join_all(self.last_writes).await;
    }

    fn write(&mut self, writer: impl PeriodicWriter) {
        let writer = Arc::new(writer);
        tokio::spawn(Arc::clone(&writer).run());
        self.last_writes.push(Box::pin(async move { writer.finish().await }));
    }

    fn rotate_keys(&mut self, platform: &Platform) {
        let (store, key_advancer) = (platform.database.clone(), Arc::clone(&platform.administrator));
        let clock = Arc::new(clock::now);
        let rotation =
            Arc::new(KeyScheduler::new(store, key_advancer, clock, Arc::clone(&platform.health.rotated)));
        tokio::spawn(Arc::clone(&rotation).run());
        self.last_writes.push(Box::pin(async move { rotation.finish().await }));
    }
}

fn deliver_mail(platform: &Platform, server: &Server, servers: MailServers) {
    let services = &platform.services;
    let own = servers.tenants_with_server();
    let sender = LetterSender {
        administrator: Arc::clone(&platform.administrator),
        tenants: services.tokens.tenants.clone(),
        logos: Arc::clone(&services.rows.logos),
        servers,
        public_url: server.public_url.as_str().to_owned(),
    };
    let delivery = MailDelivery {
        outbox: platform.database.clone(),
        sealer: Arc::clone(&platform.mail_sealer),
        sender: Arc::new(sender),
        own,
        clock: Arc::new(clock::now),
    };
    tokio::spawn(Arc::new(delivery).run());
}

/// Starts the tasks that keep no data in memory, so they may end at any time. `github_keys` is the URL of the
/// keys with which GitHub signs reports of leaked secrets.
fn start_workers(platform: &Platform, github_keys: Option<String>) {
    let (services, store) = (&platform.services, &platform.database);
    tokio::spawn(Arc::clone(&platform.health).watch());
    let (losses, database) = (Arc::clone(&platform.health.losses), store.clone());
    tokio::spawn(async move { losses.watch(&database).await });
    let (administrator, sign_ins) = (Arc::clone(&platform.administrator), Arc::clone(&services.sign_ins));
    tokio::spawn(housekeeping::keep(administrator, sign_ins, store.clone()));
    let sender = LogoutSender {
        tenants: services.tokens.tenants.clone(),
        authenticator: Arc::clone(&services.tokens.authenticator),
        engine: services.tokens.engine.clone(),
        fetcher: platform.health.jwks_fetcher.fetcher(),
    };
    let logouts =
        LogoutDelivery { outbox: store.clone(), sender: Arc::new(sender), clock: Arc::new(clock::now) };
    tokio::spawn(Arc::new(logouts).run());
    let leaks = LeakWorker {
        reports: Arc::clone(&services.leaks),
        administrator: Arc::clone(&platform.administrator),
        keys: github_keys.map(|url| ReportKeys::new(platform.health.jwks_fetcher.fetcher(), url)),
    };
    tokio::spawn(leaks.run());
    let secret_rotations = RotationScheduler {
        administrator: Arc::clone(&platform.administrator),
        leader: Arc::clone(&platform.health.rotated),
        rotated: Arc::clone(&platform.health.rotated_secrets),
    };
    tokio::spawn(secret_rotations.run());
}
