//! Pages in the browser of a person who is signed in at a tenant attack that session: pages of another site, and script at the tenant's own
//! origin. Each attempt stands in a report, which is printed and kept beside the screenshots.

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::foreign::browser_within;
use crate::two_providers::{ProviderTenant, TwoProviders};

/// Nothing of the program is below the folder of the tests.
const REPORTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots");
/// Several times what two hundred attempts take on an idle machine.
const LONGEST: Duration = Duration::from_secs(500);

/// Both tenants at the same time: each with a browser of its own.
#[track_caller]
fn attack(script: &str, scheme: &str, least: u64) {
    let providers = TwoProviders::start_by(scheme, "http://127.0.0.1:9", |_| json!({}));
    let each = providers.each();
    thread::scope(|scope| {
        let attacks =
            each.map(|(tenant, other)| scope.spawn(move || attempts(script, scheme, tenant, other)));
        for attack in attacks {
            let attempts = attack.join().expect("the attack came to its end");
            assert!(attempts >= least, "{attempts} attempts are fewer than {least}");
        }
    });
}

/// How many there were. None has succeeded.
#[expect(clippy::print_stdout, reason = "the report is part of what the run of the tests says")]
fn attempts(script: &str, scheme: &str, tenant: &ProviderTenant, other: &ProviderTenant) -> u64 {
    let report = format!("{script}-{scheme}-{}", tenant.id);
    let more = [("REPORTS", REPORTS), ("REPORT", &report)];
    let file = format!("{script}.cjs");
    let found = tenant.found(other, &more, |environment| browser_within(&file, environment, LONGEST));
    println!("{}", found["text"].as_str().unwrap());
    assert_eq!(found["succeeded"], json!([]), "{report}");
    assert!(Path::new(REPORTS).join(format!("{report}.txt")).is_file());
    found["attempts"].as_u64().unwrap()
}

#[test]
fn a_page_of_another_site_reads_and_changes_nothing_at_a_tenant() {
    attack("another-sites-page", "https", 200);
}

/// While the person is signed in at this one.
#[test]
fn script_on_the_page_of_another_tenant_reads_and_does_nothing_at_this_one() {
    attack("other-tenants-page", "https", 90);
}

#[test]
fn no_cookie_that_script_plants_counts_over_tls() {
    attack("planted-cookies", "https", 90);
}

/// Browsers then know no prefix, and keep some of them.
#[test]
fn no_cookie_that_script_plants_makes_a_person_another_one_over_http() {
    attack("planted-cookies", "http", 90);
}
