//! Tests what is stored of a message that has ended.

use administration::mail::{MailLane, MailOutbox as _, MailOutcome};
use testkit::store_contract::audit::record;
use testkit::store_contract::mail::message;
use testkit::{fixtures, requests};
use values::LetterKind;

use crate::sandbox::Sandbox;

/// The content contains the address of the person, and often a code.
#[tokio::test]
async fn content_is_deleted_when_the_message_ends() {
    let (sandbox, database) = Sandbox::opened().await;
    let acme = fixtures::tenant("acme");
    requests::commit(&*database, &requests::added(&acme, &[])).await.unwrap();
    let mut connection = sandbox.connect().await;
    let mut content = async || {
        let sql = "SELECT sealed FROM mail_outbox";
        sqlx::query_scalar::<_, Vec<u8>>(sql).fetch_one(&mut connection).await.unwrap()
    };
    let (mail, audit) = (
        message(&acme.id, 1, LetterKind::Recovery, fixtures::NOW),
        record("acme", "service:mail", "mail.queued", "ada", 0),
    );
    assert!(database.queue_mail(&mail, &audit, 1, fixtures::NOW).await.unwrap());
    let lane = MailLane::Except(Vec::new());
    let [queued] = database.due_mail(fixtures::NOW, (1, 1), &lane, None).await.unwrap().try_into().unwrap();
    database.note_mail(&queued, "451", None, fixtures::NOW).await.unwrap();
    assert_eq!(content().await, mail.sealed);
    let ended = Some((MailOutcome::Superseded, audit));
    database.note_mail(&queued, "", ended, fixtures::NOW).await.unwrap();
    assert_eq!(content().await, b"");
}
