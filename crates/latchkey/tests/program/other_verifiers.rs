//! Verifiers that people run: libraries, Apache and RabbitMQ check tokens of two tenants whose keys and
//! algorithms change. The table in docs/verifying.md has the results, and the tests compare its rows.

use serde_json::json;

use crate::apache_verifiers::{ApacheVerifiers, Way};
use crate::changing_keys::{ALGORITHMS, Platform, Tenant};
use crate::library::Library;
use crate::rabbitmq::RabbitMq;

/// The issuer and the key set in the files of `docs/examples`. Some programs fetch keys with TLS only.
pub(crate) const EXAMPLES_ISSUER: &str = "http://localhost:3000/api/v1/tenant/globex";
pub(crate) const EXAMPLES_JWKS: &str = "https://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json";
const PAGE: &str = include_str!("../../../../docs/verifying.md");

/// Something that checks tokens for the API `orders-api`.
pub(crate) trait Verifier {
    fn accepts(&mut self, tenant: &Tenant, token: &str) -> bool;

    /// Whether it knows this tenant at all.
    fn trusts(&self, _tenant: &Tenant) -> bool {
        true
    }
}

/// A library, by its keys or by introspection.
struct Asked(Library, bool);

impl Verifier for Asked {
    fn accepts(&mut self, tenant: &Tenant, token: &str) -> bool {
        let issuer = &tenant.issuer;
        let mut question = json!({
            "issuer": issuer,
            "jwks": format!("{issuer}/.well-known/jwks.json"),
            "metadata": format!("{issuer}/.well-known/oauth-authorization-server"),
            "audience": "orders-api",
            "algorithms": ALGORITHMS,
        });
        if self.1 {
            question["introspection"] = json!(["auditor", tenant.secret]);
        }
        // The keys of the others change sooner than libraries expect.
        if tenant.id != "initech" {
            question["cooldown"] = json!(0);
        }
        self.0.verdict(&question, token)["claims"].is_object()
    }
}

/// What a verifier does, as a row of the table.
struct Seen {
    /// The first cells of the row: the verifier, and where it finds out whether a token is valid.
    name: &'static str,
    verifier: Box<dyn Verifier>,
    /// Whether it accepts the tokens of each algorithm.
    algorithms: Vec<bool>,
    /// Whether it accepts a key that was not announced when it gets the first token of the key.
    takes_unannounced: bool,
    /// Whether it accepts a token of a removed key before and after it gets a token of the next key.
    takes_removed: [bool; 2],
}

fn seen(name: &'static str, verifier: impl Verifier + 'static) -> Seen {
    let verifier = Box::new(verifier);
    Seen { name, verifier, algorithms: Vec::new(), takes_unannounced: false, takes_removed: [false; 2] }
}

impl Seen {
    fn row(&self) -> String {
        let yes = |is_so: bool| if is_so { "yes" } else { "no" };
        let [eddsa, rs256, es256] = self.algorithms[..] else { panic!("{:?}", self.algorithms) };
        let [eddsa, rs256, es256] = [eddsa, rs256, es256].map(yes);
        let unannounced = if self.takes_unannounced { "immediately" } else { "later" };
        let removed = match self.takes_removed {
            [false, false] => "refused",
            [true, false] => "refused after a token of the next key",
            other => panic!("{}: {other:?}", self.name),
        };
        format!("| {} | {rs256} | {es256} | {eddsa} | {unannounced} | {removed} |", self.name)
    }

    /// The tenants with changing keys that the verifier is for, with their indices.
    fn tenants<'a>(&self, platform: &'a Platform) -> Vec<(usize, &'a Tenant)> {
        let changing = platform.changing().iter().enumerate();
        changing.filter(|(_, tenant)| self.verifier.trusts(tenant)).collect()
    }

    #[track_caller]
    fn assert_accepts(&mut self, tenant: &Tenant, token: &str, is_accepted: bool, what: &str) {
        assert_eq!(self.verifier.accepts(tenant, token), is_accepted, "{}: {what}", self.name);
    }
}

/// Changes the keys while the verifiers check tokens, and compares the rows of the table.
async fn compare(platform: &Platform, mut all: Vec<Seen>) {
    let mut used = Vec::new();
    let mut unused = Vec::new();
    for (round, algorithm) in ALGORITHMS.into_iter().enumerate() {
        if round > 0 {
            platform.change_to(algorithm, round + 1).await;
        }
        used.push(platform.tokens().await);
        if algorithm == "RS256" {
            unused = vec![platform.tokens().await, platform.tokens().await];
        }
        for one in &mut all {
            for (index, tenant) in one.tenants(platform) {
                let accepted: Vec<_> =
                    used.iter().map(|tokens| one.verifier.accepts(tenant, &tokens[index])).collect();
                // Tokens of earlier keys stay valid next to the new key, and the tenants are equal.
                let before = std::mem::replace(&mut one.algorithms, accepted);
                assert!(
                    one.algorithms.starts_with(&before),
                    "{}: {before:?}, {:?}",
                    one.name,
                    one.algorithms
                );
            }
        }
    }
    refuse_others(platform, &mut all, &used[2]).await;
    replace_keys(platform, &mut all, &unused).await;
    let rows = all.iter().map(Seen::row);
    let missing: Vec<_> = rows.filter(|row| !PAGE.lines().any(|line| line == row)).collect();
    assert!(missing.is_empty(), "docs/verifying.md lacks\n{missing:#?}");
}

async fn refuse_others(platform: &Platform, all: &mut [Seen], tokens: &[String; 3]) {
    for one in all {
        for (index, tenant) in one.tenants(platform) {
            let own = &tokens[index];
            one.assert_accepts(tenant, own, true, "its own token");
            one.assert_accepts(tenant, &tokens[1 - index], false, "another tenant's token");
            one.assert_accepts(tenant, &format!("{}AAAA", &own[..own.len() - 4]), false, "a modified token");
            let elsewhere = platform.token(tenant, "elsewhere").await;
            one.assert_accepts(tenant, &elsewhere, false, "a token for another API");
            let bound = platform.bound_token(tenant).await;
            one.assert_accepts(tenant, &bound, true, "a bound token without its proof");
        }
    }
}

/// Watches the verifiers when all keys are replaced.
async fn replace_keys(platform: &Platform, all: &mut [Seen], unused: &[[String; 3]]) {
    let [.., initech] = &platform.tenants;
    let before = platform.tokens().await;
    for one in all.iter_mut().filter(|one| one.verifier.trusts(initech)) {
        one.assert_accepts(initech, &before[2], true, "a token, for which it fetches the keys");
    }
    platform.replace_keys().await;
    let new = platform.tokens().await;
    for (time, unused) in unused.iter().enumerate() {
        for one in &mut *all {
            for (index, tenant) in one.tenants(platform) {
                one.takes_removed[time] = one.verifier.accepts(tenant, &unused[index]);
            }
        }
        for one in &mut *all {
            for (index, tenant) in one.tenants(platform) {
                one.assert_accepts(tenant, &new[index], true, "a new key");
            }
        }
    }
    for one in all {
        one.takes_unannounced = !one.verifier.trusts(initech) || one.verifier.accepts(initech, &new[2]);
    }
}

#[tokio::test]
async fn libraries_and_apache_follow_changing_keys() {
    // Started first, because Go compiles in the meantime.
    let mut all = vec![
        seen("go-oidc 2 | metadata", Asked(Library::go_oidc(), false)),
        seen("jose 5 | key set", Asked(Library::jose(), false)),
        seen("PyJWT 2 | key set", Asked(Library::pyjwt(), false)),
        seen("Authlib 1 | metadata", Asked(Library::authlib(), false)),
        seen("Authlib 1 | introspection", Asked(Library::authlib(), true)),
        seen("ruby-jwt 2.5 | key set", Asked(Library::ruby_jwt(), false)),
    ];
    let platform = Platform::start();
    let apache = ApacheVerifiers::start(&platform.tenants, &platform.authority());
    all.extend([
        seen("mod_oauth2 3.3 | key set", apache.sites(Way::OauthKeys)),
        seen("mod_oauth2 3.3 | key set, introspection", apache.sites(Way::OauthIntrospection)),
        seen("mod_auth_openidc 2.4 | key set", apache.sites(Way::OpenidcKeys)),
        seen("mod_auth_openidc 2.4 | introspection", apache.sites(Way::OpenidcIntrospection)),
    ]);
    compare(&platform, all).await;
    // Without its `iss`, a tenant's site accepts a token that another tenant's site has accepted.
    let [token, ..] = platform.tokens().await;
    let mut sites = apache.sites(Way::OauthKeysOfAnyIssuer);
    let [acme, globex, _] = &platform.tenants;
    assert!(!sites.accepts(globex, &token) && sites.accepts(acme, &token) && sites.accepts(globex, &token));
}

/// Takes some 20 seconds.
#[tokio::test]
async fn rabbitmq_follows_changing_keys() {
    let platform = Platform::start();
    let broker = RabbitMq::start(&platform.tenants[0], &platform.authority());
    compare(&platform, vec![seen("RabbitMQ 3.10 | key set", broker)]).await;
}
