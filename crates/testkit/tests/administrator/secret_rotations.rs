//! Tests scheduled rotation of secrets, with a secret store that accepts them, refuses them or does not
//! answer.

use std::sync::{Arc, Mutex};

use administration::administrator::ScheduledRotation;
use administration::administrator::secret_writer::{SecretPlace, SecretWriter, WriteFailure};
use administration::documents::NewSecretSettings;
use administration::edit::EditError;
use administration::store::SecretRotations as _;
use async_trait::async_trait;
use registry::ClientId;
use serde_json::json;
use tenancy::TenantId;
use testkit::fixtures::{NOW, client_id};
use values::Secret;

use crate::test_env::{TestEnv, at, caller, env, later, of_tenant, operator};

const DAY: u64 = 86_400;

/// A secret store of the tenant acme, with its values.
#[derive(Default)]
struct Kept {
    held: Mutex<Vec<String>>,
    fails: Mutex<Option<WriteFailure>>,
}

#[async_trait]
impl SecretWriter for Kept {
    fn check(&self, place: &SecretPlace) -> Result<(), String> {
        if place.store == "kept" {
            Ok(())
        } else {
            Err(format!("secret store {} does not exist", place.store))
        }
    }

    fn allows(&self, tenant: &TenantId, place: &SecretPlace) -> bool {
        place.path.starts_with(&format!("{tenant}/"))
    }

    async fn write(&self, _: &SecretPlace, value: &Secret) -> Result<String, WriteFailure> {
        if let Some(failure) = &*self.fails.lock().unwrap() {
            return Err(failure.clone());
        }
        let mut held = self.held.lock().unwrap();
        held.push(value.expose().to_owned());
        Ok(held.len().to_string())
    }
}

/// The tenants acme and globex, each with a client whose secret is rotated every day.
async fn scheduled() -> (TestEnv, Arc<Kept>, [TenantId; 2]) {
    let (mut env, kept) = (env(), Arc::<Kept>::default());
    env.administrator = env.administrator.writing(kept.clone());
    let mut tenants = Vec::new();
    for tenant in ["acme", "globex"] {
        let rotate =
            json!({ "every": "1d", "into": format!("kept:{tenant}/svc#client_secret"), "grace": "1h" });
        tenants.push(env.tenant_with(tenant, json!({ "client_id": "svc", "rotate": rotate })).await.0);
    }
    (env, kept, tenants.try_into().unwrap())
}

async fn live(env: &TestEnv, tenant: &TenantId, seconds: u64) -> Vec<String> {
    let secrets = env.administrator.of(&at(seconds), tenant).secrets(&svc()).await.unwrap();
    secrets.into_iter().filter(|secret| secret.status == "live").map(|secret| secret.id).collect()
}

async fn rotate(env: &TestEnv, tenant: &TenantId, seconds: u64) -> ScheduledRotation {
    env.administrator.rotate_on_schedule(tenant, &svc(), later(seconds)).await.unwrap()
}

async fn create(env: &TestEnv, tenant: &TenantId, seconds: u64) {
    let new = NewSecretSettings::default();
    env.administrator.of(&at(seconds), tenant).create_secret(&svc(), new).await.unwrap();
}

fn svc() -> ClientId {
    client_id("svc")
}

#[tokio::test]
async fn secret_is_rotated_when_the_newest_is_due() {
    let (env, kept, [acme, globex]) = scheduled().await;
    let rotate = async |seconds| rotate(&env, &acme, seconds).await;
    assert_eq!(rotate(0).await, ScheduledRotation::NotDue);
    assert_eq!(rotate(DAY - 1).await, ScheduledRotation::NotDue);
    let done = |version: &str| ScheduledRotation::Done {
        into: "kept:acme/svc#client_secret".to_owned(),
        version: version.to_owned(),
    };
    assert_eq!(rotate(DAY).await, done("1"));
    assert_eq!(rotate(DAY).await, ScheduledRotation::NotDue);
    let first = kept.held.lock().unwrap()[0].clone();
    for (tenant, opens) in [(&acme, true), (&globex, false)] {
        assert_eq!(env.opens(tenant, &svc(), &first, later(DAY + 1)).await, opens);
    }
    assert_eq!(live(&env, &acme, DAY + 3599).await, ["s1", "s2"]);
    assert_eq!(live(&env, &acme, DAY + 3600).await, ["s2"]);

    // A secret that an administrator creates in the meantime counts.
    create(&env, &acme, 2 * DAY - 1).await;
    assert_eq!(rotate(2 * DAY).await, ScheduledRotation::NotDue);
    assert_eq!(rotate(3 * DAY - 1).await, done("2"));
    assert_eq!(live(&env, &globex, 3 * DAY).await, ["s1"]);
}

#[tokio::test]
async fn failed_rotation_is_shown_and_retried_after_a_pause() {
    let (env, kept, [acme, _]) = scheduled().await;
    let rotate = async |seconds| rotate(&env, &acme, seconds).await;
    *kept.fails.lock().unwrap() = Some(WriteFailure::Refused("vault at 192.0.2.7 refuses".to_owned()));
    let ScheduledRotation::Failed(said) = rotate(DAY).await else { panic!() };
    assert!(said.contains("192.0.2.7"), "{said}");
    assert_eq!(live(&env, &acme, DAY).await, ["s1"]);
    let shown = env.client(&acme, "svc").await.rotation.unwrap();
    let failure = shown.failure.unwrap();
    assert!(failure.contains("kept") && !failure.contains("192.0.2.7"), "{failure}");
    assert_eq!((shown.failed_at, shown.due_at), (Some(later(DAY).into()), Some(later(DAY + 600).into())));
    assert_eq!(env.store.count_failing_rotations().await.unwrap(), 1);

    // All secrets stay valid until the next rotation succeeds. Then all earlier ones expire.
    *kept.fails.lock().unwrap() = Some(WriteFailure::Unknown("no answer".to_owned()));
    assert_eq!(rotate(DAY + 599).await, ScheduledRotation::NotDue);
    assert!(matches!(rotate(DAY + 600).await, ScheduledRotation::Failed(_)));
    assert_eq!(live(&env, &acme, DAY + 600).await, ["s1", "s3"]);
    *kept.fails.lock().unwrap() = None;
    assert!(matches!(rotate(DAY + 1800).await, ScheduledRotation::Done { .. }));
    assert_eq!(live(&env, &acme, 2 * DAY).await, ["s4"]);
    assert_eq!(env.client(&acme, "svc").await.rotation.unwrap().failure, None);
}

/// A killed process has created a secret, and it is unknown whether the secret is in the secret store.
#[tokio::test]
async fn interrupted_rotation_is_repeated() {
    let (env, _, [acme, _]) = scheduled().await;
    let begun = administration::administrator::rotation_progress::RotationProgress {
        begun_at: Some(later(DAY)),
        due_at: Some(later(DAY + 600)),
        ..Default::default()
    };
    assert!(env.store.take_rotation(&acme, &svc(), later(DAY), later(DAY + 600)).await.unwrap());
    env.store.record_rotation(&acme, &svc(), &begun).await.unwrap();
    create(&env, &acme, DAY).await;
    assert_eq!(rotate(&env, &acme, DAY + 1).await, ScheduledRotation::NotDue);
    assert!(matches!(rotate(&env, &acme, DAY + 600).await, ScheduledRotation::Done { .. }));
    assert_eq!(live(&env, &acme, 2 * DAY).await, ["s3"]);
}

#[tokio::test]
async fn schedule_writes_only_to_paths_of_its_tenant() {
    let (env, _, [acme, globex]) = scheduled().await;
    let patch = |into: &str| json!({ "rotate": { "every": "1d", "into": into } });
    for by in [operator(), of_tenant("acme", "latchkey:clients")] {
        for (into, fits) in
            [("kept:acme/other#k", true), ("kept:globex/svc#k", false), ("else:acme/svc#k", false)]
        {
            let by = caller(&by, NOW);
            match env.administrator.of(&by, &acme).patch::<registry::Client>(&svc(), patch(into)).await {
                Ok(_) => assert!(fits, "{into}"),
                Err(EditError::Invalid(errors)) => {
                    assert!(!fits && errors[0].pointer == "/rotate/into", "{into} {errors:?}");
                }
                Err(error) => panic!("{into}: {error:?}"),
            }
        }
    }
    assert!(live(&env, &globex, 0).await == ["s1"]);
}
