//! A panic fails only its own request.

use async_trait::async_trait;
use tenancy::{Stored, TenantResolver, TenantStore};

use crate::prelude::*;

/// Panics for one tenant.
struct Panicking(Arc<dyn TenantStore>, &'static str);

#[async_trait]
impl TenantStore for Panicking {
    async fn find_tenant(&self, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>> {
        assert_ne!(tenant.as_str(), self.1, "a panic that this test wants");
        self.0.find_tenant(tenant).await
    }
}

// [limits #44]: a panic in a request | none is expected | 500; no other request is affected
#[tokio::test]
async fn panic_returns_500_and_affects_no_other_request() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_over(&options(ACME), |store| {
            TenantResolver::new(Arc::new(Panicking(store, tenant)))
        });
        let mut connection = app.connect().await;
        for _ in 0..2 {
            for (name, good) in [(tenant, false), (other, true)] {
                let path = tenant_path(name, "/strategies");
                let bytes = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
                let answer = Answer::to_bytes(&mut connection, bytes).await;
                if good {
                    assert_eq!(answer.json()["tenant_id"], name);
                } else {
                    answer.assert_refused(500, "server_error", "The server failed to answer");
                    assert!(answer.header("link").ends_with("/docs/errors#server_error>; rel=\"help\""));
                }
            }
        }
    }
}
