//! The files of `deploy/ha`, in which only names, addresses and paths are replaced.

/// In these tests a machine is a number from 0 to 2. Its files name it `node1` to `node3`.
pub(crate) const MACHINES: usize = 3;

pub(crate) const ETCD: &str = include_str!("../../../../deploy/ha/etcd.yaml");
pub(crate) const PATRONI: &str = include_str!("../../../../deploy/ha/patroni.yaml");
pub(crate) const HAPROXY: &str = include_str!("../../../../deploy/ha/haproxy.cfg");
pub(crate) const PGBOUNCER: &str = include_str!("../../../../deploy/ha/pgbouncer.ini");
pub(crate) const REDIS: &str = include_str!("../../../../deploy/ha/redis.conf");
pub(crate) const SENTINEL: &str = include_str!("../../../../deploy/ha/sentinel.conf");
pub(crate) const REDIS_CLUSTER: &str = include_str!("../../../../deploy/ha/redis-cluster.conf");

pub(crate) fn name_of(machine: usize) -> String {
    format!("node{}", machine + 1)
}

/// An address in the files.
pub(crate) fn printed(machine: usize, port: u16) -> String {
    format!("10.0.0.{}:{port}", machine + 1)
}

pub(crate) fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The text with these replacements, each of which it must contain.
#[track_caller]
pub(crate) fn replaced(text: &str, replacements: &[(String, String)]) -> String {
    replacements.iter().fold(text.to_owned(), |text, (printed, served)| {
        assert!(text.contains(printed), "{printed:?} is not in\n{text}");
        text.replace(printed, served)
    })
}
