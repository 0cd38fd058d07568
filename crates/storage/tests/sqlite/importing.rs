//! Tests that importing a thousand accounts needs as many statements as importing one.

use administration::administrator::Caller;
use administration::documents::ImportResult;
use administration::kinds::authority::{Actor, Authority};
use testkit::fixtures::{self, NOW};
use testkit::requests;

use crate::sandbox::Sandbox;
use crate::unreadable_rows::administrator;

/// A hash of `a long enough password` by PyPI bcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO";

fn lines(numbers: std::ops::Range<u32>) -> String {
    let line = |number| {
        format!(
            "{{\"email\":\"p{number}@example.com\",\"external_id\":\"{number}\",\"password_hash\":\"{HASH}\"}}\n"
        )
    };
    numbers.map(line).collect()
}

#[tokio::test]
async fn importing_a_thousand_lines_costs_as_much_as_one() {
    let (_sandbox, database) = Sandbox::opened().await;
    let acme = fixtures::tenant("acme");
    requests::commit(&*database, &requests::added(&acme, &[])).await.unwrap();
    let administrator = administrator(database.clone());
    let operator = Authority::operator(Actor { name: "cli:root".to_owned(), ..Actor::default() });
    let caller = Caller::new(operator, NOW);
    let mut counted = Vec::new();
    for (numbers, expected) in [
        (0..1, ImportResult::Created),
        (1..1_001, ImportResult::Created),
        (1_001..3_001, ImportResult::Created),
        (0..1_000, ImportResult::Exists),
    ] {
        let before = database.statements();
        let import = administrator.of(&caller, &acme.id).begin_import().await.unwrap();
        let results = import.run(lines(numbers.clone()).as_bytes()).await.unwrap();
        assert_eq!(results.len(), numbers.len());
        assert!(results.iter().all(|line| line.result == expected), "{results:?}");
        counted.push(database.statements() - before);
    }
    let [one, thousand, two_thousand, known] = counted[..] else { panic!("four imports") };
    // The statements read the tenant, before and for each of two decisions, and commit. Audit records and
    // passwords are written as two lists of at most a thousand rows.
    assert!(one <= 40, "{counted:?}");
    assert!(thousand <= one + 4, "{counted:?}");
    assert!(two_thousand <= 2 * thousand, "{counted:?}");
    assert!(known < one, "nothing is committed: {counted:?}");
}

/// The bodies of two imports may take a minute to arrive.
#[tokio::test]
async fn running_imports_do_not_block_another_tenant() {
    let (_sandbox, database) = Sandbox::opened().await;
    let tenants = ["acme", "globex"].map(fixtures::tenant);
    for tenant in &tenants {
        requests::commit(&*database, &requests::added(tenant, &[])).await.unwrap();
    }
    let administrator = administrator(database.clone());
    let operator = Authority::operator(Actor { name: "cli:root".to_owned(), ..Actor::default() });
    let caller = Caller::new(operator, NOW);
    let mut under_way = Vec::new();
    for tenant in &tenants {
        for _ in 0..2 {
            under_way.push(administrator.of(&caller, &tenant.id).begin_import().await.unwrap());
        }
    }
    assert_eq!(under_way.len(), 4);
}
