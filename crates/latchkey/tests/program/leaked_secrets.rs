//! Tests that the documented rules for leak scanners find the secrets that the program generates, and no
//! similar texts.

use secrets::{GeneratedApiKey, GeneratedSecret};
use serde_json::{Value, json};
use tenancy::TenantId;

use crate::foreign::python;

const GITLEAKS: &str = include_str!("../../../../deploy/gitleaks.toml");
const GITHUB: &str = include_str!("../../../../deploy/github-secret-scanning.json");
const DOCUMENT: &str = include_str!("../../../../docs/secrets.md");

/// Texts that leak a secret: settings, logs, addresses.
fn leaks(secret: &str) -> [String; 5] {
    [
        secret.to_owned(),
        format!("client_secret: {secret}"),
        format!("LATCHKEY_SECRET=\"{secret}\"\n"),
        format!("curl -d client_secret={secret}&scope=a https://auth.example"),
        format!("https://svc:{secret}@auth.example/token"),
    ]
}

fn lookalikes(secret: &str) -> [String; 8] {
    [
        secret[..secret.len() - 1].to_owned(),
        format!("{secret}0"),
        format!("x{secret}"),
        format!("_{secret}"),
        secret.replacen("lk_", "sk_", 1),
        secret.replacen("lk_", "LK_", 1),
        format!("{}-{}", &secret[..20], &secret[21..]),
        format!("lk_{}", "0".repeat(49)),
    ]
}

/// Searches as gitleaks does with the file: for a text with the keyword, the pattern, and the entropy of the
/// match.
fn find(texts: &[String]) -> Vec<Value> {
    let script = "
import json, math, os, re, tomllib

rules = tomllib.loads(os.environ['RULES'])['rules']

def find(text):
    return next((secret for rule in rules if (secret := find_by(rule, text))), None)

def find_by(rule, text):
    if not any(word in text.lower() for word in rule['keywords']):
        return None
    match = re.search(rule['regex'], text)
    if not match:
        return None
    secret = match.group(rule['secretGroup'])
    shares = [secret.count(character) / len(secret) for character in set(secret)]
    return secret if -sum(share * math.log2(share) for share in shares) > rule['entropy'] else None

print(json.dumps([find(text) for text in json.loads(os.environ['TEXTS'])]))
";
    let texts = json!(texts).to_string();
    let out = python(script, &[("RULES", GITLEAKS), ("TEXTS", &texts)]).output();
    serde_json::from_str(&out).unwrap()
}

#[test]
fn gitleaks_rule_finds_secrets_and_no_lookalikes() {
    let earlier = || GeneratedSecret::generate().secret.expose().to_owned();
    let secrets: Vec<_> = (0..50).map(|_| generated()).chain([earlier()]).collect();
    let found: Vec<_> = secrets.iter().flat_map(|secret| leaks(secret)).collect();
    let passed: Vec<_> = secrets.iter().flat_map(|secret| lookalikes(secret)).collect();
    for (text, secret) in found.iter().zip(find(&found)) {
        assert!(secret.as_str().is_some_and(GeneratedSecret::is_well_formed), "{text}");
    }
    for (text, secret) in passed.iter().zip(find(&passed)) {
        assert_eq!(secret, Value::Null, "{text}");
    }
}

/// Tests keys with and without a brand.
#[test]
fn gitleaks_rule_finds_whole_api_keys() {
    let keys = [None, Some("acme_live"), Some("a")].map(|brand| GeneratedApiKey::generate(brand).key);
    let texts: Vec<_> = keys.iter().flat_map(|key| leaks(key.expose())).collect();
    let passed = keys.iter().map(|key| format!("{}0", key.expose()));
    let found = find(&texts.iter().cloned().chain(passed).collect::<Vec<_>>());
    let whole: Vec<_> = keys.iter().flat_map(|key| [key.expose(); 5]).map(Value::from).collect();
    assert_eq!(found, [whole, vec![Value::Null; 3]].concat());
}

/// A token of `keys::TokenKey`, of the smallest length.
const OPAQUE: &str = "lk_at_AQAAAAI9o1mZt3v0bD-8q_Yk2LhTgRnWxUc5EjSf7iQpAeJ4rN6uKyHsVzGdBwMlCXtOFPa0-vI8_k3D9mZqYbT2LhRgUnWxEc5SjQf7ipAeJ4rN6uKyHsVzGdBwMlCxyz";

#[test]
fn patterns_find_opaque_tokens() {
    let texts = leaks(OPAQUE);
    assert_eq!(find(&texts), vec![Value::from(OPAQUE); texts.len()]);
    assert_eq!(find(&[OPAQUE[..100].to_owned(), OPAQUE[1..].to_owned()]), [Value::Null, Value::Null]);
}

/// GitHub's patterns define the text around a match separately.
#[test]
fn github_patterns_find_credentials_and_no_lookalikes() {
    let script = "
import json, os, re

patterns = [re.compile(f\"(?:{p['before_secret']})({p['secret_format']})(?:{p['after_secret']})\".replace(r'\\z', r'\\Z')) for p in json.loads(os.environ['RULES'])['patterns']]

def find(text):
    return next((match.group(1) for pattern in patterns if (match := pattern.search(text))), None)

print(json.dumps([find(text) for text in json.loads(os.environ['TEXTS'])]))
";
    let find = |texts: &[String]| -> Vec<Value> {
        let texts = json!(texts).to_string();
        serde_json::from_str(&python(script, &[("RULES", GITHUB), ("TEXTS", &texts)]).output()).unwrap()
    };
    let (secret, key) = (generated(), GeneratedApiKey::generate(Some("acme_live")).key);
    for credential in [&*secret, key.expose(), OPAQUE] {
        assert_eq!(find(&leaks(credential)), vec![Value::from(credential); 5]);
    }
    // Only the checksum distinguishes the last text from a secret.
    let passed = lookalikes(&secret);
    assert_eq!(find(&passed[..passed.len() - 1]), vec![Value::Null; passed.len() - 1]);
}

/// Runs the document's example as printed.
#[test]
fn documented_example_checks_the_checksum_of_secrets() {
    let secret = generated();
    let changed = |at: usize| {
        let other = if secret.as_bytes()[at] == b'a' { "b" } else { "a" };
        format!("{}{other}{}", &secret[..at], &secret[at + 1..])
    };
    let mut texts = vec![secret.clone()];
    texts.extend((0..secret.len()).map(changed));
    texts.extend(lookalikes(&secret));
    let example = DOCUMENT.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let script = format!(
        "{example}
import json, os
print(json.dumps([is_latchkey_secret(text) for text in json.loads(os.environ['TEXTS'])]))
"
    );
    let out = python(&script, &[("TEXTS", &json!(texts).to_string())]).output();
    let verdicts: Vec<bool> = serde_json::from_str(&out).unwrap();
    for (text, verdict) in texts.iter().zip(verdicts) {
        assert_eq!(verdict, *text == secret, "{text}");
    }
}

/// A generated secret that no program of a test uses, so a failed test may print it. It begins with the start
/// of a tenant's id.
fn generated() -> String {
    let tenant = TenantId::parse("acme-shop-eu-1").unwrap();
    GeneratedSecret::from_tenant(&tenant).secret.expose().to_owned()
}
