//! Callers who try credentials at one program, preferably recently changed ones.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use testkit::Random;
use tokio::time::sleep;

use super::record::{Answered, Credential, Observation};
use crate::answer::Answer;
use crate::jwt::claims;
use crate::running::{credentials, tenant_path};

/// The number of the latest credentials that count as recently changed.
const RECENT: usize = 12;

pub(super) struct Reader {
    pub(super) replica: usize,
    pub(super) addresses: Arc<Mutex<[SocketAddr; 2]>>,
    pub(super) credentials: Arc<Mutex<Vec<Credential>>>,
    pub(super) ended: Arc<AtomicBool>,
    pub(super) random: Random,
}

impl Reader {
    pub(super) async fn read(mut self) -> Vec<Observation> {
        let http = reqwest::Client::new();
        let mut requested = Vec::new();
        while !self.ended.load(Ordering::Relaxed) {
            if let Some((credential, tenant, client, secret)) = self.choose() {
                let from = Instant::now();
                let answered = self.send_request(&http, tenant, &client, &secret).await;
                let (replica, to) = (self.replica, Instant::now());
                requested.push(Observation { credential, replica, from, to, answered });
            }
            sleep(Duration::from_millis(4)).await;
        }
        requested
    }

    fn choose(&mut self) -> Option<(usize, &'static str, String, String)> {
        let credentials = self.credentials.lock().unwrap();
        let mut known: Vec<usize> = (0..credentials.len()).collect();
        if self.random.below(3) > 0 {
            known.sort_by_key(|number| credentials[*number].turns.last().map(|turn| turn.begun));
            known.drain(..known.len().saturating_sub(RECENT));
        }
        let number = *self.random.one_of(&known)?;
        let Credential { tenant, client, secret, .. } = &credentials[number];
        Some((number, tenant, client.clone(), secret.clone()))
    }

    async fn send_request(
        &self,
        http: &reqwest::Client,
        tenant: &str,
        client: &str,
        secret: &str,
    ) -> Answered {
        let address = self.addresses.lock().unwrap()[self.replica];
        let url = format!("http://{address}{}", tenant_path(tenant, "/oauth/token"));
        let request = http.post(url).form(&credentials(client, secret));
        let sent = request.timeout(Duration::from_secs(10)).send().await;
        let answered = async {
            let response = sent?;
            Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
        };
        let (status, body) = match answered.await {
            Ok(answered) => answered,
            Err(error) => return Answered::Failed(format!("{error:?}")),
        };
        match status {
            200 => {
                let token = Answer { status, headers: Vec::new(), body }.token();
                let claims = claims(&token);
                let issuer = format!("http://localhost:3000/api/v1/tenant/{tenant}");
                let is_own = claims["client_id"] == client && claims["iss"] == issuer.as_str();
                if is_own { Answered::Granted } else { Answered::Wrong }
            }
            // 404 while the tenant is retired.
            401 | 404 => Answered::Refused,
            503 => Answered::Deferred,
            _ => Answered::Failed(format!("{status} {body}")),
        }
    }
}
