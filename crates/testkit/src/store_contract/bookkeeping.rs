//! Data in addition to rows: answers for idempotency keys, generations with their sources, and metadata.

use administration::declaration::fingerprint::Fingerprint;
use administration::kinds::state::ManagedBy;
use administration::store::{CommitOutcome, IdempotentAnswer, KEPT_SOURCES, NewGeneration, TenantMetadata};
use tenancy::Tenant;

use super::{Stores, add, at, commit, planned_commit};
use crate::requests::CommitRequest;
use crate::{fixtures, requests};

/// Another tenant does not find the answer. After its expiry nobody finds it.
pub async fn an_idempotent_answer_is_found_until_it_expires(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    let ours = answer(&acme, 1, 60);
    commit(&stores, &answering(&ours)).await;
    assert_eq!(stores.find_idempotent_answer(&acme.id, &ours.key, at(59)).await.unwrap(), Some(ours.clone()));
    assert_eq!(stores.find_idempotent_answer(&acme.id, &ours.key, at(60)).await.unwrap(), None);
    assert_eq!(stores.find_idempotent_answer(&globex.id, &ours.key, at(0)).await.unwrap(), None);
    assert_eq!(stores.find_idempotent_answer(&acme.id, &[9; 32], at(0)).await.unwrap(), None);
    let theirs = IdempotentAnswer { sealed: vec![8], ..answer(&globex, 1, 60) };
    commit(&stores, &answering(&theirs)).await;
    assert_eq!(stores.find_idempotent_answer(&acme.id, &ours.key, at(0)).await.unwrap(), Some(ours));
    assert_eq!(stores.find_idempotent_answer(&globex.id, &[1; 32], at(0)).await.unwrap(), Some(theirs));
    assert!(stores.holds_sealed_rows().await.unwrap());
}

/// The second request finds the answer of the first. After the expiry of the answer the key can be used
/// again.
pub async fn idempotency_key_admits_only_one_request(stores: Stores) {
    let (acme, globex) = (fixtures::tenant("acme"), fixtures::tenant("globex"));
    let creating = |tenant: &Tenant, answer: IdempotentAnswer| CommitRequest {
        idempotent: Some(answer),
        ..requests::added(tenant, &[])
    };
    let first = answer(&acme, 1, 60);
    commit(&stores, &creating(&acme, first.clone())).await;
    let second = creating(&globex, IdempotentAnswer { request: [7; 32], ..first.clone() });
    assert_eq!(planned_commit(&stores, &second).await, CommitOutcome::StaleRevision);
    assert_eq!(stores.find_tenant(&globex.id).await.unwrap(), None);
    assert_eq!(stores.find_idempotent_answer(&acme.id, &[1; 32], at(0)).await.unwrap(), Some(first));

    let later = IdempotentAnswer { expires_at: at(120), ..answer(&acme, 1, 0) };
    commit(&stores, &CommitRequest { now: at(60), ..creating(&globex, later.clone()) }).await;
    assert_eq!(stores.find_idempotent_answer(&acme.id, &[1; 32], at(60)).await.unwrap(), Some(later));
}

/// A rollback to earlier generations is impossible.
pub async fn sources_of_the_latest_generations_are_kept(stores: Stores) {
    let total = KEPT_SOURCES + 3;
    for number in 1..=total {
        let sources = (number != total - 1).then(|| number.to_be_bytes().to_vec());
        commit(&stores, &generation(number, sources)).await;
    }
    for number in 1..=total {
        let kept = number + KEPT_SOURCES > total && number != total - 1;
        let expected = kept.then(|| number.to_be_bytes().to_vec());
        assert_eq!(stores.find_generation_sources(number).await.unwrap(), expected, "{number}");
    }
    assert_eq!(stores.find_generation_sources(total + 1).await.unwrap(), None);
    assert!(stores.holds_sealed_rows().await.unwrap());
}

/// The list has at most the requested number of generations.
pub async fn generations_are_listed_newest_first(stores: Stores) {
    assert!(stores.list_generations(5).await.unwrap().is_empty());
    for number in 1..=3 {
        commit(&stores, &generation(number, None)).await;
    }
    assert_eq!(listed(&stores, 2).await, [3, 2]);
    assert_eq!(listed(&stores, 5).await, [3, 2, 1]);
    let latest = stores.latest_generation().await.unwrap();
    assert_eq!(stores.list_generations(1).await.unwrap(), [latest.unwrap()]);
}

// [found 6]
/// A generation with conflicts is the latest one, but it is not listed. It does not displace listed
/// generations.
pub async fn generation_records_the_tenants_left_out(stores: Stores) {
    commit(&stores, &generation(1, Some(vec![1]))).await;
    let left_out = ["acme", "globex"].map(fixtures::tenant_id).to_vec();
    let total = KEPT_SOURCES + 2;
    for number in 2..=total {
        let mut request = generation(number, None);
        request.generation.as_mut().unwrap().left_out.clone_from(&left_out);
        commit(&stores, &request).await;
    }
    let latest = stores.latest_generation().await.unwrap().unwrap();
    assert_eq!((latest.number, &latest.left_out), (total, &left_out));
    assert!(stores.is_known_generation(&latest.content).await.unwrap());
    assert_eq!(listed(&stores, 5).await, [1]);
    assert_eq!(stores.find_generation_sources(1).await.unwrap(), Some(vec![1]));
    commit(&stores, &generation(total + 1, None)).await;
    assert_eq!(listed(&stores, 5).await, [total + 1, 1]);
    assert!(stores.latest_generation().await.unwrap().unwrap().left_out.is_empty());
}

/// The tenant of the files still has the fingerprint of its declaration.
pub async fn api_metadata_keeps_the_fingerprint(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[]).await;
    let metadata = TenantMetadata {
        tenant: acme.id.clone(),
        fingerprint: None,
        previous_tokens_until: Some(at(5)),
        previous_jwks: None,
    };
    let mut request = CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(Vec::new()) };
    request.edit.tenant_metadata.push(metadata);
    commit(&stores, &request).await;
    let [summary] = stores.list_tenant_summaries(&[]).await.unwrap().try_into().unwrap();
    assert_eq!(summary.fingerprint, Some(Fingerprint::from_bytes([1; 32])));
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    assert_eq!(state.previous_tokens_until, Some(at(5)));
}

/// The numbers of the newest listed generations.
async fn listed(stores: &Stores, limit: u32) -> Vec<u64> {
    let listed = stores.list_generations(limit).await.unwrap();
    listed.iter().map(|generation| generation.number).collect()
}

pub(super) fn answer(tenant: &Tenant, key: u8, seconds: u64) -> IdempotentAnswer {
    IdempotentAnswer {
        tenant: tenant.id.clone(),
        key: [key; 32],
        request: [6; 32],
        sealed: vec![0, 159, 255],
        expires_at: at(seconds),
    }
}

pub(super) fn answering(answer: &IdempotentAnswer) -> CommitRequest {
    CommitRequest { idempotent: Some(answer.clone()), ..requests::declared(Vec::new()) }
}

pub(super) fn generation(number: u64, sealed_sources: Option<Vec<u8>>) -> CommitRequest {
    let content = Fingerprint::from_bytes([u8::try_from(number).unwrap(); 32]);
    let expected_latest = Some(number - 1).filter(|latest| *latest > 0);
    let generation = NewGeneration { content, expected_latest, sealed_sources, left_out: Vec::new() };
    CommitRequest { generation: Some(generation), ..requests::declared(Vec::new()) }
}
