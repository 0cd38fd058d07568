//! The currently declared clients, drawn at random, and since when each
//! credential is live or revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use administration::declaration::{Declaration, DeclaredClient, DeclaredSecret};
use administration::kinds::DeclaredTenant;
use protocol::SigningAlgorithm;
use registry::DeclaredPassword;
use secrets::GeneratedSecret;
use testkit::{Random, fixtures};
use values::Secret;

use super::record::{Credential, Proof, Turn};

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
const CLIENTS: usize = 8;

/// A tenant and a client's name.
pub(super) type Client = (&'static str, String);

pub(super) struct Declared {
    random: Random,
    closed: BTreeSet<&'static str>,
    /// For each client, its credentials.
    clients: BTreeMap<Client, Vec<usize>>,
    credentials: Arc<Mutex<Vec<Credential>>>,
}

impl Declared {
    pub(super) fn nothing(seed: u64, credentials: Arc<Mutex<Vec<Credential>>>) -> Self {
        Self { random: Random(seed), closed: BTreeSet::new(), clients: BTreeMap::new(), credentials }
    }

    /// Draws a random change, which may be impossible.
    pub(super) fn draw(&mut self) {
        while self.try_to_draw().is_none() {}
    }

    /// Records the acknowledgement of these changes of credentials.
    pub(super) fn acknowledged(&self, turned: &[usize], at: Instant) {
        let mut credentials = self.credentials.lock().unwrap();
        for number in turned {
            credentials[*number].turns.last_mut().unwrap().acknowledged = Some(at);
        }
    }

    fn try_to_draw(&mut self) -> Option<()> {
        let tenant = *self.random.one_of(&TENANTS).unwrap();
        if self.random.below(100) < 4 {
            // A tenant without clients may be added or removed, but no request would show it.
            let is_noticed = self.clients.keys().any(|(owner, _)| *owner == tenant);
            if is_noticed && !self.closed.remove(tenant) {
                self.closed.insert(tenant);
            }
            return is_noticed.then_some(());
        }
        let client = (tenant, format!("c-{}", self.random.below(CLIENTS)));
        if self.closed.contains(tenant) {
            return None;
        }
        let Some(mut held) = self.clients.get(&client).cloned() else {
            // A new or returning client, with a new secret or one that it had before.
            let secret = self.former(&client).unwrap_or_else(|| self.credential(&client));
            self.clients.insert(client, vec![secret]);
            return Some(());
        };
        match self.random.below(4) {
            0 => drop(self.clients.remove(&client)),
            1 if held.len() < 3 => {
                let further = self.former(&client).unwrap_or_else(|| self.credential(&client));
                held.push(further);
                self.clients.insert(client, held);
            }
            2 if held.len() > 1 => {
                held.remove(self.random.below(held.len()));
                self.clients.insert(client, held);
            }
            _ => {
                let new = self.credential(&client);
                self.clients.insert(client, vec![new]);
            }
        }
        Some(())
    }

    /// Occasionally returns a secret that the client had before.
    fn former(&mut self, client: &Client) -> Option<usize> {
        if self.random.below(3) > 0 {
            return None;
        }
        let credentials = self.credentials.lock().unwrap();
        let is_former = |credential: &Credential| {
            credential.tenant == client.0 && credential.client == client.1 && !credential.is_live()
        };
        let all = credentials.iter().enumerate().filter(|(_, credential)| is_former(credential));
        let all: Vec<usize> = all.map(|(number, _)| number).collect();
        self.random.one_of(&all).copied()
    }

    fn credential(&mut self, (tenant, client): &Client) -> usize {
        let proof = Proof::Secret(GeneratedSecret::generate().secret.expose().to_owned());
        let mut credentials = self.credentials.lock().unwrap();
        let (tenant, client) = ((*tenant).to_owned(), client.clone());
        credentials.push(Credential { tenant, client, proof, turns: Vec::new() });
        credentials.len() - 1
    }

    /// Records which credentials are about to become live or revoked.
    pub(super) fn turn(&self) -> Vec<usize> {
        let declared = self.clients.iter().filter(|(client, _)| !self.closed.contains(client.0));
        let live: BTreeSet<usize> = declared.flat_map(|(_, held)| held).copied().collect();
        let (mut turned, begun) = (Vec::new(), Instant::now());
        for (number, credential) in self.credentials.lock().unwrap().iter_mut().enumerate() {
            if credential.is_live() != live.contains(&number) {
                let live = live.contains(&number);
                credential.turns.push(Turn { live, begun, acknowledged: None });
                turned.push(number);
            }
        }
        turned
    }

    pub(super) fn declaration(&self) -> Declaration {
        let credentials = self.credentials.lock().unwrap();
        let mut declaration = Declaration::default();
        for id in TENANTS.into_iter().filter(|id| !self.closed.contains(id)) {
            let mut tenant = fixtures::tenant(id);
            tenant.signing.algorithm = SigningAlgorithm::ES256;
            let of_tenant = self.clients.iter().filter(|((owner, _), _)| *owner == id);
            let clients = of_tenant.map(|((_, client), held)| DeclaredClient {
                client: fixtures::client(&tenant, client),
                secrets: held
                    .iter()
                    .map(|number| {
                        let Proof::Secret(secret) = &credentials[*number].proof else { unreachable!() };
                        let password = DeclaredPassword::Value(Secret::new(secret.clone()));
                        DeclaredSecret { password, expires_at: None, previous_for: None, stored: None }
                    })
                    .collect(),
            });
            let clients = clients.collect();
            declaration.tenants.insert(
                tenant.id.clone(),
                DeclaredTenant { tenant, clients, accounts: Vec::new(), first_key: None },
            );
        }
        declaration
    }
}
