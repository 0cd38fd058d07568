//! Tests a sealing key in Vault or AWS KMS: the program generates, uses, reseals and reloads private keys
//! with it. Also tests the behaviour while the service is unavailable or refuses.

use std::time::{Duration, Instant};

use latchkey_verifier::{Reason, Revocations, TokenError, Trusted, Verifier};

use crate::answer::Answer;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::jwt;
use crate::mock_server::{Reply, TOKEN};
use crate::program::{Mark, Program};
use crate::reload::{eventually, until_status};
use crate::running::tenant_path;
use crate::sealing_services::{Service, TOKEN_FILE};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};
use crate::verifier_crate::{issuer, verify};

const LOCAL: &str = "sealing_key: { file: keys/sealing.key }";
const TENANTS: [(&str, &str); 2] = [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)];

fn sealed_by(service: &Service) -> String {
    edited(TWO_TENANTS, LOCAL, &format!("sealing_key: {}", service.setting))
}

/// A folder without settings, which the test writes later.
fn empty() -> Folder {
    Folder::with("")
}

/// Retries, because a cold store may be too slow for the first request on a busy machine.
async fn token(program: &Program, (tenant, secret): (&str, &str)) -> String {
    until_status(program, (tenant, "svc", secret), 200).await;
    program.token(tenant, "svc", secret).await
}

async fn tokens(program: &Program) -> [String; 2] {
    [token(program, TENANTS[0]).await, token(program, TENANTS[1]).await]
}

/// Verifies the tokens with only the published keys.
async fn assert_verified(program: &Program, tokens: &[String; 2]) {
    let verifier = |of: &str, keys_of: &str| {
        let keys = program.url(&tenant_path(keys_of, "/.well-known/jwks.json"));
        let builder = Verifier::builder().issuer(Trusted::issuer(issuer(of)).jwks_uri(keys));
        builder.audience("api").revocations(Revocations::Off).build().unwrap()
    };
    for (token, (tenant, other)) in tokens.iter().zip([("acme", "globex"), ("globex", "acme")]) {
        assert_eq!(verify(&verifier(tenant, tenant), token).await, Ok(()), "{tenant}");
        let by_other = verify(&verifier(tenant, other), token).await;
        assert_eq!(by_other, Err(Reason::Token(TokenError::SignatureInvalid)), "{other}");
    }
}

async fn check_reason(program: &Program) -> Option<String> {
    let ready = program.get("/health/ready").await;
    assert_eq!(ready.status, 200, "whose keys are open is served: {ready:?}");
    ready.json()["checks"]["keys"]["reason"].as_str().map(str::to_owned)
}

/// Asserts that the error says when to try again, and contains no internal details.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    answer.assert_refused(503, "temporarily_unavailable");
    assert_ne!(answer.header("retry-after"), "", "{answer:?}");
    for word in ["vault", "kms", "seal", "key"] {
        assert!(!answer.body.to_lowercase().contains(word), "{word} in {answer:?}");
    }
}

// [V13 13.3.1]: 2 | Secrets are in a vault, not in code or builds | The sealing key may be Vault's or KMS',
//   and it seals all other keys; settings name variables and files. The default is a file of mode 0600
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vault_seals_keys_and_opens_them_after_restart() {
    let folder = empty();
    let (service, _) = Service::vault(&folder).await;
    folder.replace("config.yaml", &sealed_by(&service));
    let program = service.serve(&folder);
    let before = tokens(&program).await;
    assert_verified(&program, &before).await;
    assert!(service.server.request_count() > 0);
    tokens(&program).await;
    assert_eq!(service.server.request_count(), 0, "a warm token needs no request to the service");
    program.stop();
    let found: Vec<_> = std::fs::read_dir(folder.path("data")).unwrap().collect();
    // No sealing key was created here.
    assert!(!folder.exists("keys") && folder.exists("data/last-store.json") && found.len() == 2, "{found:?}");

    let looked = service.run(&folder, &["key", "reseal", "--dry-run", "--json"]).json();
    assert_eq!((&looked["left"], &looked["unreadable"]), (&0.into(), &0.into()), "{looked}");
    assert!(looked["current"].as_u64() >= Some(3), "the pepper and two keys: {looked}");

    let program = service.serve(&folder);
    assert_verified(&program, &before).await;
    assert_eq!(program.present(&before[0]).await.status, 200);
    let after = tokens(&program).await;
    assert_eq!(after.each_ref().map(|token| jwt::kid(token)), ["oauth2-key-1"; 2], "the same keys");
    assert_verified(&program, &after).await;
    program.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealing_moves_from_file_to_vault_to_kms() {
    let folder = empty();
    let ((vault, _), kms) = (Service::vault(&folder).await, Service::aws_kms(&folder).await);
    folder.replace("config.yaml", TWO_TENANTS);
    let program = Program::start(&folder);
    let before = tokens(&program).await;
    program.stop();
    let mut former = LOCAL.trim_start_matches("sealing_key: ").to_owned();
    for service in [&vault, &kms] {
        let both = format!("sealing_key: {}, former_sealing_keys: [{former}]", service.setting);
        folder.replace("config.yaml", &edited(TWO_TENANTS, LOCAL, &both));
        // Only the program has the environment variables for the other service.
        let program = kms.serve(&folder);
        assert_verified(&program, &tokens(&program).await).await;
        kms.run(&folder, &["key", "reseal"]).output();
        kms.run(&folder, &["key", "reseal", "--dry-run"]).output();
        program.stop();
        former.clone_from(&service.setting);
    }
    // Neither key is needed any longer.
    std::fs::remove_file(folder.path("keys/sealing.key")).unwrap();
    drop(vault);
    folder.replace("config.yaml", &sealed_by(&kms));
    let program = kms.serve(&folder);
    assert_verified(&program, &before).await;
    assert_verified(&program, &tokens(&program).await).await;
    program.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_without_the_sealing_service_is_refused() {
    let folder = empty();
    let (vault, keys) = Service::vault(&folder).await;
    folder.replace("config.yaml", &sealed_by(&vault));
    let refused = |words: &str| {
        let ran = vault.run(&folder, &["serve"]);
        ran.assert_ends(1, &["cannot use the sealing key", &format!("{} {words}", vault.name)]);
        assert!(!ran.err.contains("pepper"), "it is not the pepper's fault: {}", ran.err);
    };
    // First while sealing a new key, then while unsealing it.
    for _ in 0..2 {
        vault.server.be_away(true);
        refused("does not respond: ");
        vault.server.be_away(false);
        keys.take_only("hvs.another");
        let file = folder.path(TOKEN_FILE);
        let holds = format!("{} still contains the refused token", file.display());
        refused(&format!(
            "refused the request with 403: 2 errors occurred: * permission denied * invalid token; {holds}"
        ));
        keys.take_only(TOKEN);
        let program = vault.serve(&folder);
        assert_verified(&program, &tokens(&program).await).await;
        program.stop();
    }
    assert!(!folder.exists("keys") && !folder.exists("data/sealing.key"));
    std::fs::remove_file(folder.path(TOKEN_FILE)).unwrap();
    vault.run(&folder, &["serve"]).assert_ends(1, &["cannot read ", TOKEN_FILE]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_with_open_keys_survive_a_sealing_outage() {
    let folder = empty();
    let (vault, _) = Service::vault(&folder).await;
    folder.replace("config.yaml", &sealed_by(&vault));
    // First globex has no key, then it has a key that is not loaded.
    for sealed_or_opened in ["cannot seal", "cannot unseal"] {
        let program = vault.serve(&folder);
        let of_acme = token(&program, TENANTS[0]).await;
        assert_eq!(check_reason(&program).await, None);
        vault.server.be_away(true);
        let mark = program.mark();
        assert_unavailable(&program.request_token("globex", "svc", GLOBEX_SECRET).await);
        assert_unavailable(&program.jwks("globex").await);
        let reported = program.log_after(mark, "cannot use a key of tenant globex");
        assert_has(&reported, &[sealed_or_opened, &vault.name, "does not respond"]);
        eventually("readiness says so", async || {
            let reason = check_reason(&program).await.unwrap_or_default();
            reason == "the service with the sealing key fails; tenants whose keys are already open still work"
        })
        .await;
        let reported = program.log_after(mark, "the service with the sealing key fails");
        assert!(reported.contains(&vault.name), "{reported}");
        program.token("acme", "svc", ACME_SECRET).await;
        assert_eq!(program.present(&of_acme).await.status, 200);
        assert_eq!(program.jwks("acme").await.status, 200);

        vault.server.be_away(false);
        until_status(&program, ("globex", "svc", GLOBEX_SECRET), 200).await;
        eventually("readiness says so", async || check_reason(&program).await.is_none()).await;
        program.log_after(mark, "Latchkey can open the keys of tenant globex again");
        program.log_after(mark, "sealed values in the store can be opened again");
        assert_verified(&program, &tokens(&program).await).await;
        program.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_sealing_service_does_not_delay_other_tenants() {
    let folder = empty();
    let (vault, _) = Service::vault(&folder).await;
    folder.replace("config.yaml", &sealed_by(&vault));
    let program = vault.serve(&folder);
    token(&program, TENANTS[0]).await;
    let late = Reply::raw("").after(Duration::from_secs(30));
    vault.server.instead(vec![late; 100]);
    let waiting = async { (program.request_token("globex", "svc", GLOBEX_SECRET).await, Instant::now()) };
    let others = async {
        for _ in 0..20 {
            program.token("acme", "svc", ACME_SECRET).await;
        }
        Instant::now()
    };
    let ((waited, given_up), served) = tokio::join!(waiting, others);
    assert!(served < given_up, "others did not wait");
    assert_unavailable(&waited);
    program.stop();
}

// [V13 13.2.1]: 2 | Connections to services are authenticated, with credentials that change | not met |
//   PostgreSQL by a password or a client certificate (`sslcert`), Redis by a password only; Vault by a token
//   that may be renewed in its file, KMS by a role. Missing: client certificates for Redis
/// An agent renews its token in this way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewed_vault_token_is_used_without_restart() {
    let folder = empty();
    let (vault, keys) = Service::vault(&folder).await;
    folder.replace("config.yaml", &sealed_by(&vault));
    let program = vault.serve(&folder);
    token(&program, TENANTS[0]).await;
    let next = "hvs.next-canary-5a1c";
    keys.take_only(next);
    assert_unavailable(&program.request_token("globex", "svc", GLOBEX_SECRET).await);
    let reported = program.log_after(Mark::START, "cannot use a key of tenant globex");
    assert_has(&reported, &["permission denied", TOKEN_FILE, "still contains the refused token"]);
    program.token("acme", "svc", ACME_SECRET).await;
    folder.write_secret(TOKEN_FILE, next);
    until_status(&program, ("globex", "svc", GLOBEX_SECRET), 200).await;
    eventually("readiness says so", async || check_reason(&program).await.is_none()).await;
    program.stop();
}
