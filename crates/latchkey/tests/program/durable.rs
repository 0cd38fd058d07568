//! Acknowledged changes survive `kill -9`, on SQLite.

use crate::administrator::Administrator;
use crate::creations::assert_survive_kill_9;
use crate::program::Program;
use crate::settings::TWO_TENANTS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creates_that_were_acknowledged_survive_kill_9() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let mut init = folder.program(&["admin", "init", "--json"]);
    let admin = Administrator::init(&program, &mut init, &folder.canaries).await;
    program.kill();
    assert_survive_kill_9(|| (Program::start(&folder), ()), &admin, &folder.canaries).await;
}
