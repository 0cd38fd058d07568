//! Tests lookups with a name server that never answers for names that begin with "slow".

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::*;
use crate::{Fetcher, Guard};

const PUBLIC: Ipv4Addr = Ipv4Addr::new(8, 8, 8, 8);

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn asking(server: SocketAddr) -> Lookups {
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let server = NameServerConfig::new(server.ip(), true, vec![connection]);
    Lookups::asking(Servers::These(ResolverConfig::from_parts(None, Vec::new(), vec![server])))
}

/// A name server that answers with a public address, or with a private one for names that begin with
/// "private".
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
            let asked = Message::from_vec(&bytes[..length]).unwrap();
            let query = asked.queries[0].clone();
            let name = query.name().to_utf8();
            if name.starts_with("slow") {
                continue;
            }
            let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
            answer.add_query(query.clone());
            if query.query_type() == RecordType::A {
                let found = if name.starts_with("private") { Ipv4Addr::new(10, 0, 0, 1) } else { PUBLIC };
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, RData::A(A(found))));
            }
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

async fn resolve(lookups: &Lookups, of: &str, name: &str) -> Result<Vec<SocketAddr>, FetchError> {
    lookups.resolve(name, lookups.take_turn(&tenant(of)).await?).await
}

/// Starts lookups of a tenant and waits until only `free` permits are left.
async fn fill(lookups: &Arc<Lookups>, of: &'static str, names: usize, free: usize) {
    for number in 0..names {
        let lookups = Arc::clone(lookups);
        tokio::spawn(async move { resolve(&lookups, of, &format!("slow{number}.example.")).await });
    }
    while lookups.turns.free() > free {
        tokio::task::yield_now().await;
    }
}

// [shared 2.6]: 64 lookups of names were all tenants', and each held a thread until the C library gave up: a
//   tenant with slow names made all others' `jwks_uri` fetches fail | fixed | A tenant has 8 of 64 lookups,
//   in turn; the lookup itself holds the permit and ends after 2 s, because a resolver library asks the name
//   servers ([decision 40](decisions/0040-names-are-resolved-by-tenant-in-turn.md)). Logout tokens are under
//   the same permits
#[tokio::test]
async fn slow_names_do_not_delay_other_tenants() {
    let lookups = Arc::new(asking(name_server().await));
    fill(&lookups, "a", 100, LOOKUPS - LOOKUPS_OF_TENANT).await;
    assert!(lookups.turns.try_take(&tenant("a")).is_none(), "it has its share");
    let found = resolve(&lookups, "b", "keys.example.").await.unwrap();
    assert_eq!(found, [SocketAddr::from((PUBLIC, 0))]);
    assert_eq!(lookups.turns.free(), LOOKUPS - LOOKUPS_OF_TENANT, "those of the tenant go on");
}

// [shared 2.6]
#[tokio::test(start_paused = true)]
async fn unanswered_lookup_frees_its_turn_after_two_seconds() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let lookups = Arc::new(asking(silent.local_addr().unwrap()));
    let turn = lookups.take_turn(&tenant("a")).await.unwrap();
    let begun = Instant::now();
    let error = lookups.resolve("slow.example.", turn).await.unwrap_err();
    assert!(matches!(error, FetchError::TooSlow | FetchError::Connection(_)), "{error}");
    assert!(begun.elapsed() <= LONGEST + Duration::from_millis(10), "{:?}", begun.elapsed());
    assert_eq!(lookups.turns.free(), LOOKUPS);

    // Dropping a lookup ends it immediately.
    let turn = lookups.take_turn(&tenant("a")).await.unwrap();
    let given_up = timeout(Duration::from_millis(100), lookups.resolve("slow.example.", turn)).await;
    assert!(given_up.is_err());
    assert_eq!(lookups.turns.free(), LOOKUPS);
}

#[tokio::test(start_paused = true)]
async fn lookup_over_the_tenant_share_waits_two_seconds() {
    let lookups = Lookups::new();
    let held: Vec<_> =
        (0..LOOKUPS_OF_TENANT).map(|_| lookups.turns.try_take(&tenant("a")).unwrap()).collect();
    let begun = Instant::now();
    let error = lookups.take_turn(&tenant("a")).await.unwrap_err();
    assert!(matches!(error, FetchError::NoTurn), "{error}");
    assert!(begun.elapsed() >= LONGEST, "{:?}", begun.elapsed());
    lookups.take_turn(&tenant("b")).await.unwrap();
    drop(held);
    lookups.take_turn(&tenant("a")).await.unwrap();
}

/// The hosts file is searched first, and name servers are not asked for names in it.
#[tokio::test(start_paused = true)]
async fn names_in_hosts_file_need_no_name_server() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let lookups = asking(silent.local_addr().unwrap());
    for name in ["localhost", "localhost.", "LOCALHOST"] {
        let found = resolve(&lookups, "a", name).await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()), "{name}: {found:?}");
    }
}

#[tokio::test]
async fn private_address_from_a_name_server_is_refused() {
    let fetcher = Fetcher::with_lookups(Guard::default(), asking(name_server().await));
    for url in ["https://private.example./", "https://private.example/"] {
        let error = fetcher.fetch(&tenant("a"), url, "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::Address), "{error}");
        let error = fetcher.post_form(&tenant("a"), url, String::new()).await.unwrap_err();
        assert!(matches!(error, FetchError::Address), "{error}");
    }
}
