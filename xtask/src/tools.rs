//! External programs that tests and measurements need, and how to install a missing one.

use std::fs;
use std::path::Path;

use crate::workspace::{Doing, Failure, Workspace, is_content, run};

/// An external program.
pub(crate) struct Tool {
    /// A command that succeeds where the tool is installed.
    probe: &'static str,
    /// The Debian packages that contain it.
    packages: &'static [&'static str],
}

const fn tool(probe: &'static str, packages: &'static [&'static str]) -> Tool {
    Tool { probe, packages }
}

// Tools of several lists.
const CURL: Tool = tool("command -v curl", &["curl"]);
const JQ: Tool = tool("command -v jq", &["jq"]);
const PYTHON: Tool = tool("python3 -c 'import venv, ensurepip'", &["python3-venv"]);
const NODE: Tool = tool("command -v node && command -v npm", &["nodejs", "npm"]);
const GO: Tool = tool("command -v go", &["golang-go"]);
const GO_OIDC: Tool =
    tool("test -d /usr/share/gocode/src/github.com/coreos/go-oidc", &["golang-github-coreos-go-oidc-dev"]);
const JAVA: Tool = tool("command -v javac", &["default-jdk-headless"]);
const PHP: Tool = tool("command -v php", &["php-cli"]);
const RUBY: Tool = tool("command -v ruby", &["ruby"]);
const SHELLS: Tool = tool("command -v zsh && command -v fish", &["zsh", "fish"]);
const POSTGRES: Tool = tool("command -v initdb || ls /usr/lib/postgresql/*/bin/initdb", &["postgresql"]);
const REDIS: Tool = tool("command -v redis-server", &["redis-server"]);
const HAPROXY: Tool = tool("command -v haproxy || test -x /usr/sbin/haproxy", &["haproxy"]);
const SETPRIV: Tool = tool("command -v unshare && command -v setpriv", &["util-linux"]);
const PGBOUNCER: Tool = tool("command -v pgbouncer || test -x /usr/sbin/pgbouncer", &["pgbouncer"]);
const IP: Tool = tool("command -v ip", &["iproute2"]);
const NGINX: Tool = tool("command -v nginx || test -x /usr/sbin/nginx", &["nginx"]);
const GIT: Tool = tool("command -v git", &["git"]);
const DPKG: Tool = tool("command -v dpkg-deb", &["dpkg"]);
const ZIP: Tool = tool("command -v zip", &["zip"]);

/// Tools for tests.
pub(crate) const FOR_TESTS: &[Tool] = &[
    CURL,
    JQ,
    PYTHON,
    NODE,
    POSTGRES,
    PGBOUNCER,
    REDIS,
    IP,
    SETPRIV,
    DPKG,
    ZIP,
    GO,
    tool("test -d /usr/share/gocode/src/golang.org/x/oauth2", &["golang-golang-x-oauth2-dev"]),
    GO_OIDC,
    JAVA,
    PHP,
    RUBY,
    SHELLS,
    tool("command -v chromium-headless-shell", &["chromium-headless-shell"]),
    tool("ruby -e 'require %q(jwt)'", &["ruby-jwt"]),
    // The package apache2 is not used, because it would start a server at port 80.
    tool(
        "cd /usr/lib/apache2/modules && test -x /usr/sbin/apache2 && test -f mod_auth_openidc.so && test -f mod_oauth2.so",
        &["apache2-bin", "libapache2-mod-auth-openidc", "libapache2-mod-oauth2"],
    ),
    NGINX,
    HAPROXY,
    tool("command -v caddy", &["caddy"]),
    tool("test -x /usr/lib/rabbitmq/bin/rabbitmq-server", &["rabbitmq-server"]),
];

/// Tools for failovers.
pub(crate) const FOR_FAILOVERS: &[Tool] = &[
    CURL,
    POSTGRES,
    PGBOUNCER,
    REDIS,
    HAPROXY,
    SETPRIV,
    tool("test -x /usr/bin/patroni", &["patroni"]),
    tool("command -v etcd", &["etcd-server"]),
];

/// Packages that would start services, and the services.
const SERVICES: &[(&str, &[&str])] = &[
    ("nginx", &["nginx"]),
    ("haproxy", &["haproxy"]),
    ("caddy", &["caddy"]),
    ("patroni", &["patroni"]),
    ("etcd-server", &["etcd"]),
    ("rabbitmq-server", &["rabbitmq-server", "epmd.service", "epmd.socket"]),
];

/// Tools for packages.
pub(crate) const FOR_PACKAGES: &[Tool] = &[DPKG, GIT, ZIP];

/// Tools for installing packages and for trying what is installed.
pub(crate) const FOR_INSTALLATIONS: &[Tool] = &[DPKG, PYTHON, NODE, CURL];

/// Tools for running the documents: for the commands of their examples, and for the separate network of each
/// page.
pub(crate) const FOR_DOCUMENTS: &[Tool] = &[
    CURL,
    JQ,
    tool("command -v openssl", &["openssl"]),
    PYTHON,
    NODE,
    NGINX,
    POSTGRES,
    REDIS,
    IP,
    tool("command -v unshare", &["util-linux"]),
];

/// Tools for measurements: the load, and the program that pins processes to cores.
pub(crate) const FOR_MEASUREMENTS: &[Tool] =
    &[tool("command -v wrk", &["wrk"]), tool("command -v taskset", &["util-linux"])];

/// Tools for a newcomer's first token in each language.
pub(crate) const FOR_NEWCOMERS: &[Tool] = &[CURL, PYTHON, NODE, GO, GO_OIDC, JAVA, PHP, RUBY];

/// Tools for counting instructions.
pub(crate) const FOR_COUNTS: &[Tool] = &[tool("command -v valgrind", &["valgrind"])];

/// Without this file the package would start a server, which is not needed and might take the port.
const NO_CLUSTER: (&str, &str) =
    ("/etc/postgresql-common/createcluster.d/latchkey.conf", "create_main_cluster = false\n");

/// Installs every tool of the list that is missing.
pub(crate) fn make_ready(workspace: &Workspace, tools: &[Tool]) -> Result<(), Failure> {
    let is_missing = |tool: &&Tool| !is_content(&mut workspace.program("sh", &["-c", tool.probe]));
    let missing: Vec<&str> =
        tools.iter().filter(is_missing).flat_map(|tool| tool.packages).copied().collect();
    if missing.is_empty() { Ok(()) } else { install(workspace, &missing) }
}

fn install(workspace: &Workspace, packages: &[&str]) -> Result<(), Failure> {
    let list = packages.join(" ");
    let may_install =
        is_content(&mut workspace.program("sh", &["-c", "command -v apt-get && test \"$(id -u)\" = 0"]));
    if !may_install {
        return Err(Failure::new(format!(
            "missing: {list}. Only root on a machine with apt-get can have them installed from here; \
             install these packages (`apt-get install {list}`, or what your system calls them) and try again"
        )));
    }
    println!("installing {list}");
    if packages.contains(&"postgresql") {
        let (file, text) = NO_CLUSTER;
        let folder = Path::new(file).parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(file, text))
            .doing(format_args!("write {file}"))?;
    }
    if Path::new("/run/systemd/system").exists() {
        for (_, services) in SERVICES.iter().filter(|(package, _)| packages.contains(package)) {
            run(workspace.program("systemctl", &["mask"]).args(*services))?;
        }
    }
    let apt = |arguments: &[&str]| {
        run(workspace.program("apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let installed = apt(&["update", "--quiet", "--quiet"]).and_then(|()| {
        apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
    });
    installed.map_err(|failure| Failure::new(format!("cannot install {list}: {failure}")))
}
