//! Which keys verifiers have fetched, as the recorder writes it down.

use administration::{AdministrationStore, VerifierFetch};
use async_trait::async_trait;
use keys::{JwksFetch, JwksFetches};
use tenancy::StoreError;

use crate::batch_writer::Buffered;

#[async_trait]
impl Buffered for JwksFetches {
    const WHAT: &'static str = "key fetches of verifiers";
    type Row = JwksFetch;

    fn drain(&self) -> Vec<JwksFetch> {
        Self::drain(self)
    }

    fn give_back(&self, rows: Vec<JwksFetch>) {
        Self::give_back(self, rows);
    }

    /// Those that poll come again, so whoever was forgotten is soon known again.
    fn dropped(&self) -> u64 {
        0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[JwksFetch]) -> Result<(), StoreError> {
        let rows: Vec<_> = rows.iter().map(row).collect();
        store.record_verifier_fetches(&rows).await
    }
}

fn row(seen: &JwksFetch) -> VerifierFetch {
    let JwksFetch { tenant, verifier, newest_key, at } = seen.clone();
    VerifierFetch { tenant, verifier, last_fetch_at: at, newest_key }
}
