//! Several replicas on one database: each change happens once.

use administration::{AdministrationStore as _, CommitOutcome, Fingerprint, NewGeneration};
use keys::SigningKeyStore as _;
use testkit::fixtures::{self, key};
use testkit::requests;

use crate::sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_that_start_with_the_same_change_one_applies_it() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    for round in 0..10_u8 {
        let mut request = requests::added(&fixtures::tenant(&format!("t{round}")), &[]);
        let expected_latest = (round > 0).then_some(u64::from(round));
        let content = Fingerprint::from_bytes([round; 32]);
        request.generation = Some(NewGeneration { content, expected_latest });
        let (here, there) = tokio::join!(left.commit(&request), right.commit(&request));
        let outcomes = [here.unwrap(), there.unwrap()];
        let applied = CommitOutcome::Committed { generation: Some(u64::from(round) + 1) };
        assert!(outcomes.contains(&applied), "{outcomes:?}");
        assert!(outcomes.contains(&CommitOutcome::Superseded), "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_that_make_a_first_key_one_is_told_to_read_again() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let acme = fixtures::tenant("acme");
    left.commit(&requests::added(&acme, &[])).await.unwrap();
    let key = key(1);
    let (here, there) = tokio::join!(left.add_key(&acme.id, &key), right.add_key(&acme.id, &key));
    assert_ne!(here.unwrap(), there.unwrap());
    assert_eq!(right.find_keys(&acme.id).await.unwrap().keys, [key]);
}
