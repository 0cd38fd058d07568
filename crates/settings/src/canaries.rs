//! Tests that no message about the settings repeats a secret, however the file is broken. Every value that
//! may be a secret is a canary. The files are broken in a thousand generated ways. The test searches the
//! output of `check` and the log of a reload for canaries.

use std::fs;

use testkit::Random;
use values::Timestamp;

use super::{Environment, diagnostic::Diagnostic, inspect, refuse_beyond_loopback};

/// How many broken files are generated. They are the same in each run.
const WAYS: u64 = 1000;
const CANARY: &str = "canary";

/// `<10s>` is a canary. Sometimes it is replaced by the value between the brackets, so that the rules behind
/// the types also run.
const SERVER: &str = "# The whole server.
server:
  public_url: http://localhost:3000
  listeners:
    - address: 127.0.0.1:0
      serves: [public, admin]
  default_tenant: acme
storage:
  url: <postgres://user:§@db.example/latchkey>
cache: { redis_url: <redis://:§@cache.example>, l1_lifetime: <10s> }
keys:
  sealing_key:
    vault:
      address: <https://§.example>
      transit_key: <key>
      mount: \"<transit>\"
      namespace: <eu>
      token: { file: <token> }
      ca: '<ca.pem>'
  former_sealing_keys:
    - file: <old.key>
    - { env: <OLD> }
    - aws_kms: { key_id: <id>, region: <eu>, endpoint: <https://§.example> }
admin:
  users:
    ann: { password: { value: <one two> }, permissions: [<system>, \"<other>\"] }
    bob:
      password:
        hash: $argon2id$v=19$m=19456,t=2,p=1$<c2FsdHNhbHRzYWx0>$<aGFzaGhhc2g>
      permissions:
        - <system>
  applications:
    - <550e8400>
limits: { failed_attempts: 10/min, live_secrets: 5 }
protected_resource: { tenant: acme, audience: orders }
";
const TENANT: &str = "name: Acme
issuer_aliases: [thunder]
strategies: { oauth2: { enabled: true } }
signing:
  algorithm: RS256
  first_key:
    value: |
      -----BEGIN PRIVATE KEY-----
      <MC4CAQAw>
      <BQYDK2Vw>
      -----END PRIVATE KEY-----
access_token: { lifetime: 1h, typ: JWT }
resource_servers:
  orders: { scopes: [orders:read, orders:write], clients: [web] }
clients:
  web:
    name: Web
    client_secret: { value: <one>, expires: <2027-01-31> }
    scopes: [orders:read]
  batch:
    client_secrets:
      - value: \"<two, three>\"
        expires: <2027-01-31>
      - { env: <FOUR> }
      - file: <five>
      - hash: '<six>'
    audiences: [orders]
  app: { client_secret: { file: <seven> }, token: { issuer: thunder }, scopes: [orders:read] }
  last:
    client_secret:
      value: >
        <eight>
        <nine>
";
/// Files that are not settings of Latchkey.
const NO_SETTINGS: [&str; 8] = [
    "§",
    "PASSWORD=§\nTOKEN=§\n",
    "- §\n- url: §\n",
    "[database]\nurl = §\n",
    "-----BEGIN PRIVATE KEY-----\n§\n-----END PRIVATE KEY-----\n",
    "root:$6$§:19000:0:99999:7:::\n",
    "\"§\n",
    "machine example.com login § password §\n# §\n",
];

/// A generator that draws the same values in each run.
struct Draw(Random);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit.max(1))
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }

    fn canary(&mut self) -> String {
        let tail: String = (0..4).map(|_| self.of(&["a", "k", "x", "z"])).collect();
        let before = self.of(&["", "", "", "", "!", "&", "*", "#", "lk_", "S3-", "'", "@", "a: "]);
        format!("{before}{CANARY}{tail}{}", self.of(&["", "", "", "-7", " b", "; c", "#d", ": e", "=="]))
    }

    /// Replaces each place that may contain a secret by a different canary.
    fn with_canaries(&mut self, text: &str) -> String {
        let mut filled = String::new();
        for part in text.split_inclusive('>') {
            match part.strip_suffix('>').and_then(|part| part.split_once('<')) {
                Some((before, value)) if self.below(4) == 0 => filled += &format!("{before}{value}"),
                Some((before, value)) if value.contains('§') => filled += &format!("{before}{value}"),
                Some((before, _)) => filled += &format!("{before}§"),
                None => filled += part,
            }
        }
        while filled.contains('§') {
            filled = filled.replacen('§', &self.canary(), 1);
        }
        filled
    }
}

/// Breaks a text in one random way.
fn break_once(text: &str, draw: &mut Draw) -> String {
    const MARKS: [&str; 22] = [
        "{", "}", "[", "]", ":", ": ", ",", "\"", "'", "#", " # ", "!", "&", "*", "|", ">", "- ", "? ", "\t",
        "\n", "%", "<<: ",
    ];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = draw.below(lines.len());
    let Some(line) = lines.get(at).cloned() else { return text.to_owned() };
    let indentation = &line[..line.len() - line.trim_start().len()];
    let value = line.find(": ").map(|colon| colon + 2);
    match (draw.below(19), value) {
        (0, _) => drop(lines.remove(at)),
        // The key, a word of the line, or the end of the line is missing.
        (1, Some(value)) => lines[at] = format!("{indentation}{}", &line[value..]),
        (2, Some(value)) => lines[at] = line[..value].to_owned(),
        (3, _) => {
            let mut words: Vec<&str> = line.split(' ').collect();
            words.remove(draw.below(words.len()));
            lines[at] = words.join(" ");
        }
        // The value has another kind than expected.
        (4, Some(value)) => {
            let (open, close) =
                [("[", "]"), ("{ ", " }"), ("{ value: ", " }"), ("[[", "]]"), ("{ ? ", " }"), ("- ", "")]
                    [draw.below(6)];
            lines[at] = format!("{}{open}{}{close}", &line[..value], &line[value..]);
        }
        (5, Some(value)) => {
            let before = draw.of(&[
                "!",
                "!!str ",
                "!!binary ",
                "!x ",
                "&a ",
                "*",
                "|",
                ">",
                "\"",
                "'",
                "@",
                "%",
                "`",
                "# ",
                "- ",
                "? ",
                "~ ",
            ]);
            lines[at] = format!("{}{before}{}", &line[..value], &line[value..]);
        }
        // A key is misspelt.
        (6 | 7, _) => {
            let letters: Vec<usize> =
                line.char_indices().filter(|(_, c)| c.is_ascii_lowercase()).map(|(at, _)| at).collect();
            if let Some(&letter) = letters.get(draw.below(letters.len())) {
                lines[at].replace_range(letter..=letter, draw.of(&["", "q", "aa", "_", "-", "U"]));
            }
        }
        (8, _) => lines[at] = format!("{}{}", draw.of(&["\t", " ", "   ", "- "]), line),
        (9, _) => lines[at] = line.trim_start().to_owned(),
        (10, _) => lines.insert(at, line),
        (11, _) => {
            let inserted = draw.of(&["---", "...", "%YAML 3", "§", "- §"]);
            lines.insert(at, inserted.replace('§', &draw.canary().replace(": ", "")));
        }
        // A value is moved to another place.
        (12, Some(value)) => {
            lines[at] = format!("{}&a {}", &line[..value], &line[value..]);
            let other = draw.below(lines.len());
            if let Some(colon) = lines[other].find(": ").filter(|_| other > at) {
                let alias = draw.of(&["*a", "[*a]", "{ <<: *a }", "{ *a : x }"]);
                lines[other] = format!("{}: {alias}", &lines[other][..colon]);
            }
        }
        (13, _) => {
            let next = if at + 1 < lines.len() { lines.remove(at + 1) } else { String::new() };
            lines[at] += &next;
        }
        (14, _) => {
            let end = (0..=draw.below(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            return text[..end].to_owned();
        }
        (15, _) => lines = lines.iter().map(|line| format!("- {line}")).collect(),
        (16 | 17, _) => {
            let marks: Vec<usize> =
                text.char_indices().filter(|(_, c)| "{}[]:,\"'\n".contains(*c)).map(|(at, _)| at).collect();
            if let Some(&mark) = marks.get(draw.below(marks.len())) {
                return format!("{}{}", &text[..mark], &text[mark + 1..]);
            }
        }
        _ => {
            let place = (0..=draw.below(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            return format!("{}{}{}", &text[..place], draw.of(&MARKS), &text[place..]);
        }
    }
    lines.join("\n") + "\n"
}

/// All messages about these files: of `check`, and in the log.
fn said_of(config: &str, tenant: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    fs::write(&path, config).unwrap();
    if let Some(tenant) = tenant {
        fs::create_dir(folder.path().join("tenants.d")).unwrap();
        fs::write(folder.path().join("tenants.d/acme.yaml"), tenant).unwrap();
    }
    let both = |found: &Diagnostic| format!("{found}\n{}\n", found.brief());
    match inspect(&path, &Environment::default(), Timestamp::from_seconds(1_800_000_000)) {
        Ok(loaded) => {
            let warnings: String = loaded.warnings.iter().map(both).collect();
            format!(
                "{warnings}{:?}\n{loaded:?}",
                refuse_beyond_loopback(&loaded, true).map_err(|it| it.to_string())
            )
        }
        Err(error) => format!("{error}\n{}", error.faults.iter().map(both).collect::<String>()),
    }
}

// [found 14]: Messages about faulty settings could show a secret, in the log too | fixed | A message shows a
//   line only if it cannot contain a secret. A test puts secrets at every value that may be one and breaks
//   the file in a thousand ways; no output shows one
#[test]
fn broken_files_never_show_a_secret() {
    let nested: String = TENANT.lines().map(|line| format!("    {line}\n")).collect();
    let whole = format!("{SERVER}tenants:\n  acme:\n{nested}");
    let (mut found, mut refused) = (Vec::new(), 0);
    for way in 0..WAYS {
        let mut draw = Draw(Random(way));
        let template = match way % 4 {
            0 | 1 => whole.clone(),
            2 => TENANT.to_owned(),
            _ if draw.below(4) == 0 => draw.of(&NO_SETTINGS).to_owned(),
            _ => whole.lines().filter(|_| draw.below(8) > 0).map(|line| format!("{line}\n")).collect(),
        };
        let mut text = draw.with_canaries(&template);
        for _ in 0..1 + draw.below(3) {
            text = break_once(&text, &mut draw);
        }
        let said = match way % 4 {
            2 => said_of("tenants_dir: tenants.d\n", Some(&text)),
            3 if draw.below(2) == 0 => said_of("tenants_dir: tenants.d\n", Some(&text)),
            _ => said_of(&text, None),
        };
        refused += usize::from(said.contains("\n  ") || said.contains("acme.yaml: "));
        if said.contains(CANARY) {
            found.push(format!("{way}: {said}\n{text}"));
        }
    }
    assert!(found.is_empty(), "{} ways show a canary; the first:\n{}", found.len(), found.join("\n=====\n"));
    assert!(refused > 900, "only {refused} of the files were refused");
}
