//! DPoP proofs (RFC 9449) at two replicas: of a hundred tries at once one is accepted, and a nonce of one is accepted at the other.

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::prover::Prover;
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};

pub(crate) fn url(tenant: &str) -> String {
    format!("http://localhost:3000{}", tenant_path(tenant, "/oauth/token"))
}

pub(crate) fn request(
    replica: &Replica,
    tenant: &str,
    secret: &str,
    proof: &str,
) -> impl Future<Output = Answer> + use<> {
    let form = [("grant_type", "client_credentials"), ("client_id", "svc-0"), ("client_secret", secret)];
    let request = replica.program.request(Method::POST, &tenant_path(tenant, "/oauth/token"));
    Answer::to(request.form(&form).header("dpop", proof))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_tries_at_two_replicas_one_is_accepted() {
    let test_env = TestEnv::new(None);
    let replicas = test_env.start_two(&settings(1)).await;
    let prover = Prover::new();
    for tenant in TENANTS {
        let (secret, proof) = (test_env.secret_of(tenant), prover.proof(&url(tenant), "1"));
        let mut tries = JoinSet::new();
        for number in 0..100 {
            tries.spawn(request(&replicas[number % 2], tenant, secret, &proof));
        }
        let mut answers = tries.join_all().await;
        answers.sort_by_key(|answer| answer.status);
        let [first, others @ ..] = answers.as_slice() else { panic!("no answer") };
        assert_eq!((first.status, &first.json()["token_type"]), (200, &json!("DPoP")));
        for other in others {
            assert_eq!((other.status, &other.json()["error"]), (400, &json!("invalid_dpop_proof")));
        }
    }
}
