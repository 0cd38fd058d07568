//! The admin API within this process, directly on the store, for an operator with all permissions. The audit
//! names the user of this machine.

use std::io::{Write as _, stderr};
use std::mem::take;
use std::path::Path;
use std::sync::Arc;

use administration::kinds::Invalidation;
use administration::kinds::authority::{Actor, Authority};
use cache::Caches;
use gateway::{OperatorAnswer, OperatorApi};
use keys::KeySealer;
use parking_lot::Mutex;
use reqwest::StatusCode;
use secrets::Pepper;
use storage::Database;
use zeroize::Zeroizing;

use super::answer::ApiAnswer;
use super::error::AdminApiError;
use super::publish::publish;
use super::request::ApiRequest;
use server::{block_on, clock, database, sealing};
use settings::owner;
use settings::{Environment, PlatformSettings, StorageLocation, read_platform};

/// The capacity of a body. A buffer that grows leaves copies of parts of a secret in memory.
const BODY: usize = 64 * 1024;

/// An open store with the routes of the API.
pub(crate) struct InProcess {
    pub(crate) database: Arc<Database>,
    pub(crate) sealer: Arc<dyn KeySealer>,
    pub(crate) pepper: Arc<Pepper>,
    /// The name of the actor in the audit.
    pub(crate) actor: String,
    api: OperatorApi,
    caches: Caches,
    /// Changes that are committed but not published to caches yet.
    changed: Arc<Mutex<Vec<Invalidation>>>,
}

impl InProcess {
    /// Opens the store, and creates what is missing: schema, sealing key and pepper.
    pub(crate) async fn open(settings: &PlatformSettings, actor: &str) -> anyhow::Result<Self> {
        let is_new = matches!(&settings.storage, StorageLocation::Sqlite(path) if !path.exists());
        let database = database::open(&settings.storage).await.map_err(AdminApiError::StoreNotOpen)?;
        if is_new {
            // The environment of a shell differs from that of the service, so this may be another store than
            // the server uses.
            let _ = writeln!(
                stderr(),
                "created the store {}. Only a server with the same storage.url uses it",
                settings.storage
            );
        }
        let sealer = sealing::sealer(&settings.sealing_keys, &database).await?;
        let pepper = sealing::pepper(&*database, &*sealer, clock::now()).await?;
        Self::over(database, sealer, pepper, settings, actor).await
    }

    /// Opens the store of the settings, works on it, and closes it.
    pub(crate) fn with<T>(
        config: &Path,
        work: impl AsyncFnOnce(&PlatformSettings, &Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        block_on(async {
            let environment = Environment::of_process();
            let settings = read_platform(config, &environment)?;
            let store = Self::open(&settings, &actor(&environment)).await?;
            let done = work(&settings, &store).await;
            store.close().await;
            done
        })
    }

    /// Opens the store read-only, and creates nothing.
    pub(super) async fn open_read_only(settings: &PlatformSettings, actor: &str) -> anyhow::Result<Self> {
        let opened =
            database::open_read_only(&settings.storage).await.map_err(AdminApiError::StoreNotOpen)?;
        let database = opened.ok_or_else(|| AdminApiError::NoStore(settings.storage.to_string()))?;
        let (sealer, pepper) = sealing::for_reading(&settings.sealing_keys, &database).await?;
        Self::over(database, sealer, pepper, settings, actor).await
    }

    async fn over(
        database: Arc<Database>,
        sealer: Arc<dyn KeySealer>,
        pepper: Arc<Pepper>,
        settings: &PlatformSettings,
        actor: &str,
    ) -> anyhow::Result<Self> {
        let changed = Arc::new(Mutex::new(Vec::new()));
        let announce = {
            let changed = Arc::clone(&changed);
            Arc::new(move |committed: &[Invalidation]| {
                changed.lock().extend_from_slice(committed);
            })
        };
        let operator = Authority::operator(Actor { name: actor.to_owned(), ..Actor::default() });
        let (api, caches) =
            server::operator_api(settings, &database, Arc::clone(&sealer), &pepper, operator, announce)
                .await?;
        Ok(Self { database, sealer, pepper, actor: actor.to_owned(), api, caches, changed })
    }

    pub(super) async fn send(&self, request: &ApiRequest, key: &str) -> ApiAnswer {
        let body = request.body.as_ref().map(|body| {
            let mut text = Zeroizing::new(Vec::with_capacity(BODY));
            serde_json::to_writer(&mut *text, &**body).expect("documents are plain JSON");
            text
        });
        if let Some(lines) = &request.lines {
            return self.published(self.api.post_lines(&request.path, lines.clone()).await).await;
        }
        let (method, path) = (request.method.as_str(), request.path.as_str());
        self.published(self.api.call(method, path, body, Some(key)).await).await
    }

    pub(crate) async fn init_admin(&self, name: &str) -> ApiAnswer {
        self.published(self.api.init_admin(name).await).await
    }

    pub(crate) async fn close(&self) {
        self.database.close().await;
    }

    /// Publishes the committed changes, then returns the answer.
    async fn published(&self, answer: OperatorAnswer) -> ApiAnswer {
        let changed = take(&mut *self.changed.lock());
        publish(&self.caches, &changed).await;
        let OperatorAnswer { status, body, cause } = answer;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        ApiAnswer { status, body, cause }
    }
}

/// The user of this machine: as the environment names it, or by its name or number in the system.
pub(crate) fn actor(environment: &Environment) -> String {
    let mut names = ["USER", "LOGNAME"].into_iter().filter_map(|name| environment.text(name));
    let of_system = || owner::ours().map(|id| owner::name(id).unwrap_or_else(|| id.to_string()));
    let name = names.find(|name| !name.is_empty()).map(str::to_owned).or_else(of_system);
    format!("cli:{}", name.as_deref().unwrap_or("unknown"))
}
