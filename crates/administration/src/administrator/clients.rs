//! Clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use std::collections::BTreeSet;

use protocol::CanonicalResource;
use registry::{Client, ClientId};
use serde_json::{Value, json};

use super::cursor::{Cursor, Paging};
use super::load::Needs;
use super::resource::Resource;
use super::{Created, InTenant};
use crate::documents::{ClientView, CreatedClient};
use crate::edit::{EditContext, EditError, Edited};
use crate::kinds;
use crate::kinds::authority::Authority;
use crate::kinds::state::RowLifecycle;
use crate::kinds::{Permission, TenantState};
use crate::store::UnreadableRow;
use crate::store::query;
use crate::{documents, edit};

/// How many records are read at a time to find who created the credentials.
const MAKER_RECORDS: u32 = 500;

impl InTenant<'_> {
    pub async fn create_client(&self, new: documents::NewClient) -> Edited<Created<CreatedClient>> {
        self.require(Permission::Clients)?;
        let row = self.prepare_client(self.tenant, &new, "").await?;
        let settings = json!(new.settings);
        let idempotency = self.idempotency("create client");
        let decide = |context: edit::EditContext<'_>| edit::client::create(context, &row);
        let context = self.view_context();
        let answer = |after: &TenantState| created(context, after, &row.id, row.secret.as_ref());
        self.edit::<Client, _>(&row.id, &settings, idempotency, decide, answer).await
    }

    pub async fn clients(
        &self,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<documents::Page<ClientView>, EditError> {
        let Self { caller, tenant, .. } = *self;
        self.require(Permission::Clients)?;
        let page = Paging::new(cursor, limit)?;
        let search = search.filter(|search| !search.is_empty()).map(str::to_owned);
        let query = query::ClientQuery { search, after: page.after.clone(), limit: page.rows() };
        let facts = self.load(tenant, &Needs::default()).await?;
        let offer = self.view_context().offer(&facts.tenant()?.tenant);
        let rows = self.store.list_clients(tenant, &query).await?;
        Ok(page.readable(
            rows,
            |row| row.client.id.clone(),
            |row| ClientView::judged(&offer, &row, caller.now),
        ))
    }

    /// Adds who created each credential to the refusal, if the audit has a record.
    pub(super) async fn with_makers(&self, mut found: Box<edit::LiveCredentials>) -> Edited<EditError> {
        for action in ["secret.added", "client."] {
            let mut before = None;
            loop {
                let (tenant, subject) = (Some(self.tenant.clone()), Some(found.client.to_string()));
                let (action, limit) = (Some(action.to_owned()), MAKER_RECORDS);
                let query = query::AuditQuery {
                    tenant,
                    action,
                    subject,
                    before,
                    limit,
                    ..query::AuditQuery::default()
                };
                let records = self.store.list_audit(&query).await?;
                let is_open = records.iter().fold(true, |_, (_, record)| found.note(record));
                before = records.last().map(|(position, record)| query::AuditCursor::new(*position, record));
                if !is_open || (records.len() as u64) < u64::from(MAKER_RECORDS) {
                    break;
                }
            }
        }
        Ok(EditError::LiveCredentials(found))
    }

    /// A client's rows, for an administrator of the tenant's clients.
    pub(super) async fn client_state(&self, client: &ClientId) -> Edited<kinds::client::State> {
        Client::authorize(self)?;
        let facts = self.load(self.tenant, &Client::needs(self, client, None)).await?;
        Ok(facts.client(client)?.1.clone())
    }
}

impl Cursor for ClientId {
    fn text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Resource for Client {
    const PERMISSION: Permission = Permission::Clients;
    type Id = ClientId;
    type View = ClientView;
    type Step = edit::client::Step;
    const PATCH: fn(EditContext<'_>, &ClientId, &Value) -> Edited = edit::client::patch;
    const TAKE_STEP: fn(EditContext<'_>, &ClientId, Self::Step) -> Edited = edit::client::step;

    fn needs(within: &InTenant<'_>, client: &ClientId, edit: Option<&Value>) -> Needs {
        let own = Needs::client(client).clients;
        let names = edit.map(edit::client::client_names).unwrap_or_default();
        let listed = edit.map(|_| spelled(own.clone())).unwrap_or_default();
        let clients = spelled([names, own].concat());
        let has_rules = |edit: &Value| edit["federated"].as_array().is_some_and(|rules| !rules.is_empty());
        let compares_rules = edit.is_some_and(has_rules);
        let needs = Needs { clients, listed, compares_rules, ..Needs::default() };
        match edit {
            Some(_) => needs.with_successors(within, &Authority::client_name(within.tenant, client)),
            None => needs,
        }
    }

    fn unreadable(client: &ClientId, step: edit::client::Step) -> Option<Needs> {
        (step == edit::client::Step::Delete).then(|| UnreadableRow::Client(client.clone()).into())
    }

    fn lifecycle<'a>(state: &'a TenantState, client: &ClientId) -> Option<&'a RowLifecycle> {
        Some(&state.client(client).ok()?.lifecycle)
    }

    fn view(
        context: documents::ViewContext<'_>,
        state: &TenantState,
        client: &ClientId,
    ) -> Edited<ClientView> {
        Ok(ClientView::changed(context, state, state.client(client)?))
    }
}

fn spelled(names: Vec<String>) -> Vec<String> {
    let spellings: Vec<_> = names.iter().flat_map(|name| CanonicalResource::new(name).spellings()).collect();
    names.into_iter().chain(spellings).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A client with the secret that it was created with.
pub(super) fn created(
    context: documents::ViewContext<'_>,
    state: &TenantState,
    client: &ClientId,
    secret: Option<&edit::SecretMaterial>,
) -> Edited<CreatedClient> {
    let row = state.client(client)?;
    let shown = row.secrets.first().zip(secret).map(|(made, secret)| documents::CreatedSecret {
        client_secret: secret.value.expose().to_owned(),
        secret: documents::SecretView::new(made, &row.secrets, &[], context.now),
    });
    Ok(CreatedClient { client: ClientView::changed(context, state, row), secret: shown })
}
