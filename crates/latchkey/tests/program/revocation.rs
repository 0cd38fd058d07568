//! Tests that the program keeps an acknowledged revocation when it is killed.

use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

// [revocation RFC 7009 §2.1 e]
#[tokio::test]
async fn token_stays_revoked_after_kill_9() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let token = program.token("acme", "svc", ACME_SECRET).await;
    let kept = program.token("acme", "svc", ACME_SECRET).await;
    let theirs = program.token("globex", "svc", GLOBEX_SECRET).await;
    let form = [("client_id", "svc"), ("client_secret", ACME_SECRET), ("token", &token)];
    assert_eq!(program.post(&tenant_path("acme", "/oauth/revoke"), &form).await.status, 200);
    program.kill();
    for _ in 0..2 {
        let program = Program::start(&folder);
        let is_active = async |tenant: &str, secret: &str, token: &str| {
            program.introspect(tenant, "svc", secret, token).await["active"] == true
        };
        assert!(!is_active("acme", ACME_SECRET, &token).await);
        program.present(&token).await.assert_refused(401, "invalid_token");
        assert!(is_active("acme", ACME_SECRET, &kept).await);
        assert!(is_active("globex", GLOBEX_SECRET, &theirs).await);
        program.stop();
    }
}
