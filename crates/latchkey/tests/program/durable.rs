//! Tests that acknowledged changes survive `kill -9` with SQLite.

use crate::cli::administrator;
use crate::creations::assert_survive_kill_9;
use crate::program::Program;
use crate::settings::TWO_TENANTS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_creates_survive_kill_9() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let admin = administrator(&folder, &program).await;
    program.kill();
    assert_survive_kill_9(&folder, &admin).await;
}
