//! Tests the passwords of PostgreSQL and Redis and the sealing key in a secret store.

use testkit::RedisServer;

use crate::folder::Folder;
use crate::host::assert_has;
use crate::postgres_server::PostgresServer;
use crate::program::{Mark, Program};
use crate::redis_server::Inspected as _;
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};
use crate::stores_of_secrets::{NAME, Store};
use crate::test_servers::{LONGEST, eventually};

const PASSWORDS: [&str; 2] = ["first/canary@8f0d", "second/canary@51c7"];

fn settings(store: &Store, postgres: &PostgresServer, redis: &RedisServer) -> String {
    let at = |path| format!("{{ store: {NAME}, path: latchkey/{path}, key: client_secret }}");
    let place = postgres.server().0.port().unwrap();
    let storage = format!(
        "storage: {{ url: 'postgres://latchkey_own@127.0.0.1:{place}/rows', password: {} }}",
        at("postgres")
    );
    let cache = format!(
        "cache: {{ redis_url: 'redis://latchkey@{}', redis_password: {} }}",
        redis.host(),
        at("redis")
    );
    let keys = format!("keys: {{ sealing_key: {} }}", at("sealing"));
    let declared: Vec<_> = TWO_TENANTS
        .lines()
        .filter(|line| !line.starts_with("storage:") && !line.starts_with("keys:"))
        .collect();
    format!(
        "secret_stores:\n  {NAME}: {{ refresh: 1s, {} }}\n{storage}\n{cache}\n{keys}\n{}\n",
        store.setting,
        declared.join("\n")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_server_secrets_are_used_or_reported() {
    let folder = Folder::with("");
    let store = Store::vault(&folder).await;
    let (postgres, redis) = (PostgresServer::started(), RedisServer::started());
    let set = |verb: &str, password: &str| {
        postgres
            .server()
            .query("postgres", &format!("{verb} ROLE latchkey_own LOGIN CREATEROLE PASSWORD '{password}'"));
        let password = format!(">{password}");
        let words = ["ACL", "SETUSER", "latchkey", "on", "resetpass", &password, "~*", "&*", "+@all"];
        redis.command(&words.map(str::as_bytes));
    };
    let put = async |password: &str| {
        for path in ["latchkey/postgres", "latchkey/redis"] {
            store.put(&folder, path, password).await;
        }
    };
    set("CREATE", PASSWORDS[0]);
    postgres.server().query("postgres", "CREATE DATABASE rows OWNER latchkey_own");
    put(PASSWORDS[0]).await;
    let sealing_keys =
        [(); 2].map(|()| keys::SealingKey::generate().unwrap().to_base64().expose().to_owned());
    store.put(&folder, "latchkey/sealing", &sealing_keys[0]).await;
    folder.write("config.yaml", &settings(&store, &postgres, &redis));
    let program = store.serve(&folder);
    program.log_after(Mark::START, "Redis answers");
    let is_served = async |program: &Program| {
        until_status(program, ("acme", "svc", ACME_SECRET), 200).await;
        until_status(program, ("globex", "svc", GLOBEX_SECRET), 200).await;
    };
    is_served(&program).await;

    // The passwords change first in both servers, then in the store. Then every connection is closed.
    let mark = program.mark();
    set("ALTER", PASSWORDS[1]);
    put(PASSWORDS[1]).await;
    program.log_after(mark, "has a new password for storage");
    program.log_after(mark, "has a new password for cache");
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'latchkey_own'";
    postgres.server().query("postgres", cut);
    redis.command(&["CLIENT", "KILL", "USER", "latchkey"].map(str::as_bytes));
    eventually("all is well with the new passwords", LONGEST, async || {
        let answer = program.get("/health/ready").await;
        let checks = &answer.json()["checks"];
        answer.status == 200 && checks["store"]["status"] == "ok" && checks["redis"]["status"] == "ok"
    })
    .await;
    is_served(&program).await;
    let reads_changes = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'latchkey_own' AND query LIKE '%SELECT%FROM change_log%'";
    eventually("the log of changes is read on a new connection", LONGEST, async || {
        postgres.server().query("postgres", reads_changes) != "0"
    })
    .await;
    store.run(&folder, &["secret", "list", "acme", "svc"]).output();

    let mark = program.mark();
    store.put(&folder, "latchkey/sealing", &sealing_keys[1]).await;
    program.log_after(mark, "until `latchkey key reseal` has resealed all rows with it");
    is_served(&program).await;
    program.kill();
    store.run(&folder, &["serve"]).assert_ends(1, &["keys.sealing_key"]);
    store.put(&folder, "latchkey/former", &sealing_keys[0]).await;
    let sealing =
        format!("keys: {{ sealing_key: {{ store: {NAME}, path: latchkey/sealing, key: client_secret }} }}");
    let former =
        format!("former_sealing_keys: [{{ store: {NAME}, path: latchkey/former, key: client_secret }}]");
    let both = sealing.replace("keys: { ", &format!("keys: {{ {former}, "));
    let resealing = edited(&settings(&store, &postgres, &redis), &sealing, &both);
    folder.replace("config.yaml", &resealing);
    store.run(&folder, &["key", "reseal"]).output();
    folder.replace("config.yaml", &settings(&store, &postgres, &redis));
    let program = store.serve(&folder);
    is_served(&program).await;
    program.kill();

    store.be_away(true);
    let refused = store.run(&folder, &["serve"]);
    let parts =
        ["storage.password: the secret store kept", "keys.sealing_key: the secret store kept", "no response"];
    assert_has(&refused.err, &parts);
}
