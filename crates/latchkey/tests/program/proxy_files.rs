//! The proxies of `deploy/proxies`, each run with its file, in which only addresses and paths are replaced.

use std::path::Path;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair};
use testkit::free_port;

use crate::answer::Answer;
use crate::apache::{PROGRAM, common};
use crate::certificates::{authority, path, subject, write};
use crate::folder::Folder;
use crate::foreign::pointed;
use crate::host::run;
use crate::proxy_process::ProxyProcess;
use crate::upstream::{Target, Upstream, answer};

pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    text: &'static str,
    /// The ports in the file and what the test has in their place.
    ports: fn([u16; 2]) -> Vec<(&'static str, String)>,
    /// The settings around the file, which Debian's packages have outside of it.
    settings: fn(&str, [u16; 2], &str) -> String,
    command: fn(&Path) -> Command,
    pub(crate) certificate_format: &'static str,
    is_forward_authentication: bool,
    /// The status for a line of 40 KiB.
    pub(crate) too_large: u16,
}

pub(crate) const NGINX: Proxy = Proxy {
    name: "nginx",
    text: include_str!("../../../../deploy/proxies/nginx.conf"),
    ports: |[public, mtls]| {
        vec![
            ("listen 443 ", format!("listen 127.0.0.1:{public} ")),
            ("listen 8443 ", format!("listen 127.0.0.1:{mtls} ")),
        ]
    },
    settings: |folder, _, file| {
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places = places.map(|name| format!("{name}_temp_path {folder}/{name};\n")).concat();
        format!(
            "daemon off;\npid {folder}/pid;\nerror_log stderr;\nuser root;\nevents {{}}\n\
             http {{\naccess_log off;\n{places}{file}\n}}\n"
        )
    },
    command: |settings| {
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx.arg("-e").arg("stderr").arg("-c").arg(settings);
        nginx
    },
    certificate_format: "url_encoded_pem",
    is_forward_authentication: true,
    too_large: 400,
};

pub(crate) const APACHE: Proxy = Proxy {
    name: "apache",
    text: include_str!("../../../../deploy/proxies/apache.conf"),
    ports: |[public, mtls]| {
        vec![
            ("Listen 443", format!("Listen 127.0.0.1:{public}")),
            ("Listen 8443", format!("Listen 127.0.0.1:{mtls}")),
            ("*:443", format!("*:{public}")),
            ("*:8443", format!("*:{mtls}")),
        ]
    },
    settings: |folder, _, file| {
        let modules = ["ssl", "headers", "proxy", "proxy_http", "http2"];
        common(Path::new(folder), &modules) + file
    },
    command: |settings| {
        let mut apache = Command::new(PROGRAM);
        apache.arg("-DFOREGROUND").arg("-f").arg(settings);
        apache
    },
    certificate_format: "url_encoded_pem",
    is_forward_authentication: false,
    too_large: 400,
};

pub(crate) const HAPROXY: Proxy = Proxy {
    name: "haproxy",
    text: include_str!("../../../../deploy/proxies/haproxy.cfg"),
    ports: |[public, mtls]| {
        vec![
            ("bind :443 ", format!("bind 127.0.0.1:{public} ")),
            ("bind :8443 ", format!("bind 127.0.0.1:{mtls} ")),
        ]
    },
    settings: |_, _, file| file.to_owned(),
    command: |settings| {
        let mut haproxy = Command::new("/usr/sbin/haproxy");
        haproxy.arg("-db").arg("-f").arg(settings);
        haproxy
    },
    certificate_format: "base64_der",
    is_forward_authentication: false,
    too_large: 400,
};

pub(crate) const CADDY: Proxy = Proxy {
    name: "caddy",
    text: include_str!("../../../../deploy/proxies/Caddyfile"),
    ports: |[_, mtls]| vec![(".com:8443 {", format!(".com:{mtls} {{"))],
    settings: |folder, [public, _], file| {
        let more = format!(
            "{{\nadmin off\nhttps_port {public}\ndefault_bind 127.0.0.1\nauto_https disable_redirects\n\
             storage file_system {folder}\n"
        );
        // The file begins with the options of the whole server.
        file.replacen("{\n", &more, 1)
    },
    command: |settings| {
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(settings);
        // Caddy saves its settings below the home.
        caddy.env("HOME", settings.parent().unwrap()).env_remove("XDG_CONFIG_HOME");
        caddy
    },
    certificate_format: "base64_der",
    is_forward_authentication: true,
    too_large: 431,
};

/// A proxy that runs, in front of a server and an API.
pub(crate) struct Front {
    pub(crate) proxy: &'static Proxy,
    pub(crate) folder: Folder,
    pub(crate) latchkey: Upstream,
    pub(crate) api: Upstream,
    pub(crate) ports: [u16; 2],
    _process: ProxyProcess,
}

impl Front {
    /// The folder has the authority `ca.pem` of all certificates, and for each tenant a client certificate.
    pub(crate) fn start(proxy: &'static Proxy) -> Self {
        let folder = Folder::with("");
        write_certificates(&folder);
        let [latchkey, api] = [503, 200].map(|_| Upstream::new(Target::Answer(|_| answer(200, ""))));
        let ports = [free_port(), free_port()];
        let place = path(&folder, "");
        let place = place.trim_end_matches('/');
        // The ports come last: with one of 30000 to 30009, 127.0.0.1:3000 would be found in its address.
        let mut replaced =
            vec![("/etc/ssl/latchkey", place.to_owned()), ("127.0.0.1:3000", latchkey.address())];
        if proxy.is_forward_authentication {
            replaced.push(("127.0.0.1:8000", api.address()));
        }
        replaced.extend((proxy.ports)(ports));
        let replaced: Vec<_> = replaced.iter().map(|(printed, served)| (*printed, &**served)).collect();
        let settings = (proxy.settings)(place, ports, &pointed(proxy.text, &replaced));
        folder.write("proxy.conf", &settings);
        let mut command = (proxy.command)(&folder.path("proxy.conf"));
        let addresses = ports.map(|port| format!("127.0.0.1:{port}"));
        let addresses = addresses.each_ref().map(String::as_str);
        let process = ProxyProcess::start(&mut command, &folder.path(""), &addresses);
        Self { proxy, folder, latchkey, api, ports, _process: process }
    }

    /// The answer to curl, with further arguments for it. The host of the URL is that of the file.
    pub(crate) fn ask(&self, url: &str, more: &[&str]) -> Answer {
        Answer::of_text(&self.curl(&[&["--include", url], more].concat()))
    }

    /// What curl prints. It speaks HTTP/2 if the arguments do not ask for another version.
    pub(crate) fn curl(&self, arguments: &[&str]) -> String {
        let [public, mtls] = self.ports;
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--http2"]);
        curl.arg("--cacert").arg(self.folder.path("ca.pem"));
        curl.args(["--connect-to", &format!(":8443:127.0.0.1:{mtls}")]);
        curl.args(["--connect-to", &format!(":443:127.0.0.1:{public}")]);
        run(curl.args(arguments)).output()
    }
}

fn write_certificates(folder: &Folder) {
    let ours = authority("ours");
    folder.write("ca.pem", &ours.pem());
    folder.write("clients.pem", &ours.pem());
    let names = ["auth.example.com", "example.com", "mtls.example.com", "*.orders.example.com"];
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(names.map(str::to_owned)).unwrap();
    let chain = names.signed_by(&key, &ours).unwrap().pem();
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key.serialize_pem());
    folder.write("chain-and-key.pem", &format!("{chain}{}", key.serialize_pem()));
    for tenant in ["acme", "globex"] {
        let mut parameters = CertificateParams::default();
        subject(&mut parameters, tenant);
        let key = KeyPair::generate().unwrap();
        write(folder, tenant, &parameters.signed_by(&key, &ours).unwrap().pem(), &key);
    }
}
