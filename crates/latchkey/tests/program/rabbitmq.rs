//! RabbitMQ, which trusts one tenant and takes its tokens as passwords. It uses the file of
//! `docs/examples/rabbitmq`.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::free_port;

use crate::changing_keys::Tenant;
use crate::foreign::{Killed, example, pointed};
use crate::host::LONGEST;
use crate::other_verifiers::{EXAMPLES_JWKS, Verifier};

/// The path of Debian's package. Its command in /usr/sbin changes to the user of the package.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const TIMEOUT: Duration = Duration::from_secs(20);

/// Classes and methods of AMQP 0-9-1.
const START_OK: [u8; 4] = [0, 10, 0, 11];
const TUNE: [u8; 4] = [0, 10, 0, 30];
const TUNE_OK: [u8; 4] = [0, 10, 0, 31];
const OPEN: [u8; 4] = [0, 10, 0, 40];
const OPEN_OK: [u8; 4] = [0, 10, 0, 41];
const CLOSE: [u8; 4] = [0, 10, 0, 50];

/// A running broker, with its own `epmd`, which knows the names of nodes.
pub(crate) struct RabbitMq {
    address: String,
    broker: Killed,
    _epmd: Killed,
    _folder: TempDir,
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        // The broker is a child of its script. It comes before `epmd`, which it would start again.
        let group = format!("-{}", self.broker.0.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
    }
}

impl RabbitMq {
    /// Starts a broker for this tenant, and waits until it listens. `authority` is the file with the
    /// certificate for the key set.
    #[track_caller]
    pub(crate) fn start(tenant: &Tenant, authority: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (port, epmd_port) = (free_port(), free_port().to_string());
        let address = format!("127.0.0.1:{port}");
        let settings = pointed(
            &example("rabbitmq/rabbitmq.conf"),
            &[
                (EXAMPLES_JWKS, &tenant.jwks),
                ("/etc/ssl/certs/ca-certificates.crt", &authority.display().to_string()),
            ],
        );
        let listeners = format!("listeners.tcp.1 = {address}\ndistribution.listener.interface = 127.0.0.1\n");
        std::fs::write(at("rabbitmq.conf"), settings + &listeners).unwrap();
        std::fs::write(at("plugins"), "[rabbitmq_auth_backend_oauth2].").unwrap();
        let quiet = |command: &mut Command| {
            command.process_group(0).current_dir(folder.path());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            Killed(command.spawn().unwrap_or_else(|error| {
                panic!("{command:?}: {error}: run `cargo xtask test`, which installs what this needs")
            }))
        };
        let epmd = quiet(Command::new("epmd").args(["-port", &epmd_port, "-address", "127.0.0.1"]));
        let mut broker = Command::new(PROGRAM);
        broker.env("HOME", folder.path()).env("ERL_EPMD_PORT", &epmd_port);
        broker.env("RABBITMQ_NODENAME", "latchkey@localhost");
        broker.env("RABBITMQ_DIST_PORT", free_port().to_string());
        for (variable, name) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_CONF_ENV_FILE", "none"),
        ] {
            broker.env(variable, at(name));
        }
        let broker = quiet(&mut broker);
        let mut started = Self { address, broker, _epmd: epmd, _folder: folder };
        let until = Instant::now() + LONGEST;
        while TcpStream::connect(&started.address).is_err() {
            let ended = started.broker.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "RabbitMQ does not listen: {ended:?}");
            thread::sleep(Duration::from_millis(50));
        }
        started
    }
}

impl Verifier for RabbitMq {
    /// Whether a connection with this password may use the virtual host `/`.
    fn accepts(&mut self, _: &Tenant, token: &str) -> bool {
        let mut connection = Connection(TcpStream::connect(&self.address).unwrap());
        connection.0.set_read_timeout(Some(TIMEOUT)).unwrap();
        connection.0.write_all(b"AMQP\0\0\x09\x01").unwrap();
        connection.read();
        // With this capability the broker says immediately that it refuses the password.
        let table = b"\x0ccapabilitiesF\0\0\0\x1f\x1cauthentication_failure_closet\x01";
        let password = format!("\0user\0{token}");
        connection.write(&[&START_OK, &long(table), b"\x05PLAIN", &long(password.as_bytes()), b"\x05en_US"]);
        let tune = match connection.read() {
            tune if tune.starts_with(&TUNE) => tune,
            close if close.starts_with(&CLOSE) => return false,
            other => panic!("{other:?}"),
        };
        connection.write(&[&TUNE_OK, &tune[4..12]]);
        connection.write(&[&OPEN, b"\x01/\0\0"]);
        match connection.read() {
            open if open.starts_with(&OPEN_OK) => true,
            close if close.starts_with(&CLOSE) => false,
            other => panic!("{other:?}"),
        }
    }

    fn trusts(&self, tenant: &Tenant) -> bool {
        tenant.id == "acme"
    }
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

struct Connection(TcpStream);

impl Connection {
    /// The method of the next frame with its arguments.
    fn read(&mut self) -> Vec<u8> {
        let mut take = |length: usize| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; length];
            self.0.read_exact(&mut bytes).map(|()| bytes)
        };
        let head = take(7).unwrap();
        let length = u32::from_be_bytes(head[3..7].try_into().unwrap());
        let mut frame = take(usize::try_from(length).unwrap() + 1).unwrap();
        frame.pop();
        frame
    }

    fn write(&mut self, parts: &[&[u8]]) {
        let frame = [b"\x01\0\0", &long(&parts.concat())[..], b"\xce"].concat();
        self.0.write_all(&frame).unwrap();
    }
}
