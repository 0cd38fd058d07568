//! Tests that the configurations in `deploy/` start in their own environment: folders, users, credentials and
//! commands of the image and of the systemd unit, in separate mount and network namespaces.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::host::run;
use crate::program::{Mark, Program};
use crate::settings::{TWO_TENANTS, edited};

const NAMESPACES: [&str; 6] = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/// The options of [`NAMESPACES`] for a user other than root. All files then have one owner.
const AS_USER: [&str; 3] = ["--user", "--map-current-user", "--keep-caps"];

#[track_caller]
fn passes(script: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut works = Command::new("unshare");
    let as_user = run(works.args(NAMESPACES).arg("true")).code != Some(0);
    let mut command = Command::new("unshare");
    if as_user {
        command.args(AS_USER);
    }
    command.args(NAMESPACES).arg("bash").arg(root.join("tests/program/scripts").join(script));
    let ran =
        run(command.arg(env!("CARGO_BIN_EXE_latchkey")).arg(root.join("../..").canonicalize().unwrap()));
    assert!(ran.code == Some(0) && ran.out.ends_with("passed\n"), "{}\n{}", ran.out, ran.err);
}

#[test]
fn image_settings_start_as_the_image_user() {
    passes("as_image.sh");
}

#[test]
fn unit_settings_start_and_files_have_one_owner() {
    passes("as_unit.sh");
}

/// Tests a path, and an abstract name without a file, which systemd also uses.
#[test]
fn service_manager_is_notified_of_start_and_stop() {
    for is_abstract in [false, true] {
        let folder = Folder::with(TWO_TENANTS);
        let name = folder.path("notify.socket").display().to_string();
        let (socket, variable) = if is_abstract {
            let name = format!("latchkey-test-{}", std::process::id());
            (abstract_socket(&name), format!("@{name}"))
        } else {
            (UnixDatagram::bind(&name).unwrap(), name)
        };
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let message = || {
            let mut bytes = [0; 64];
            let length = socket.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..length].to_vec()).unwrap()
        };
        let program = Program::spawn(&folder, folder.program(&["serve"]).env("NOTIFY_SOCKET", &variable));
        assert_eq!(message(), "READY=1");
        program.signal("TERM");
        assert_eq!(message(), "STOPPING=1");
        program.stop_after_signal();
    }
}

fn abstract_socket(name: &str) -> UnixDatagram {
    use std::os::linux::net::SocketAddrExt as _;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    UnixDatagram::bind_addr(&address).unwrap()
}

/// A start does not depend on the service manager.
#[test]
fn missing_notify_socket_is_logged() {
    let folder = Folder::with(TWO_TENANTS);
    let program =
        Program::spawn(&folder, folder.program(&["serve"]).env("NOTIFY_SOCKET", folder.path("none")));
    program.log_after(Mark::START, "cannot notify the service manager");
    program.stop();
}

#[test]
fn health_command_probes_an_https_listener() {
    let settings = edited(
        TWO_TENANTS,
        "[{ address: 127.0.0.1:0 }]",
        "[{ address: 127.0.0.1:0, tls: { certificate: cert.pem, private_key: key.pem } }, \
         { address: 127.0.0.1:0, tls: { certificate: cert.pem, private_key: key.pem, client_ca: cert.pem } }]",
    );
    let folder = Folder::with(&settings);
    folder.run(&["dev-cert", "--certificate", "cert.pem", "--key", "key.pem"]).output();
    let program = Program::start(&folder);
    let [address, with_client_ca] = [0, 1].map(|place| program.addresses()[place].to_string());
    let healthy = folder.run(&["health", "--address", &address]);
    assert_eq!(healthy.code, Some(0), "{healthy:?}");
    assert!(healthy.out.starts_with("{\"status\":\"ready\""), "{healthy:?}");
    let refused = folder.run(&["health", "--address", &with_client_ca]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.err.contains("without a client certificate. Choose another listener"), "{refused:?}");
    program.stop();
}
