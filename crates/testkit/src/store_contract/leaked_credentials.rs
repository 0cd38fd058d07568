//! The search for a reported credential.

use registry::{Client, SecretPath};

use super::{Stores, add};
use crate::fixtures;

/// The search returns page after page, ordered by tenant, client and id. Many secrets of one tenant do not
/// hide those of another.
pub async fn secrets_are_found_by_hint_in_all_tenants(stores: Stores) {
    for tenant in ["acme", "globex"].map(fixtures::tenant) {
        let of = |name: &str| {
            let secrets = [("s1", "9xQ2"), ("s2", "0000"), ("s3", "9xQ2"), ("s4", "")];
            let secrets = secrets
                .map(|(id, hint)| registry::ClientSecret { hint: hint.to_owned(), ..fixtures::secret(id) });
            Client { secrets: secrets.to_vec(), ..fixtures::client(&tenant, name) }
        };
        add(&stores, &tenant, &[&of("svc"), &of("web")]).await;
    }
    for hint in ["9xQ2", "0000", "", "none"] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = stores.find_secrets_by_hint(hint, after.as_ref(), 3).await.unwrap();
            let Some((tenant, client, secret)) = page.last().cloned() else { break };
            after = Some(SecretPath { tenant, client, secret: secret.id });
            let path = |(tenant, client, secret): &(_, _, registry::ClientSecret)| {
                assert_eq!(secret.hint, hint);
                format!("{tenant}/{client}/{}", secret.id)
            };
            found.extend(page.iter().map(path));
        }
        let of = |id: &'static str| {
            let clients = ["acme/svc", "acme/web", "globex/svc", "globex/web"];
            clients.map(|client| format!("{client}/{id}"))
        };
        let mut expected = match hint {
            "9xQ2" => [of("s1"), of("s3")].concat(),
            "0000" => of("s2").to_vec(),
            _ => Vec::new(),
        };
        expected.sort();
        assert_eq!(found, expected);
    }
}
