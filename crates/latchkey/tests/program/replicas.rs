//! Several programs on one folder act as one server, whichever of them does something first.

use std::thread;

use crate::folder::Folder;
use crate::program::Program;
use crate::settings::TWO_TENANTS;

#[test]
fn programs_that_start_at_once_in_a_new_folder_all_serve() {
    let folder = Folder::with(TWO_TENANTS);
    thread::scope(|scope| {
        let starts = [(); 3].map(|()| scope.spawn(|| Program::start(&folder)));
        for start in starts {
            start.join().unwrap().stop();
        }
    });
}
