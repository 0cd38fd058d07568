//! The command line is a client of the admin API: over HTTP with `--server`, otherwise in the same process
//! over the same routes.

mod answer;
mod arguments;
mod credential;
mod error;
mod error_names;
mod http;
mod in_process;
mod publish;
mod repeats;
mod request;
mod similar;
mod store_client;

pub(crate) use answer::not_understood;
pub(crate) use arguments::{AdminArguments, AdminCommandArguments};
pub(crate) use error::{AdminApiError, ApiProblem};
pub(crate) use in_process::InProcess;
pub(crate) use publish::publish;
pub(crate) use request::{ApiRequest, segment, with_query};

use std::path::Path;

use reqwest::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};

use self::answer::ApiAnswer;
use self::http::Http;
use self::repeats::RequestAttempts;
use self::store_client::StoreApi;
use settings::Environment;

pub(crate) enum AdminApi {
    Http(Http),
    InProcess(Box<StoreApi>),
}

impl AdminApi {
    /// With a server no settings are read, because the server has its own.
    pub(crate) async fn open(
        config: &Path,
        arguments: &AdminArguments,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        match arguments.server(environment)? {
            Some(server) => Ok(Self::Http(Http::open(&server, arguments, environment).await?)),
            None => Ok(Self::InProcess(Box::new(StoreApi::new(config, environment)?))),
        }
    }

    /// Requests then wait for a server that is busy.
    pub(crate) fn patient(mut self) -> Self {
        if let Self::Http(server) = &mut self {
            server.is_patient = true;
        }
        self
    }

    /// Sends a request and reads the document of the answer. Use `()` for an answer without a document.
    pub(crate) async fn send<T: DeserializeOwned>(&self, request: ApiRequest) -> anyhow::Result<T> {
        let answer = self.answer(&request).await?;
        if !request.only_reads {
            answer.print_warnings(&request);
        }
        match answer.document_of(&request) {
            Err(error) => Err(self.leading_on(error, &request).await),
            document => document,
        }
    }

    /// Like [`AdminClient::send`], without printing warnings.
    pub(crate) async fn send_silently<T: DeserializeOwned>(&self, request: ApiRequest) -> anyhow::Result<T> {
        self.answer(&request).await?.document_of(&request)
    }

    /// Whether the API has a document at this path. Does not look for similar names if it has none.
    pub(crate) async fn exists(&self, path: String) -> anyhow::Result<bool> {
        let request = ApiRequest::get(path);
        let answer = self.answer(&request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        answer.document_of::<IgnoredAny>(&request).map(|_| true)
    }

    /// Sends a request and reads one document from each line of the answer.
    pub(crate) async fn send_lines<T: DeserializeOwned>(
        &self,
        request: ApiRequest,
    ) -> anyhow::Result<Vec<T>> {
        self.answer(&request).await?.lines()
    }

    async fn answer(&self, request: &ApiRequest) -> anyhow::Result<ApiAnswer> {
        request.check_path(matches!(self, Self::Http(_)))?;
        let (key, mut repeats) = (uuid::Uuid::new_v4().to_string(), RequestAttempts::new(request));
        loop {
            let answered = match self {
                Self::Http(server) => server.send(request, &key).await,
                Self::InProcess(store) => store.send(request, &key).await,
            };
            if let Some(answered) = repeats.take(answered).await {
                return answered;
            }
        }
    }

    /// The HTTP client and the base URL of the server. `None` if the command opens the store itself.
    pub(crate) fn server(&self) -> Option<(&reqwest::Client, &str)> {
        match self {
            Self::Http(server) => Some(server.address()),
            Self::InProcess(_) => None,
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Http(_) => {}
            Self::InProcess(store) => store.close().await,
        }
    }
}
