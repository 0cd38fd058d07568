//! An application: a client of a tenant with a separate name. Only the interface that wrote its document
//! reads it.

use registry::{Client, ClientId};
use serde_json::Value;
use tenancy::{Tenant, TenantId};
use uuid::Uuid;
use values::{Secret, Timestamp};

use crate::edit::EditError;

/// An application's identifier.
#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationId(Uuid);

/// An application's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub tenant: TenantId,
    pub id: ApplicationId,
    /// Its name, unique in its tenant.
    pub name: String,
    /// Its client. An application without OAuth has none.
    pub client: Option<ClientId>,
    /// The members that the interface stores, without any secret.
    pub document: Value,
    pub created_at: Timestamp,
}

/// A request to create or replace an application, before its translation.
#[derive(Clone, Copy, Debug)]
pub struct PutApplication<'a> {
    /// The application to replace. None for a new one.
    pub replaces: Option<ApplicationId>,
    /// The requested name.
    pub name: &'a str,
    /// The client id of the request, if it has one.
    pub client_id: Option<&'a str>,
    /// The secret of the request, if it has one.
    pub secret: Option<&'a Secret>,
}

/// The rows that a translation may depend on.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationContext<'a> {
    pub tenant: &'a Tenant,
    /// The application that is replaced.
    pub before: Option<&'a Application>,
    /// The client before the request.
    pub client: Option<&'a Client>,
    /// The id of its client, or of a new client for which no id is requested.
    pub client_id: &'a ClientId,
}

/// An application as an interface translates it from its own document.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationDraft {
    /// The document to store.
    pub document: Value,
    /// The client, with the requested id or the id in the context. None for an application without OAuth. Its
    /// name is the application's.
    pub client: Option<Client>,
}

/// The translation of an interface's form into a draft.
pub type Translate<'a, E> = dyn Fn(ApplicationContext<'_>) -> Result<ApplicationDraft, E> + Send + Sync + 'a;

/// An application as it is, or as it was just written.
#[derive(Debug)]
pub struct ApplicationState {
    /// The row.
    pub application: Application,
    /// Its client, unless that is retired or deleted.
    pub client: Option<Client>,
    /// The client's new secret.
    pub secret: Option<Secret>,
}

/// An application was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// The tenant has no such application.
    #[error("there is no application of this id")]
    NotFound,
    /// Another application of the tenant has the name.
    #[error("another application of this tenant has the name")]
    NameTaken,
    /// The application's client has another id.
    #[error("the client_id of an application cannot change")]
    ClientIdChanged,
    /// The application's client was deleted, and its id stays reserved.
    #[error("the application's client was deleted")]
    ClientDeleted,
    /// The rules of clients refuse the application's client.
    #[error(transparent)]
    Client(EditError),
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl ApplicationId {
    /// A new identifier.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}
