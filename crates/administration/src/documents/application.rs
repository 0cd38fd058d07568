//! An application: a client of a tenant with a separate name. Only the interface that wrote the document of
//! an application reads it.

use registry::{Client, ClientId};
use serde_json::Value;
use tenancy::{Tenant, TenantId};
use uuid::Uuid;
use values::{Secret, Timestamp};

use crate::edit::EditError;

#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationId(Uuid);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub tenant: TenantId,
    pub id: ApplicationId,
    /// Unique in its tenant.
    pub name: String,
    /// `None` for an application without OAuth.
    pub client: Option<ClientId>,
    /// The members that the interface stores. They contain no secret.
    pub document: Value,
    pub created_at: Timestamp,
}

/// A request to create or replace an application, before its translation.
#[derive(Clone, Copy, Debug)]
pub struct PutApplication<'a> {
    /// The application to replace. `None` for a new one.
    pub replaces: Option<ApplicationId>,
    pub name: &'a str,
    pub client_id: Option<&'a str>,
    pub secret: Option<&'a Secret>,
}

/// The rows that a translation may depend on.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationContext<'a> {
    pub tenant: &'a Tenant,
    /// The application before the request replaces it.
    pub before: Option<&'a Application>,
    pub client: Option<&'a Client>,
    /// The id of the application's client. For a new client without a requested id, the id that it will get.
    pub client_id: &'a ClientId,
}

/// An application as an interface translates it from its own document.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationDraft {
    pub document: Value,
    /// The client, with the requested id or `client_id` of the context. `None` for an application without
    /// OAuth. The client has the name of the application.
    pub client: Option<Client>,
}

/// The translation of an interface's form into a draft.
pub type Translate<'a, E> = dyn Fn(ApplicationContext<'_>) -> Result<ApplicationDraft, E> + Send + Sync + 'a;

/// An application as it is stored or was just written.
#[derive(Debug)]
pub struct ApplicationState {
    pub application: Application,
    /// Its client, unless the client is retired or deleted.
    pub client: Option<Client>,
    pub secret: Option<Secret>,
}

/// Why an application was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    #[error("no application has this id")]
    NotFound,
    /// Another application of the tenant has the name.
    #[error("another application of this tenant has the same name")]
    NameTaken,
    /// The request names another client id than the application has.
    #[error("you cannot change the client_id of an application")]
    ClientIdChanged,
    /// The application's client was deleted, and its id stays reserved.
    #[error("the application's client was deleted")]
    ClientDeleted,
    /// The rules for clients refuse the application's client.
    #[error(transparent)]
    Client(EditError),
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl ApplicationId {
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}
