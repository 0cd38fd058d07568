//! Rows that end by themselves, at the size of a busy day.

use protocol::Timestamp;
use sessions::SessionStore as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::sandbox::Sandbox;

const DAY: u64 = 86_400;
const MORNING: u64 = 20_000 * DAY;
const SIGN_INS: u64 = 1_000_000;

/// Each signs in at another moment of the day, for a day, and redeems a code.
fn sign_ins() -> [String; 2] {
    let days = format!(
        "SELECT n, {MORNING} + n * {DAY} / {SIGN_INS} AS at FROM generate_series(0::bigint, {SIGN_INS} - 1) AS n"
    );
    [
        format!(
            "INSERT INTO sessions (tenant_id, slot, session_id, token_digest, account_id, authenticated_at, acr, amr,
                    created_at, last_seen_at, idle, expires_at, user_agent)
             SELECT 'acme', (at + {DAY}) / 604800 % 16, n::text, '', 'usr_' || n, at, '1', ARRAY['pwd'], at, at, 28800, at + {DAY}, ''
               FROM ({days}) AS day"
        ),
        format!(
            "INSERT INTO authorization_codes (tenant_id, slot, code_digest, client_id, account_id, session_slot, session_id,
                    redirect_uri, granted, created_at, valid_until, expires_at, redeemed_at)
             SELECT 'acme', (at + {DAY}) / {DAY} % 8, int8send(n), 'web', 'usr_' || n, 0, n::text, '', '{{}}', at, at + 60, at + {DAY}, at
               FROM ({days}) AS day"
        ),
    ]
}

/// The partitions that have rows.
async fn used(connection: &mut PgConnection, ring: &str, slots: u64) -> Vec<u64> {
    let mut used = Vec::new();
    for slot in 0..slots {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {ring} WHERE slot = {slot})");
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await.unwrap();
        if row.get::<bool, _>(0) {
            used.push(slot);
        }
    }
    used
}

/// No row is deleted singly, and a partition is empty two units after its last row has ended.
#[tokio::test]
async fn a_day_of_a_million_sign_ins_leaves_live_partitions_only() {
    let sandbox = Sandbox::new().await;
    let database = sandbox.open().await;
    let mut connection = PgConnection::connect(&sandbox.url()).await.unwrap();
    // As requests write, and then as what empties partitions reads.
    let app = "SET ROLE latchkey_app; SELECT set_config('latchkey.tenant', 'acme', false)";
    connection.execute(AssertSqlSafe(app.to_owned())).await.unwrap();
    for sql in sign_ins() {
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    connection.execute(AssertSqlSafe("SET ROLE latchkey_operator".to_owned())).await.unwrap();
    let rings = [("sessions", 16, 7 * DAY), ("authorization_codes", 8, DAY)];
    let (first_end, last_end) = (MORNING + DAY, MORNING + 2 * DAY - 1);
    for day in 0..=30 {
        let now = MORNING + day * DAY + DAY / 2;
        let deleted = database.delete_expired_sign_ins(Timestamp::from_seconds(now)).await.unwrap();
        assert_eq!(deleted, 0, "day {day}");
        for (ring, slots, unit) in rings {
            let used = used(&mut connection, ring, slots).await;
            let live = first_end / unit..=last_end / unit;
            let live: Vec<_> = live.filter(|of| of + 2 > now / unit).map(|of| of % slots).collect();
            assert!(used.iter().all(|slot| live.contains(slot)), "{ring} day {day}: {used:?} of {live:?}");
            assert_eq!(used.is_empty(), last_end / unit + 2 <= now / unit, "{ring} day {day}: {used:?}");
        }
    }
}
