//! Callers who try credentials at one program, preferably recently changed ones.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use testkit::Random;
use tokio::time::sleep;

use super::record::{Answered, Credential, Observation, Proof};
use crate::answer::Answer;
use crate::jwt::claims;
use crate::running::{credentials, tenant_path};

/// Number of the latest credentials that count as recently changed.
const RECENT: usize = 12;

pub(super) struct Reader {
    pub(super) replica: usize,
    pub(super) addresses: Arc<Mutex<[SocketAddr; 2]>>,
    pub(super) credentials: Arc<Mutex<Vec<Credential>>>,
    pub(super) ended: Arc<AtomicBool>,
    pub(super) random: Random,
}

impl Reader {
    /// Sends requests until the end.
    pub(super) async fn read(mut self) -> Vec<Observation> {
        let http = reqwest::Client::new();
        let mut requested = Vec::new();
        while !self.ended.load(Ordering::Relaxed) {
            if let Some((credential, tenant, client, proof)) = self.choose() {
                let from = Instant::now();
                let answered = self.look(&http, &tenant, &client, &proof).await;
                let (replica, to) = (self.replica, Instant::now());
                requested.push(Observation { credential, replica, from, to, answered });
            }
            sleep(Duration::from_millis(4)).await;
        }
        requested
    }

    fn choose(&mut self) -> Option<(usize, String, String, Proof)> {
        let credentials = self.credentials.lock().unwrap();
        let mut known: Vec<usize> = (0..credentials.len()).collect();
        if self.random.below(3) > 0 {
            known.sort_by_key(|number| credentials[*number].turns.last().map(|turn| turn.begun));
            known.drain(..known.len().saturating_sub(RECENT));
        }
        let number = *self.random.one_of(&known)?;
        let Credential { tenant, client, proof, .. } = &credentials[number];
        Some((number, tenant.clone(), client.clone(), proof.clone()))
    }

    /// Asks the replica whether the credential is live.
    async fn look(&self, http: &reqwest::Client, tenant: &str, client: &str, proof: &Proof) -> Answered {
        let address = self.addresses.lock().unwrap()[self.replica];
        let url = |path| format!("http://{address}{}", tenant_path(tenant, path));
        let request = match proof {
            Proof::Secret(secret) => http.post(url("/oauth/token")).form(&credentials(client, secret)),
            Proof::ApiKey(key) => http.post(url("/oauth/token")).form(&credentials(client, key)),
            Proof::Token { token, secret } => {
                let form = [("client_id", client), ("client_secret", secret), ("token", token)];
                http.post(url("/oauth/introspect")).form(&form)
            }
            Proof::Key(_) => http.get(url("/.well-known/jwks.json")),
            Proof::Tenant => http.get(url("/strategies")),
            Proof::Name { token, .. } => http.get(url("/oauth/userinfo")).bearer_auth(token),
        };
        let answer = match Answer::try_to(request).await {
            Ok(answer) => answer,
            Err(error) => return Answered::Failed(format!("{error:?}")),
        };
        let granted = |is_live: bool| if is_live { Answered::Granted } else { Answered::Refused };
        let own = |is_own: bool| if is_own { Answered::Granted } else { Answered::Wrong };
        match (proof, answer.status) {
            (_, 503) => Answered::Deferred,
            (Proof::Secret(_) | Proof::ApiKey(_), 200) => {
                let claims = claims(&answer.token());
                let issuer = format!("http://localhost:3000/api/v1/tenant/{tenant}");
                own(claims["client_id"] == client && claims["iss"] == issuer.as_str())
            }
            (Proof::Token { .. }, 200) => {
                let token = answer.json();
                if token["active"] == false { Answered::Refused } else { own(token["client_id"] == client) }
            }
            (Proof::Key(kid), 200) => granted(
                answer.json()["keys"].as_array().unwrap().iter().any(|key| key["kid"] == kid.as_str()),
            ),
            (Proof::Name { name, .. }, 200) => match answer.json()["name"].as_str() {
                Some(said) if said.starts_with(&format!("{client} ")) => granted(said == name),
                _ => Answered::Wrong,
            },
            (Proof::Tenant, 200) => Answered::Granted,
            // 404 while the tenant is suspended or retired.
            (Proof::Secret(_) | Proof::ApiKey(_), 401 | 404) | (Proof::Tenant, 404) => Answered::Refused,
            _ => Answered::Failed(format!("{answer:?}")),
        }
    }
}
