//! Tests that several programs on one folder act as one server, whichever of them acts first.

use std::thread;

use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, TWO_TENANTS, edited};

const NEW_SECRET: &str = "acme-new-canary-31c5";

#[test]
fn concurrent_first_starts_all_serve() {
    let folder = Folder::with(TWO_TENANTS);
    thread::scope(|scope| {
        let starts = [(); 3].map(|()| scope.spawn(|| Program::start(&folder)));
        for start in starts {
            start.join().unwrap().stop();
        }
    });
}

#[tokio::test]
async fn two_programs_apply_a_change_once() {
    let folder = Folder::with(TWO_TENANTS);
    let programs = [Program::start(&folder), Program::start(&folder)];
    let marks = [programs[0].mark(), programs[1].mark()];
    folder.replace("config.yaml", &edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
    for (program, mark) in programs.iter().zip(marks) {
        until_status(program, ("acme", "svc", NEW_SECRET), 200).await;
        program.log_after(mark, "settings ");
    }
    folder.replace("config.yaml", TWO_TENANTS);
    for program in &programs {
        until_status(program, ("acme", "svc", ACME_SECRET), 200).await;
    }
    let applied = programs.iter().flat_map(Program::log).filter(|line| line["message"] == "settings applied");
    assert_eq!(applied.count(), 3, "the first, the change and the change back");
}
