//! Acknowledged changes survive `kill -9`, on PostgreSQL.

use crate::administrator::Administrator;
use crate::creations::assert_survive_kill_9;
use crate::test_env::{Replica, TestEnv, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creates_that_were_acknowledged_survive_kill_9() {
    let test_env = TestEnv::new(None);
    let settings = settings(1);
    let Replica { program, folder } = test_env.start(&settings);
    let mut init = test_env.command(&folder, &["admin", "init", "--json"]);
    let admin = Administrator::init(&program, &mut init, &folder.canaries).await;
    program.kill();
    let start = || {
        let Replica { program, folder } = test_env.start(&settings);
        (program, folder)
    };
    assert_survive_kill_9(start, &admin, &folder.canaries).await;
}
