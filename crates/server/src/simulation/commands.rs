//! The commands of administrators and clients at a replica.

use std::sync::Arc;

use administration::administrator::Caller;
use administration::documents::{ClientSettings, NewClient, NewSecretSettings};
use administration::edit;
use administration::edit::{EditError, KeyCommand, TenantStep};
use administration::kinds::authority::{Actor, Authority};
use keys::KeyStage;
use registry::{Client, ClientId, ClientStatus, SecretId};
use serde_json::json;
use tenancy::{Tenant, TenantId};
use testkit::Random;

use super::answers::Refused;
use super::commits::COMMAND;
use super::directory::{Token, draw_signing};
use super::replica::Replica;

pub(super) enum Ended {
    Done,
    Refused(String),
}

impl Replica {
    fn caller(&self) -> Caller {
        let actor = Actor { name: "simulation".to_owned(), ..Actor::default() };
        Caller::new(Authority::operator(actor), self.world.clock(self.number))
    }

    async fn finish<T>(&self, command: u64, work: impl Future<Output = Result<T, EditError>>) -> Ended {
        match COMMAND.scope(command, work).await {
            Ok(_) => {
                self.world.model().reported(command, self.world.now());
                Ended::Done
            }
            Err(error) => Ended::Refused(error.to_string()),
        }
    }

    pub(super) async fn turn_client(&self, command: u64, tenant: &TenantId, client: &ClientId) -> Ended {
        let is_suspended = {
            let model = self.world.model();
            let rows = model.tenants.iter().find(|rows| rows.id == *tenant);
            let version = rows.and_then(|rows| rows.clients[client].last().clone());
            version.is_some_and(|client| client.status == ClientStatus::Suspended)
        };
        let step = if is_suspended { edit::client::Step::Resume } else { edit::client::Step::Suspend };
        self.step_client(command, tenant, client, step).await
    }

    pub(super) async fn step_client(
        &self,
        command: u64,
        tenant: &TenantId,
        client: &ClientId,
        step: edit::client::Step,
    ) -> Ended {
        self.finish(command, self.administrator.of(&self.caller(), tenant).step::<Client>(client, step)).await
    }

    pub(super) async fn command_keys(&self, command: u64, tenant: &TenantId, keys: KeyCommand) -> Ended {
        self.finish(command, self.administrator.of(&self.caller(), tenant).command_keys(keys)).await
    }

    pub(super) async fn add_secret(&self, command: u64, tenant: usize, client: usize) -> Ended {
        let (id, client_id) = self.names(tenant, client);
        let done = async {
            let settings = NewSecretSettings::default();
            let created =
                self.administrator.of(&self.caller(), &id).create_secret(&client_id, settings).await?;
            let secret = (created.value.secret.id, created.value.client_secret);
            self.world.directory().tenants[tenant].clients[client].1.push(secret);
            Ok(())
        };
        self.finish(command, done).await
    }

    pub(super) async fn revoke_secret(&self, command: u64, tenant: usize, client: usize) -> Ended {
        let (id, client_id) = self.names(tenant, client);
        let oldest = {
            let directory = self.world.directory();
            let secrets = &directory.tenants[tenant].clients[client].1;
            // A revoked secret moves to the end of the list but stays known, so that it is presented again.
            match secrets.len() {
                0 | 1 => return Ended::Refused("one secret is left".to_owned()),
                _ => secrets[0].0.clone(),
            }
        };
        let (secret, step) = (SecretId::new(&oldest), edit::secret::Step::Revoke);
        let caller = self.caller();
        let within = self.administrator.of(&caller, &id);
        let ended = self.finish(command, within.step_secret(&client_id, &secret, step)).await;
        if matches!(ended, Ended::Done) {
            let mut directory = self.world.directory();
            let secrets = &mut directory.tenants[tenant].clients[client].1;
            if secrets.len() > 3 {
                secrets.remove(0);
            }
        }
        ended
    }

    pub(super) async fn create_client(&self, command: u64, tenant: usize) -> Ended {
        let next = {
            let directory = self.world.directory();
            let known = &directory.tenants[tenant];
            known
                .clients
                .get(known.created)
                .map(|(client, _)| (known.id.clone(), known.created, client.to_string()))
        };
        let Some((id, number, client)) = next else { return Ended::Refused("all are created".to_owned()) };
        let settings = ClientSettings { audiences: vec!["api".to_owned()], ..ClientSettings::default() };
        let new = NewClient { client_id: Some(client), client_secret: None, settings };
        let done = async {
            let created = self.administrator.of(&self.caller(), &id).create_client(new).await?;
            if let Some(secret) = created.value.secret {
                let mut directory = self.world.directory();
                directory.tenants[tenant].created = number + 1;
                directory.tenants[tenant].clients[number].1.push((secret.secret.id, secret.client_secret));
            }
            Ok(())
        };
        self.finish(command, done).await
    }

    pub(super) async fn step_tenant(&self, command: u64, tenant: usize, id: &TenantId) -> Ended {
        let is_active = self.world.model().tenants[tenant].tenant.last().is_active();
        let step = if is_active { TenantStep::Suspend } else { TenantStep::Resume };
        self.finish(command, self.administrator.of(&self.caller(), id).step::<Tenant>(&(), step)).await
    }

    pub(super) async fn revoke_token(&self, command: u64, token: &Token) -> Ended {
        let (id, secret) = {
            let directory = self.world.directory();
            let known = &directory.tenants[token.tenant];
            let client = known.clients.iter().find(|(client, _)| *client == token.client);
            let secret = client.and_then(|(_, secrets)| secrets.last()).map(|(_, secret)| secret.clone());
            (known.id.clone(), secret.unwrap_or_default())
        };
        match COMMAND.scope(command, self.revoke(&id, (&token.client, &secret), &token.text)).await {
            Ok(()) => {
                self.world.model().reported(command, self.world.now());
                Ended::Done
            }
            Err(Refused::Unavailable(cause)) => Ended::Refused(cause),
            Err(refused) => Ended::Refused(format!("{refused:?}")),
        }
    }

    pub(super) async fn remove_key(&self, command: u64, tenant: usize, id: &TenantId) -> Ended {
        let world = &self.world;
        let keys = Arc::clone(world.model().tenants[tenant].keys.last());
        let now = world.clock(self.number);
        let live: Vec<_> = keys.keys.iter().filter(|key| key.state(now) != KeyStage::Removed).collect();
        let command_of_keys = match world.below(3) {
            0 => KeyCommand::RotateInEmergency,
            _ if live.is_empty() => return Ended::Refused("no key".to_owned()),
            _ => KeyCommand::Revoke(live[world.below(live.len())].id.kid()),
        };
        let index = {
            let mut model = world.model();
            model.tenants[tenant].removals.push((world.now(), None));
            model.tenants[tenant].removals.len() - 1
        };
        let ended = self.command_keys(command, id, command_of_keys).await;
        world.model().tenants[tenant].removals[index].1 = Some(world.now());
        ended
    }

    pub(super) async fn change_policy(&self, command: u64, tenant: usize, id: &TenantId) -> Ended {
        let world = &self.world;
        let signing = world.model().tenants[tenant].tenant.last().signing.clone();
        let drawn = draw_signing(&mut Random(world.below(1 << 30) as u64), signing.skew.seconds());
        let stale_if_error = [0, 20, 60][world.below(3)];
        let patch = json!({
            "stale_if_error": stale_if_error,
            "signing": {
                "rotate_every": drawn.rotate_every.seconds(),
                "publish_before": drawn.publish_before.seconds(),
                "jwks_max_age": drawn.jwks_max_age.seconds(),
                "jwks_stale": drawn.jwks_stale.seconds(),
            },
        });
        self.finish(command, self.administrator.of(&self.caller(), id).patch::<Tenant>(&(), patch)).await
    }

    fn names(&self, tenant: usize, client: usize) -> (TenantId, ClientId) {
        let directory = self.world.directory();
        let known = &directory.tenants[tenant];
        (known.id.clone(), known.clients[client].0.clone())
    }
}
