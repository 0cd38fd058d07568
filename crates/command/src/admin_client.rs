//! The command line is a client of the admin API: with `--server` over HTTP, otherwise in process over the
//! same routes.

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
pub(crate) use error::{AdminClientError, ApiProblem};
pub(crate) use in_process::InProcess;
pub(crate) use publish::publish;
pub(crate) use request::{ApiRequest, segment, with_query};

use std::path::Path;

use reqwest::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};

use self::answer::ApiAnswer;
use self::http::Http;
use self::repeats::RequestAttempts;
use self::store_client::StoreClient;
use settings::Environment;

/// A client of the admin API.
pub(crate) enum AdminClient {
    Http(Http),
    InProcess(Box<StoreClient>),
}

impl AdminClient {
    /// With a server no settings are read, because the server has them.
    pub(crate) async fn open(
        config: &Path,
        arguments: &AdminArguments,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        match arguments.server(environment)? {
            Some(server) => Ok(Self::Http(Http::open(&server, arguments, environment).await?)),
            None => Ok(Self::InProcess(Box::new(StoreClient::new(config, environment)?))),
        }
    }

    /// Lets the requests wait for a server that has no room for them.
    pub(crate) fn patient(mut self) -> Self {
        if let Self::Http(server) = &mut self {
            server.is_patient = true;
        }
        self
    }

    /// Sends a request and reads the document of the answer; `()` where the answer has none.
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

    /// Sends a request as [`AdminClient::send`] does, and prints no warning.
    pub(crate) async fn send_silently<T: DeserializeOwned>(&self, request: ApiRequest) -> anyhow::Result<T> {
        self.answer(&request).await?.document_of(&request)
    }

    /// Whether the API has a document at this path. If it has none, no similar row is searched.
    pub(crate) async fn exists(&self, path: String) -> anyhow::Result<bool> {
        let request = ApiRequest::get(path);
        let answer = self.answer(&request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        answer.document_of::<IgnoredAny>(&request).map(|_| true)
    }

    /// Sends a request and reads the documents of the answer, one for each line.
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

    /// The HTTP library and the base of the server; none where the store is opened.
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
