//! Creates the rows of a planned import through the API: its rules decide, and each refusal is named.

use std::fmt::Write as _;

use administration::{CreatedClient, CreatedTenant, ImportResult, ImportedLine};
use anyhow::Context as _;
use serde::Serialize;
use tenancy::TenantId;

use super::clients::PlannedClient;
use super::plan::ImportPlan;
use crate::account_import::next_call;
use crate::admin_client::{AdminClient, AdminClientError, ApiProblem, ApiRequest};
use crate::paths::{accounts_path, client_path, clients_path};
use crate::tenant;
use values::printable;

/// What was made, and what the server refused.
#[derive(Default, Serialize)]
pub(super) struct CreatedRows {
    tenant: bool,
    clients: Vec<String>,
    people: usize,
    /// Clients and people who were there before.
    existing: usize,
    refused: Vec<RefusedRow>,
    new_secrets: Vec<NewSecret>,
}

#[derive(Serialize)]
struct RefusedRow {
    what: String,
    why: String,
}

/// Shown this once.
#[derive(Serialize)]
struct NewSecret {
    client_id: String,
    client_secret: String,
}

/// Whether the API has a document at this path, of a tenant or a client.
pub(super) async fn exists(admin: &AdminClient, path: String) -> anyhow::Result<bool> {
    admin.exists(path).await.or_else(|error| match error.downcast_ref() {
        Some(AdminClientError::NoStore(_)) => Ok(false),
        _ => Err(error),
    })
}

/// An import never changes another tenant.
pub(super) fn taken(tenant: &TenantId) -> AdminClientError {
    let detail = format!(
        "tenant {tenant} exists already, and nothing was changed; import into another one with --tenant ID, or go on with an import that stopped: --resume"
    );
    AdminClientError::Refused(ApiProblem {
        status: 409,
        detail,
        errors: Vec::new(),
        breaks: None,
        credentials: None,
        cause: None,
    })
}

impl CreatedRows {
    /// Whether the server refused nothing.
    pub(super) fn is_whole(&self) -> bool {
        self.refused.is_empty()
    }

    /// Makes the tenant with its resource servers, unless it exists.
    pub(super) async fn of_tenant(
        admin: &AdminClient,
        plan: &ImportPlan,
        exists: bool,
    ) -> anyhow::Result<Self> {
        if !exists {
            let request = ApiRequest::post(tenant::TENANTS.to_owned(), &plan.settings);
            admin.send::<CreatedTenant>(request).await?;
        }
        Ok(Self { tenant: !exists, ..Self::default() })
    }

    /// Makes its clients and its people.
    pub(super) async fn add_rest(
        &mut self,
        admin: &AdminClient,
        plan: &ImportPlan,
        exists: bool,
    ) -> anyhow::Result<()> {
        for PlannedClient { id, document, .. } in &plan.clients {
            if exists && self::exists(admin, client_path(&plan.tenant, id)).await? {
                self.existing += 1;
                continue;
            }
            let request = ApiRequest::post(clients_path(&plan.tenant), &**document);
            match admin.send::<CreatedClient>(request).await {
                Ok(created) => {
                    let secret = created.secret.filter(|_| !document["client_secret"].is_string());
                    let secret = secret.map(|secret| secret.client_secret);
                    let new = secret.map(|client_secret| NewSecret { client_id: id.clone(), client_secret });
                    self.new_secrets.extend(new);
                    self.clients.push(id.clone());
                }
                Err(error) => self.refuse(id, error)?,
            }
        }
        self.import(admin, plan, exists).await
    }

    /// A client that the rules refuse does not stop the others.
    fn refuse(&mut self, client: &str, error: anyhow::Error) -> anyhow::Result<()> {
        match error.downcast_ref() {
            Some(AdminClientError::Refused(problem)) if matches!(problem.status, 400 | 409 | 413 | 422) => {
                self.refused.push(RefusedRow { what: format!("client {client}"), why: error.to_string() });
                Ok(())
            }
            _ => Err(error.context(format!("client {client} was not made"))),
        }
    }

    async fn import(&mut self, admin: &AdminClient, plan: &ImportPlan, resumed: bool) -> anyhow::Result<()> {
        let (mut lines, mut names) = (plan.people.lines.as_slice(), plan.people.names.iter());
        while let Some((call, count)) = next_call(&mut lines).context("the people cannot be read")? {
            let request = ApiRequest::lines(format!("{}/import", accounts_path(&plan.tenant)), call);
            let results = admin.send_lines::<ImportedLine>(request).await;
            let results = results
                .with_context(|| format!("people were not imported after the first {}", self.people))?;
            for (result, name) in results.into_iter().zip(names.by_ref().take(count as usize)) {
                let why = match result.result {
                    ImportResult::Created => {
                        self.people += 1;
                        continue;
                    }
                    ImportResult::Exists if resumed => {
                        self.existing += 1;
                        continue;
                    }
                    ImportResult::Exists => {
                        "another person has the same user name or e-mail address".to_owned()
                    }
                    ImportResult::Refused => {
                        let details = result.errors.iter().map(|error| error.detail.as_str());
                        details.collect::<Vec<_>>().join("; ")
                    }
                };
                self.refused.push(RefusedRow { what: format!("person {name}"), why });
            }
        }
        Ok(())
    }

    /// For people.
    pub(super) fn lines(&self, tenant: &TenantId) -> String {
        let Self { tenant: is_new, clients, people, existing, refused, new_secrets } = self;
        let (clients, state) = (clients.len(), if *is_new { "made" } else { "as it was" });
        let mut text =
            format!("Tenant {tenant} is {state}. Made: {clients} of its clients, {people} of its people.");
        let _ = match existing {
            0 => writeln!(text),
            existing => writeln!(text, " There before: {existing}."),
        };
        for RefusedRow { what, why } in refused {
            let _ = writeln!(text, "refused: {}: {}", printable(what), printable(why));
        }
        if !new_secrets.is_empty() {
            text.push_str("\nNew secrets, shown this once:\n");
        }
        for NewSecret { client_id, client_secret } in new_secrets {
            let _ = writeln!(text, "{}  {client_secret}", printable(client_id));
        }
        text
    }
}
