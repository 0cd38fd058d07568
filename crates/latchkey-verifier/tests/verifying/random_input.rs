//! Tests random input: bytes, changed tokens, changed key sets and changed proofs. Nothing panics, nothing
//! forged is accepted, and the work grows no faster than the input. The generator has a fixed seed, so each
//! run has the same input, and failure messages contain the round.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::{KeySet, RequestFacts, Trusted, Verifier};
use serde_json::{Value, json};

use crate::bound_tokens::{proof_claims, proof_header, thumbprint};
use crate::issuer::{ISSUER, Key, builder, claims, key_set, keys_of};
use crate::time::TestClock;
const ORIGIN: &str = "https://orders.example.com";
const ROUNDS: u64 = 4_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    fn of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// Returns the text after one to four changes.
    fn changed(&mut self, text: &str) -> String {
        // The first piece is empty.
        const PIECES: &str =
            r#" . .. = A " { } [ ] , : null -1 1e999 \u0000 \ud800 é eyJhbGciOiJub25lIn0 "kid":"#;
        let pieces: Vec<_> = PIECES.split(' ').collect();
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(4) {
            let at = self.below(characters.len() + 1);
            let end = (at + self.below(8)).min(characters.len());
            let piece: Vec<char> = match self.below(3) {
                // Removes, repeats, or writes a piece that means something to a parser.
                0 => Vec::new(),
                1 => [&characters[at..end], &characters[at..end]].concat(),
                _ => self.of(&pieces).chars().collect(),
            };
            characters.splice(at..end, piece);
        }
        characters.into_iter().collect()
    }

    /// Returns a value with one member, at any depth, replaced or removed.
    fn changed_value(&mut self, value: &Value) -> Value {
        let mut value = value.clone();
        let place = match &mut value {
            Value::Object(members) if !members.is_empty() => {
                let at = self.below(members.len());
                members.values_mut().nth(at)
            }
            Value::Array(items) if !items.is_empty() => {
                let at = self.below(items.len());
                items.get_mut(at)
            }
            _ => None,
        };
        match place {
            Some(inner) if self.below(3) > 0 => *inner = self.changed_value(inner),
            _ => {
                value = match self.below(8) {
                    0 => Value::Null,
                    1 => json!(true),
                    2 => json!(u64::MAX),
                    3 => json!(-1.5),
                    4 => json!([value.clone(), value]),
                    5 => json!({ "kty": value }),
                    6 => json!("A".repeat(self.below(400))),
                    _ => json!(""),
                }
            }
        }
        value
    }
}

struct TestEnv {
    clock: TestClock,
    key: Key,
    random: Random,
}

impl TestEnv {
    fn new(seed: u64) -> Self {
        Self { clock: TestClock::default(), key: Key::new("k1"), random: Random(seed) }
    }

    fn verifier(&self, keys: KeySet) -> Verifier {
        let builder = builder(&self.clock).issuer(Trusted::issuer(ISSUER).key_set(keys));
        builder.public_origin(ORIGIN).remember(100).build().unwrap()
    }

    fn keys(&self) -> KeySet {
        keys_of(&self.key)
    }
}

fn accepts(verifier: &Verifier, token: &str) -> bool {
    verifier.verify_now::<Value>(token).is_ok()
}

#[test]
fn arbitrary_bytes_are_refused() {
    let mut env = TestEnv::new(1);
    let verifier = env.verifier(env.keys());
    for round in 0..ROUNDS {
        let length = env.random.below(600);
        let bytes: Vec<u8> = (0..length).map(|_| env.random.next().to_le_bytes()[0]).collect();
        let [text, encoded] = [String::from_utf8_lossy(&bytes).into_owned(), BASE64URL.encode(&bytes)];
        let parts = format!("{encoded}.{encoded}.{encoded}");
        for token in [text, encoded, parts] {
            assert!(!accepts(&verifier, &token), "{round}");
        }
    }
}

#[test]
fn a_changed_token_is_refused() {
    let mut env = TestEnv::new(2);
    let verifier = env.verifier(env.keys());
    let token = env.key.token(ISSUER, env.clock.seconds());
    for round in 0..ROUNDS {
        let changed = env.random.changed(&token);
        assert_eq!(accepts(&verifier, &changed), changed == token, "{round}: {changed}");
    }
}

#[test]
fn changed_header_or_claims_need_a_valid_signature() {
    let mut env = TestEnv::new(3);
    let verifier = env.verifier(env.keys());
    let other = Key::new("k1");
    let (header, claims) = (env.key.header(), claims(ISSUER, env.clock.seconds()));
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let (header, claims) = if env.random.below(2) == 0 {
            (env.random.changed_value(&header), claims.clone())
        } else {
            (header.clone(), env.random.changed_value(&claims))
        };
        assert!(!accepts(&verifier, &other.sign(&header, &claims)), "{round}: {header} {claims}");
        // The token stays valid if the change affects a claim that is not checked, such as `scope`.
        accepted += u64::from(accepts(&verifier, &env.key.sign(&header, &claims)));
    }
    assert!((1..ROUNDS / 2).contains(&accepted), "{accepted}");
}

#[test]
fn changed_key_set_never_validates_foreign_signatures() {
    let mut env = TestEnv::new(4);
    let foreign = Key::new("k1");
    let forged = foreign.token(ISSUER, env.clock.seconds());
    let good = env.key.token(ISSUER, env.clock.seconds());
    let set: Value = serde_json::from_str(&key_set(&[&env.key, &Key::new("k2")])).unwrap();
    let mut read = 0;
    for round in 0..ROUNDS {
        let changed = env.random.changed_value(&set).to_string();
        let changed = if round % 2 == 0 { changed } else { env.random.changed(&changed) };
        let Ok(keys) = KeySet::read(&changed) else { continue };
        read += 1;
        let verifier = env.verifier(keys);
        assert!(!accepts(&verifier, &forged), "{round}: {changed}");
        // The issuer's own token may fail, because the change may have removed its key.
        let _ = accepts(&verifier, &good);
    }
    assert!(read > ROUNDS / 10, "{read}");
}

#[tokio::test]
async fn a_changed_proof_is_refused() {
    let mut env = TestEnv::new(5);
    let verifier = env.verifier(env.keys());
    let (sender, now) = (Key::new("s1"), env.clock.seconds());
    let token = env.key.token_with(ISSUER, now, "cnf", json!({ "jkt": thumbprint(&sender) }));
    let authorization = format!("DPoP {token}");
    let (header, body) = (proof_header(&sender), proof_claims(&token, "1", &format!("{ORIGIN}/v1"), now));
    let proof = sender.sign(&header, &body);
    let verify = async |proof: &str| {
        let facts =
            RequestFacts::new("GET", "/v1").authorization(authorization.as_bytes()).dpop(proof.as_bytes());
        verifier.verify_request::<Value>(&facts).await.is_ok()
    };
    for round in 0..ROUNDS {
        let changed = if round % 2 == 0 {
            env.random.changed(&proof)
        } else {
            // Another key signs the changed content.
            Key::new("s1").sign(&env.random.changed_value(&header), &env.random.changed_value(&body))
        };
        assert!(changed == proof || !verify(&changed).await, "{round}: {changed}");
    }
    assert!(verify(&proof).await, "no refused proof was used up");
}

/// Counts allocated bytes, because times differ from run to run.
#[test]
fn allocated_bytes_grow_at_most_linearly() {
    let env = TestEnv::new(6);
    let verifier = env.verifier(env.keys());
    let header = BASE64URL.encode(env.key.header().to_string());
    let token = |claims: String| format!("{header}.{}.AAAA", BASE64URL.encode(claims));
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    type Input<'a> = (&'a str, Box<dyn Fn(usize) -> String + 'a>);
    let inputs: [Input<'_>; 7] = [
        ("dots", Box::new(|size| ".".repeat(size))),
        ("letters", Box::new(|size| "A".repeat(size))),
        ("three parts", Box::new(|size| ["A".repeat(size / 3).as_str(); 3].join("."))),
        ("a nested list", Box::new(|size| token("[".repeat(size / 4) + &"]".repeat(size / 4)))),
        ("a long text", Box::new(|size| token(json!({ "iss": "A".repeat(size / 2) }).to_string()))),
        ("escapes", Box::new(|size| token(format!("{{\"iss\":\"{}\"}}", "\\u0041".repeat(size / 12))))),
        ("many members", Box::new(|size| token(members(size / 16)))),
    ];
    for (name, input) in &inputs {
        let work = |size: usize| {
            let token = input(size);
            allocation_counter::measure(|| assert!(!accepts(&verifier, &token), "{name}")).bytes_total
        };
        let [small, large] = [2_000, 12_000].map(work);
        assert!(large <= small * 6 + 4_096, "{name}: {small} and {large} bytes");
        assert!(work(1_000_000) <= 1_024, "{name}: beyond the longest token nothing is read");
    }
    let set = |count: usize| format!(r#"{{"keys":[{}]}}"#, vec![env.key.jwk().to_string(); count].join(","));
    let work = |count: usize| {
        let set = set(count);
        allocation_counter::measure(|| drop(KeySet::read(&set).unwrap())).bytes_total
    };
    let [small, large] = [10, 100].map(work);
    assert!(large <= small * 11, "a key set: {small} and {large} bytes");
}
