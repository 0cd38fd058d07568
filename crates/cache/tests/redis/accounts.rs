//! Tests which permissions an account of Redis needs, and what is reported if one is missing.

use std::sync::Arc;
use std::time::Duration;

use cache::{RedisFault, RedisOptions, ping};
use testkit::RedisServer;

use crate::server;
use crate::test_env::{TestEnv, Traits, eventually};

/// The permissions in docs/configuration.md, for the names of a test.
const SUFFICIENT: &str = "resetkeys ~{}:* resetchannels &{}:changes -@all +evalsha +script|load +get +set +del +pttl +publish \
                          +subscribe +ping +select";

fn with_rights(redis: &RedisServer, rights: &str) -> TestEnv {
    let host = redis.url().split_once("://").unwrap().1.to_owned();
    let test_env = TestEnv::at(&format!("redis://account:secret@{host}"));
    let rights = rights.replace("{}", &test_env.prefix);
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("account").arg("reset").arg("on").arg(">secret");
    for right in rights.split_whitespace() {
        command.arg(right);
    }
    command.query::<()>(&mut server::connection(&redis.url())).unwrap();
    test_env
}

async fn pinged(redis: &RedisServer, test_env: &TestEnv) -> Result<(), RedisFault> {
    let host = redis.url().split_once("://").unwrap().1.to_owned();
    let url = format!("redis://account:secret@{host}");
    let mut options = RedisOptions::new(&url, Arc::new(|| Duration::ZERO)).unwrap();
    options.prefix.clone_from(&test_env.prefix);
    ping(options).await
}

// An account without scripts (`user reader on >secret ~* &* +@all -@scripting`) used to be reported as
// working.
#[tokio::test]
async fn missing_permission_of_the_account_is_named() {
    let redis = RedisServer::started();
    for (rights, refused) in [
        ("~* &* +@all -@scripting", "scripts that write"),
        ("~* &* +@all -set", "scripts that write"),
        ("%R~* &* +@all", "scripts that write"),
        ("~* resetchannels +@all", "scripts that publish"),
        ("~* &* +@all -publish", "scripts that publish"),
        ("~* &* +@all -subscribe", "the subscription"),
    ] {
        let test_env = with_rights(&redis, rights);
        let fault = pinged(&redis, &test_env).await.unwrap_err().to_string();
        assert!(fault.starts_with(&format!("it refuses {refused}: ")), "{rights}: {fault}");
    }
    let test_env = with_rights(&redis, SUFFICIENT);
    pinged(&redis, &test_env).await.unwrap();
}

// With an account that may not subscribe (`user silent on >secret ~* resetchannels +@all`), readiness used to
// report no problem.
#[tokio::test]
async fn refused_subscription_is_reported_until_accepted() {
    let redis = RedisServer::started();
    let test_env = with_rights(&redis, "~* &* +@all -subscribe");
    let replica = test_env.replica_now(Traits::default());
    eventually("Redis is up", || replica.redis.is_up()).await;
    eventually("the subscription is refused", || replica.redis.is_deaf()).await;
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("account").arg("+subscribe");
    command.query::<()>(&mut server::connection(&redis.url())).unwrap();
    eventually("the subscription is accepted", || !replica.redis.is_deaf()).await;
    assert_eq!(replica.redis.counts().rejected_messages.get(), 0);
}
