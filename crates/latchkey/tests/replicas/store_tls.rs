//! Tests PostgreSQL and Redis over TLS, with certificates of a private authority. A program that does not
//! trust the authority cannot start because of PostgreSQL, but works without Redis.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use testkit::{RedisServer, free_port};

use crate::folder::Folder;
use crate::host::run;
use crate::numbers::Numbers;
use crate::postgres_server::PostgresServer;
use crate::program::Program;
use crate::redis_server::Inspected;
use crate::test_env::{Replica, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

/// A certificate for 127.0.0.1, its private key, its authority, and another authority.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        let [ours, _] = ["ca.pem", "foreign.pem"].map(|name| {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, name);
            let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            fs::write(files.path(name), authority.pem()).unwrap();
            authority
        });
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        fs::write(files.path("cert.pem"), server.signed_by(&key, &ours).unwrap().pem()).unwrap();
        fs::write(files.path("key.pem"), key.serialize_pem()).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn root(&self, name: &str) -> String {
        format!("&sslrootcert={}", self.path(name).display())
    }
}

#[tokio::test]
async fn postgresql_over_tls_requires_a_trusted_certificate() {
    let files = Files::new();
    let postgres = PostgresServer::started();
    let test_env = TestEnv::on(&postgres.server(), None);
    let folder = Folder::with(&settings(1));
    let command = |arguments: &[&str], host: &str, options: &str| {
        let url = format!("{}?{options}", test_env.database.url().replace("127.0.0.1", host));
        let mut command = test_env.command(&folder, arguments);
        command.env("LATCHKEY__STORAGE__URL", url);
        command
    };
    let (ours, foreign) = (files.root("ca.pem"), files.root("foreign.pem"));
    let refused = |host: &str, options: &str, says: &str| {
        for arguments in [&["migrate"][..], &["serve"]] {
            let refused = run(&mut command(arguments, host, options));
            let said = format!("{}{}", refused.out, refused.err);
            assert!(refused.code == Some(1) && said.contains(says), "{host} {options}: {said}");
            assert!(said.contains("correct sslmode and sslrootcert in storage.url"), "{said}");
        }
    };
    // A server without TLS, or an attacker who pretends that the server has no TLS.
    for mode in ["require", "verify-ca", "verify-full"] {
        refused("127.0.0.1", &format!("sslmode={mode}{ours}"), "server does not support TLS");
    }
    postgres.speak_tls(&files.path("cert.pem"), &files.path("key.pem"));
    for (host, options, says) in [
        ("127.0.0.1", "sslmode=verify-full".to_owned(), "UnknownIssuer"),
        ("127.0.0.1", format!("sslmode=verify-full{foreign}"), "UnknownIssuer"),
        ("127.0.0.1", format!("sslmode=verify-ca{foreign}"), "UnknownIssuer"),
        ("127.0.0.1", format!("sslmode=require{foreign}"), "UnknownIssuer"),
        // The certificate is for another name.
        ("localhost", format!("sslmode=verify-full{ours}"), "not valid for name"),
    ] {
        refused(host, &options, says);
    }
    for (host, options) in [
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("127.0.0.1", format!("sslmode=verify-full{ours}")),
        ("localhost", format!("sslmode=verify-ca{ours}")),
    ] {
        let program = Program::spawn(&folder, &mut command(&["serve"], host, &options));
        program.token("acme", "svc-0", test_env.secret_of("acme")).await;
        let encrypted = test_env.database.query(
            "SELECT count(*) > 1 AND bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
              WHERE application_name = 'latchkey'",
        );
        assert_eq!(encrypted, "t", "{host} {options}");
        program.stop();
    }
}

/// A Redis that also accepts TLS at this port.
fn redis_with_tls(files: &Files, port: &str, more: &[&str]) -> RedisServer {
    let [certificate, key, authority] =
        ["cert.pem", "key.pem", "ca.pem"].map(|name| files.path(name).display().to_string());
    let tls = ["--tls-port", port, "--tls-auth-clients", "no", "--tls-cert-file", &certificate];
    let keys = ["--tls-key-file", &key, "--tls-ca-cert-file", &authority];
    RedisServer::with_arguments(&[&tls[..], &keys, more].concat())
}

#[tokio::test]
async fn redis_over_tls_requires_a_trusted_certificate() {
    let files = Files::new();
    let port = free_port().to_string();
    let redis = redis_with_tls(&files, &port, &[]);
    let test_env = TestEnv::new(Some(format!("rediss://127.0.0.1:{port}")));
    let start = |authorities: &str| {
        let folder = Folder::with(&settings(2));
        let mut command = test_env.command(&folder, &["serve"]);
        command.env("SSL_CERT_FILE", files.path(authorities));
        Replica { program: Program::spawn(&folder, &mut command), folder }
    };
    let state = async |replica: &Replica| {
        let ready = replica.program.get("/health/ready").await;
        assert_eq!(ready.status, 200, "{ready:?}");
        ready.json()["checks"]["redis"]["status"].as_str().unwrap().to_owned()
    };

    let trusting = start("ca.pem");
    eventually("Redis answers", LONGEST, async || state(&trusting).await == "ok").await;
    // On a busy machine a write may time out. A row is written again when it is read again.
    eventually("rows are in Redis", LONGEST, async || {
        trusting.program.token("acme", "svc-0", test_env.secret_of("acme")).await;
        !redis.names().is_empty()
    })
    .await;

    let distrusting = start("foreign.pem");
    for client in ["svc-0", "svc-1"] {
        distrusting.program.token("acme", client, test_env.secret_of("acme")).await;
    }
    assert_eq!(state(&distrusting).await, "degraded");
    let numbers = Numbers::from_replica(&distrusting).await;
    assert!(!numbers.redis_is_up && numbers.hits == 0, "{numbers:?}");
}

// With a password, which is also sent to the masters that sentinels find.
#[tokio::test]
async fn clusters_and_sentinels_work_over_tls() {
    let files = Files::new();
    let [server, cluster, sentinel, bus] = [(); 4].map(|()| free_port().to_string());
    let password = ["--requirepass", "secret-canary"];
    let master = redis_with_tls(&files, &server, &password);
    let of_cluster = ["--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", &bus];
    let announced = ["--cluster-announce-ip", "127.0.0.1"];
    let node = redis_with_tls(&files, &cluster, &[&of_cluster[..], &announced, &password].concat());
    let client = redis::Client::open(format!("redis://:secret-canary@{}", node.host())).unwrap();
    let told = |words: &[&str]| {
        let mut command = redis::cmd("CLUSTER");
        command.arg(words).query::<String>(&mut client.get_connection().unwrap()).unwrap()
    };
    told(&["ADDSLOTSRANGE", "0", "16383"]);
    let _sentinel = master.sentinel(&format!(
        "sentinel monitor tls 127.0.0.1 {server} 1\nsentinel auth-pass tls secret-canary\n\
         tls-port {sentinel}\ntls-replication yes\ntls-auth-clients no\n\
         tls-cert-file {0}/cert.pem\ntls-key-file {0}/key.pem\ntls-ca-cert-file {0}/ca.pem",
        files.0.path().display()
    ));
    eventually("the cluster works", LONGEST, async || told(&["INFO"]).contains("cluster_state:ok")).await;

    for url in [
        format!("rediss://:secret-canary@127.0.0.1:{server}"),
        format!("rediss+cluster://:secret-canary@127.0.0.1:{cluster}"),
        format!("rediss+sentinel://:secret-canary@127.0.0.1:{sentinel}/tls"),
    ] {
        let test_env = TestEnv::new(Some(url.clone()));
        let folder = Folder::with(&settings(1));
        let doctor = |authority: &str| {
            let mut command = test_env.command(&folder, &["doctor", "--json"]);
            let ran = run(command.env("SSL_CERT_FILE", files.path(authority)));
            assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{url}: {ran:?}");
            let checks = ran.document()["checks"].as_array().unwrap().clone();
            let line = checks.iter().find(|line| line["check"] == "redis").unwrap();
            format!("{} {}", line["status"].as_str().unwrap(), line["found"].as_str().unwrap())
        };
        assert_eq!(doctor("ca.pem"), "ok responds; scripts and subscriptions work", "{url}");
        let refused = doctor("foreign.pem");
        assert!(refused.starts_with("warning ") && refused.contains("UnknownIssuer"), "{url}: {refused}");
    }
}
