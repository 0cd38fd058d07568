//! The in-memory store passes the store contract.

use testkit::MemoryStore;
use testkit::store_contract::Stores;

async fn fresh() -> (Stores, ()) {
    (Stores::of(MemoryStore::new()), ())
}

testkit::store_contract_tests!(fresh);
