//! Requests with DPoP proofs (RFC 9449).

use reqwest::Method;

use crate::answer::Answer;
use crate::running::tenant_path;
use crate::test_env::Replica;

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
