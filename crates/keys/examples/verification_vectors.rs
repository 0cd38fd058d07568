//! Writes the vectors that this crate's verification and the crate `latchkey-verifier` both read:
//! `verification_vectors FOLDER`. Each outcome is written here by hand, from the RFCs, and not computed.

use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::EncodingKey;
use keys::{KeyId, SigningKey, import};
use protocol::SigningAlgorithm;
use serde_json::{Value, json};
use values::Secret;

const RSA: &str = include_str!("../tests/keys/rsa2048.pkcs8.pem");
const P256: &str = include_str!("../tests/keys/p256.pkcs8.pem");
const P384: &str = include_str!("../tests/keys/p384.pkcs8.pem");
const ED25519: &str = include_str!("../tests/keys/ed25519.pkcs8.pem");

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://id.example.com/api/v1/tenant/acme";
const AUDIENCE: &str = "orders-api";
/// The keys of the set are numbered in this order.
const ALGORITHMS: [SigningAlgorithm; 7] = SigningAlgorithm::ALL;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// An error with the check that finds it.
type Refused = (&'static str, &'static str);
const MALFORMED: &str = "malformed";
const BAD_SIGNATURE: Refused = ("signature_invalid", "signature");
const NO_ALGORITHM: Refused = ("algorithm_not_allowed", "alg");
const OTHER_ALGORITHM: Refused = ("algorithm_not_allowed", "key-alg");
const UNKNOWN_KEY: Refused = ("unknown_key", "kid");

struct Vectors {
    keys: Vec<(SigningAlgorithm, EncodingKey, Value)>,
    cases: Vec<Value>,
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: verification_vectors FOLDER")?;
    let mut vectors = Vectors { keys: Vec::new(), cases: Vec::new() };
    for (number, algorithm) in (1..).zip(ALGORITHMS) {
        let (pem, key) = match algorithm {
            SigningAlgorithm::ES256 => (P256, EncodingKey::from_ec_pem(P256.as_bytes())?),
            SigningAlgorithm::ES384 => (P384, EncodingKey::from_ec_pem(P384.as_bytes())?),
            SigningAlgorithm::EdDSA => (ED25519, EncodingKey::from_ed_pem(ED25519.as_bytes())?),
            _ => (RSA, EncodingKey::from_rsa_pem(RSA.as_bytes())?),
        };
        let imported = import(&Secret::new(pem.to_owned()), algorithm)?;
        let parsed = SigningKey::parse(KeyId::numbered(number), algorithm, imported.pkcs8.expose())?;
        vectors.keys.push((algorithm, key, json!(parsed.jwk)));
    }
    for (name, about, add) in [
        ("form", "The compact form (RFC 7515 section 7.1)", Vectors::form as fn(&mut Vectors) -> Result<()>),
        ("header", "The JOSE header (RFC 7515 section 4, RFC 8725 section 3)", Vectors::header),
        ("keys", "Key sets (RFC 7517, RFC 7518 section 6)", Vectors::key_sets),
        ("claims", "The claims (RFC 7519 section 4.1, RFC 9068 section 2.2)", Vectors::claims),
    ] {
        add(&mut vectors)?;
        let document = json!({
            "about": about, "issuer": ISSUER, "audience": AUDIENCE, "typs": ["at+jwt"], "now": NOW,
            "key_set": vectors.key_set(), "cases": std::mem::take(&mut vectors.cases),
        });
        let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
        fs::write(Path::new(&folder).join(format!("{name}.json")), text)?;
    }
    Ok(())
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "shipping", "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "1",
        "client_id": "shipping", "scope": "orders:read",
    })
}

/// The claims with another value of one.
fn claims_with(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    claims.to_string()
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().map(|members| members.remove(name));
    object
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn header(algorithm: SigningAlgorithm) -> Value {
    json!({ "alg": algorithm, "typ": "at+jwt", "kid": kid(algorithm) })
}

fn kid(algorithm: SigningAlgorithm) -> String {
    let index = ALGORITHMS.iter().position(|other| *other == algorithm).unwrap_or_default();
    format!("oauth2-key-{}", index + 1)
}

impl Vectors {
    fn key_set(&self) -> Value {
        json!({ "keys": self.keys.iter().map(|(_, _, jwk)| jwk).collect::<Vec<_>>() })
    }

    fn jwk(&self, algorithm: SigningAlgorithm) -> Value {
        self.keys.iter().find(|(other, _, _)| *other == algorithm).map_or(Value::Null, |key| key.2.clone())
    }

    /// Signs header and claims as they are, whatever they say.
    fn signed(&self, header: &str, claims: &str, algorithm: SigningAlgorithm) -> Result<String> {
        let key = self.keys.iter().find(|(other, _, _)| *other == algorithm).ok_or("no key")?;
        let signed = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key.1, algorithm.as_str().parse()?)?;
        Ok(format!("{signed}.{signature}"))
    }

    /// Signs these claims with the key of Ed25519.
    fn signed_claims(&self, claims: &str) -> Result<String> {
        self.signed(&header(SigningAlgorithm::EdDSA).to_string(), claims, SigningAlgorithm::EdDSA)
    }

    /// Signs good claims with the key of Ed25519, under a header with another value of a member.
    fn with_header(&self, name: &str, value: Value) -> Result<String> {
        self.good_with(&with(header(SigningAlgorithm::EdDSA), name, value), SigningAlgorithm::EdDSA)
    }

    fn without_header(&self, name: &str) -> Result<String> {
        self.good_with(&without(header(SigningAlgorithm::EdDSA), name), SigningAlgorithm::EdDSA)
    }

    fn good(&self, algorithm: SigningAlgorithm) -> Result<String> {
        self.good_with(&header(algorithm), algorithm)
    }

    fn good_with(&self, header: &Value, algorithm: SigningAlgorithm) -> Result<String> {
        self.signed(&header.to_string(), &claims().to_string(), algorithm)
    }

    /// Adds a case. `more` are the expectations that differ from those of the file.
    fn add(&mut self, name: &str, token: &str, refused: Option<Refused>, more: Value) {
        let mut case = json!({ "name": name, "token": token });
        if let Some((error, check)) = refused {
            case["error"] = json!(error);
            case["check"] = json!(check);
        }
        if let (Some(case), Value::Object(more)) = (case.as_object_mut(), more) {
            case.extend(more);
        }
        self.cases.push(case);
    }

    fn refuse(&mut self, name: &str, token: &str, refused: Refused) {
        self.add(name, token, Some(refused), Value::Null);
    }

    fn form(&mut self) -> Result<()> {
        use SigningAlgorithm::{EdDSA, RS256};
        for algorithm in ALGORITHMS {
            let token = self.good(algorithm)?;
            self.add(&format!("a good token of {algorithm}"), &token, None, Value::Null);
        }
        let token = self.good(EdDSA)?;
        let parts: Vec<&str> = token.split('.').collect();
        let [head, body, signature] = parts.as_slice() else { return Err("three parts".into()) };
        let exact = |length: usize| {
            format!("{head}.{}.{signature}", "A".repeat(length - head.len() - signature.len() - 2))
        };
        for (name, token, check) in [
            ("no text", String::new(), "parts"),
            ("a dot", ".".to_owned(), "parts"),
            ("empty parts", "..".to_owned(), "header-json"),
            ("three dots", "...".to_owned(), "parts"),
            ("an opaque token", "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), "parts"),
            ("without a signature part", format!("{head}.{body}"), "parts"),
            ("with a dot at the end", format!("{token}."), "parts"),
            ("with a dot before it", format!(".{token}"), "parts"),
            ("five parts", format!("{token}.{head}.{body}"), "parts"),
            ("padding of the header", format!("{head}=.{body}.{signature}"), "encoding"),
            ("padding of the claims", format!("{head}.{body}=.{signature}"), "encoding"),
            ("padding of the signature", format!("{head}.{body}.{signature}=="), "encoding"),
            ("a blank before it", format!(" {token}"), "encoding"),
            ("a blank in it", format!("{head}. {body}.{signature}"), "encoding"),
            ("a line break behind it", format!("{token}\n"), "encoding"),
            (
                "a character of base64 that base64url lacks",
                format!("{head}.{body}.+{}", &signature[1..]),
                "encoding",
            ),
            ("a letter outside of ASCII", format!("{head}.{body}.\u{e9}{signature}"), "encoding"),
            ("a signature with one character less", token[..token.len() - 1].to_owned(), "encoding"),
            (
                "bits behind the last byte of the signature",
                format!("{}B", &token[..token.len() - 1]),
                "encoding",
            ),
            ("a header that is no UTF-8", format!("_w.{body}.{signature}"), "encoding"),
            ("claims that are no UTF-8", format!("{head}._w.{signature}"), "encoding"),
            ("16 KiB and a byte", exact(16 * 1024 + 1), "length"),
            ("16 KiB of no JSON", exact(16 * 1024), "claims-json"),
            ("with the prefix of a header", format!("Bearer {token}"), "encoding"),
        ] {
            self.refuse(name, &token, (MALFORMED, check));
        }
        let rsa = self.good(RS256)?;
        let (rsa_signed, rsa_signature) = rsa.rsplit_once('.').ok_or("a signature")?;
        let bytes = BASE64URL.decode(signature)?;
        let flipped = |index: usize| {
            let mut bytes = bytes.clone();
            bytes[index] ^= 1;
            format!("{head}.{body}.{}", BASE64URL.encode(bytes))
        };
        let other_claims = BASE64URL.encode(claims_with("scope", json!("orders:write")));
        let short = BASE64URL.encode(&bytes[..63]);
        let long = BASE64URL.encode([bytes.as_slice(), &[0]].concat());
        for (name, token) in [
            ("no signature", format!("{head}.{body}.")),
            ("a signature with its first bit changed", flipped(0)),
            ("a signature with its last bit changed", flipped(63)),
            ("a signature that is cut", format!("{head}.{body}.{short}")),
            ("a signature with a character more", format!("{token}A")),
            ("a signature with a byte more", format!("{head}.{body}.{long}")),
            ("a signature of zeros", format!("{head}.{body}.{}", BASE64URL.encode([0; 64]))),
            ("the signature of other claims", format!("{head}.{other_claims}.{signature}")),
            ("the signature of another key", format!("{head}.{body}.{rsa_signature}")),
            ("an RSA token with another signature", format!("{rsa_signed}.{signature}")),
        ] {
            self.refuse(name, &token, BAD_SIGNATURE);
        }
        for algorithm in [SigningAlgorithm::ES256, SigningAlgorithm::ES384] {
            let token = self.good(algorithm)?;
            let (signed, signature) = token.rsplit_once('.').ok_or("a signature")?;
            let length = BASE64URL.decode(signature)?.len();
            // CVE-2022-21449: r and s of zero.
            let zeros = BASE64URL.encode(vec![0; length]);
            let der = BASE64URL.encode([0x30, 6, 2, 1, 1, 2, 1, 1]);
            for (name, signature) in [("r and s of zero", zeros), ("a signature in DER", der)] {
                let name = format!("{algorithm} with {name}");
                self.refuse(&name, &format!("{signed}.{signature}"), BAD_SIGNATURE);
            }
        }
        for (name, header) in [
            ("an empty header", ""),
            ("a header of null", "null"),
            ("a header that is a list", "[\"EdDSA\"]"),
            ("a header that is a text", "\"EdDSA\""),
            ("a header that is cut", "{\"alg\":\"EdDSA\""),
            ("a header with more behind it", "{\"alg\":\"EdDSA\"}{}"),
            ("a header with a comma too many", "{\"alg\":\"EdDSA\",}"),
            (
                "a header with `alg` twice",
                r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"oauth2-key-7"}"#,
            ),
            ("a header with `kid` twice", r#"{"alg":"EdDSA","typ":"at+jwt","kid":"a","kid":"oauth2-key-7"}"#),
            (
                "a header with a name twice, once escaped",
                r#"{"alg":"EdDSA","kid":"oauth2-key-7","a":1,"\u0061":1}"#,
            ),
        ] {
            let token = self.signed(header, &claims().to_string(), EdDSA)?;
            self.refuse(name, &token, (MALFORMED, "header-json"));
        }
        let twice = |name: &str, value: &str| {
            claims().to_string().replacen('{', &format!("{{\"{name}\":{value},"), 1)
        };
        let many: String = (0..100).map(|number| format!("\"{number}\":0,")).collect();
        for (name, claims) in [
            ("empty claims", String::new()),
            ("claims of null", "null".to_owned()),
            ("claims that are a list", format!("[\"{ISSUER}\"]")),
            ("claims that are cut", "{\"iss\":".to_owned()),
            ("claims with more behind them", format!("{}x", claims())),
            ("claims with `iss` twice", twice("iss", "\"https://evil.example\"")),
            ("claims with `exp` twice", twice("exp", "9999999999")),
            ("claims with `sub` twice, once escaped", twice("su\\u0062", "\"admin\"")),
            (
                "claims with more than 100 members",
                claims().to_string().replacen('{', &format!("{{{many}"), 1),
            ),
            (
                "claims nested 200 deep",
                claims_with("deep", json!(1))
                    .replace(":1,", &format!(":{}{},", "[".repeat(200), "]".repeat(200))),
            ),
        ] {
            let token = self.signed_claims(&claims)?;
            self.refuse(name, &token, (MALFORMED, "claims-json"));
        }
        Ok(())
    }

    fn header(&mut self) -> Result<()> {
        use SigningAlgorithm::{ES256, EdDSA, PS256, RS256, RS384};
        for (name, value) in [
            ("jku", json!("https://evil.example/jwks")),
            ("jwk", self.jwk(EdDSA)),
            ("x5u", json!("https://evil.example/cert")),
            ("x5c", json!(["AAAA"])),
            ("x5t", json!("AAAA")),
            ("x5t#S256", json!("AAAA")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("jku", Value::Null),
        ] {
            let title = format!("`{name}` of {value}");
            let token = self.with_header(name, value)?;
            self.refuse(&title, &token, ("header_not_allowed", "header"));
        }
        for (name, value) in [
            ("alg", json!(7)),
            ("alg", Value::Null),
            ("alg", json!(["EdDSA"])),
            ("kid", json!(7)),
            ("kid", Value::Null),
            ("kid", json!({})),
            ("typ", json!(7)),
            ("typ", Value::Null),
        ] {
            let title = format!("`{name}` is {value}");
            let token = self.with_header(name, value)?;
            self.refuse(&title, &token, (MALFORMED, "header-types"));
        }
        let token = self.without_header("alg")?;
        self.refuse("without `alg`", &token, (MALFORMED, "header-types"));
        for alg in [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "RS1", "ES512", "ES256K",
            "PS384", "RSA-OAEP", "Ed25519", "EdDSA ", "dir",
        ] {
            let header = with(header(EdDSA), "alg", json!(alg)).to_string();
            let unsigned =
                format!("{}.{}.", BASE64URL.encode(&header), BASE64URL.encode(claims().to_string()));
            let token = self.signed(&header, &claims().to_string(), EdDSA)?;
            let token = if alg.eq_ignore_ascii_case("none") { unsigned } else { token };
            self.refuse(&format!("`alg` is \"{alg}\""), &token, NO_ALGORITHM);
        }
        // RFC 8725 §2.1: the public key as the secret of an HMAC.
        let secret = self.jwk(RS256)["n"].as_str().map(|n| BASE64URL.decode(n)).ok_or("a modulus")??;
        let claims_text = claims().to_string();
        let confused = |alg: &str| {
            let header = with(header(RS256), "alg", json!(alg)).to_string();
            let signed = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(&claims_text));
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
            format!("{signed}.{}", BASE64URL.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes())))
        };
        self.refuse("HS256 with the public key as secret", &confused("HS256"), NO_ALGORITHM);
        self.refuse("an HMAC in place of RS256", &confused("RS256"), BAD_SIGNATURE);
        for (name, kid, signer) in [
            ("another algorithm of the same kind of key", kid(PS256), RS256),
            ("a longer hash than the key's", kid(RS256), RS384),
            ("another kind of key", kid(ES256), EdDSA),
        ] {
            let token = self.good_with(&with(header(signer), "kid", json!(kid)), signer)?;
            self.refuse(name, &token, OTHER_ALGORITHM);
        }
        for kid in ["", "oauth2-key-8", "OAUTH2-KEY-7", "oauth2-key-7 ", "../oauth2-key-7", "' OR 1=1 --"] {
            let token = self.with_header("kid", json!(kid))?;
            self.refuse(&format!("`kid` is \"{kid}\""), &token, UNKNOWN_KEY);
        }
        let token = self.without_header("kid")?;
        self.refuse("without `kid`", &token, UNKNOWN_KEY);
        for typ in ["AT+JWT", "application/at+jwt", "Application/AT+JWT"] {
            let token = self.with_header("typ", json!(typ))?;
            self.add(&format!("`typ` is \"{typ}\""), &token, None, Value::Null);
        }
        for typ in [
            "JWT",
            "",
            "at+jwt ",
            "at",
            "id+jwt",
            "dpop+jwt",
            "logout+jwt",
            "latchkey-revocations+jwt",
            "application/application/at+jwt",
        ] {
            let token = self.with_header("typ", json!(typ))?;
            self.refuse(&format!("`typ` is \"{typ}\""), &token, ("wrong_typ", "typ"));
        }
        let token = self.without_header("typ")?;
        self.refuse("without `typ`", &token, ("wrong_typ", "typ"));
        let token = self.with_header("typ", json!("JWT"))?;
        self.add("`typ` is the accepted \"JWT\"", &token, None, json!({ "typs": ["at+jwt", "JWT"] }));
        let token = self.with_header("cty", json!({ "a": [1] }))?;
        self.add("a member that nothing is known of", &token, None, Value::Null);
        Ok(())
    }

    fn key_sets(&mut self) -> Result<()> {
        use SigningAlgorithm::{ES256, ES384, EdDSA, PS256, RS256};
        let usable = |jwk: Value| json!({ "keys": [jwk] });
        for (name, algorithm, jwk) in [
            ("an RSA key without `alg` and `use`", RS256, without(without(self.jwk(RS256), "alg"), "use")),
            ("an EC key without `alg`", ES256, without(self.jwk(ES256), "alg")),
            ("a key of P-384 without `alg`", ES384, without(self.jwk(ES384), "alg")),
            ("an Ed25519 key without `alg`", EdDSA, without(self.jwk(EdDSA), "alg")),
            (
                "an Ed25519 key with the name of RFC 9864",
                EdDSA,
                with(self.jwk(EdDSA), "alg", json!("Ed25519")),
            ),
            (
                "a key for the operation `verify`",
                EdDSA,
                with(without(self.jwk(EdDSA), "use"), "key_ops", json!(["verify"])),
            ),
            ("a modulus with a leading zero", RS256, {
                let n = self.jwk(RS256)["n"].as_str().map(|n| BASE64URL.decode(n)).ok_or("a modulus")??;
                with(self.jwk(RS256), "n", json!(BASE64URL.encode([&[0], n.as_slice()].concat())))
            }),
            (
                "a key with a member that nothing is known of",
                EdDSA,
                with(self.jwk(EdDSA), "more", json!([1])),
            ),
        ] {
            let token = self.good(algorithm)?;
            self.add(name, &token, None, json!({ "key_set": usable(jwk) }));
        }
        let token = self.good(PS256)?;
        let jwk = without(self.jwk(PS256), "alg");
        self.add(
            "an RSA key without `alg` is for RS256 alone",
            &token,
            Some(OTHER_ALGORITHM),
            json!({ "key_set": usable(jwk) }),
        );
        let coordinate = |jwk: &Value, name: &str| {
            jwk[name].as_str().map(|text| BASE64URL.decode(text)).ok_or("a coordinate")
        };
        let ec = self.jwk(ES256);
        let (x, y) = (coordinate(&ec, "x")??, coordinate(&ec, "y")??);
        let point = [x.as_slice(), &y].concat();
        let split_at = |at: usize| {
            let jwk = with(ec.clone(), "x", json!(BASE64URL.encode(&point[..at])));
            with(jwk, "y", json!(BASE64URL.encode(&point[at..])))
        };
        let bits_1024 = BASE64URL.encode([255; 128]);
        for (name, algorithm, jwk) in [
            ("a key that is a text", EdDSA, json!("x")),
            ("a key without `kty`", EdDSA, without(self.jwk(EdDSA), "kty")),
            ("a key without `kid`", EdDSA, without(self.jwk(EdDSA), "kid")),
            ("a key whose `kid` is a number", EdDSA, with(self.jwk(EdDSA), "kid", json!(7))),
            ("a private key", EdDSA, with(self.jwk(EdDSA), "d", json!("AAAA"))),
            ("a symmetric key", EdDSA, json!({ "kty": "oct", "kid": "oauth2-key-7", "k": "AAAA" })),
            ("a key for encryption", EdDSA, with(self.jwk(EdDSA), "use", json!("enc"))),
            ("a key for the operation `sign`", EdDSA, with(self.jwk(EdDSA), "key_ops", json!(["sign"]))),
            ("a key for no operation", EdDSA, with(self.jwk(EdDSA), "key_ops", json!([]))),
            ("a key of another curve", ES256, with(self.jwk(ES256), "crv", json!("P-521"))),
            ("a key of secp256k1", ES256, with(self.jwk(ES256), "crv", json!("secp256k1"))),
            ("a key of Ed448", EdDSA, with(self.jwk(EdDSA), "crv", json!("Ed448"))),
            ("a key whose `alg` is of another kind", ES256, with(self.jwk(ES256), "alg", json!("RS256"))),
            ("a key whose `alg` is an HMAC", ES256, with(self.jwk(ES256), "alg", json!("HS256"))),
            ("an RSA key of 1024 bits", RS256, with(self.jwk(RS256), "n", json!(bits_1024))),
            ("an RSA key without exponent", RS256, without(self.jwk(RS256), "e")),
            ("an RSA key with an empty modulus", RS256, with(self.jwk(RS256), "n", json!(""))),
            ("an RSA key with the exponent 1", RS256, with(self.jwk(RS256), "e", json!("AQ"))),
            ("an EC key without `y`", ES256, without(self.jwk(ES256), "y")),
            (
                "an EC key with padding",
                ES256,
                with(self.jwk(ES256), "x", json!(format!("{}=", ec["x"].as_str().unwrap_or_default()))),
            ),
            ("an EC key off its curve", ES256, with(self.jwk(ES256), "y", json!(BASE64URL.encode([1; 32])))),
            // RFC 7518 §6.2.1.2: each coordinate has the full size.
            ("an EC key whose coordinates are split elsewhere", ES256, split_at(31)),
            ("an EC key whose `x` is the whole point", ES256, split_at(64)),
            (
                "an Ed25519 key of 31 bytes",
                EdDSA,
                with(self.jwk(EdDSA), "x", json!(BASE64URL.encode([1; 31]))),
            ),
        ] {
            let token = self.good(algorithm)?;
            // A key that cannot be used does not take the others with it.
            let set = json!({ "keys": [jwk, self.jwk(if algorithm == RS256 { ES256 } else { RS256 })] });
            self.add(&format!("{name} is left out"), &token, Some(UNKNOWN_KEY), json!({ "key_set": set }));
            let other = self.good(if algorithm == RS256 { ES256 } else { RS256 })?;
            self.add(&format!("a key beside: {name}"), &other, None, json!({ "key_set": set }));
        }
        let twice = json!({ "keys": [self.jwk(EdDSA), with(self.jwk(ES256), "kid", json!(kid(EdDSA)))] });
        let token = self.good(EdDSA)?;
        self.add("of two keys with one `kid` the first counts", &token, None, json!({ "key_set": twice }));
        let token = self.good_with(&with(header(ES256), "kid", json!(kid(EdDSA))), ES256)?;
        self.add(
            "of two keys with one `kid` the second does not",
            &token,
            Some(OTHER_ALGORITHM),
            json!({ "key_set": twice }),
        );
        Ok(())
    }

    fn claims(&mut self) -> Result<()> {
        let values = [
            ("null", Value::Null),
            ("true", json!(true)),
            ("7", json!(7)),
            ("-7", json!(-7)),
            ("a fraction", json!(1.5)),
            ("a text", json!("7")),
            ("a list", json!([7])),
            ("an object", json!({ "a": 1 })),
        ];
        for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "cnf"] {
            let check = match name {
                "iss" => "iss",
                "aud" | "exp" | "iat" | "nbf" => "claim-types",
                _ => "claims",
            };
            for (kind, value) in &values {
                // The one right type, and `null` for a claim that need not be there,
                // whose meaning no RFC says.
                let is_text = matches!(name, "iss" | "sub" | "aud" | "jti" | "client_id" | "scope");
                let is_right = *kind == if is_text { "a text" } else { "7" };
                if (is_right && name != "cnf") || (name == "scope" && *kind == "null") {
                    continue;
                }
                let token = self.signed_claims(&claims_with(name, value.clone()))?;
                self.refuse(&format!("`{name}` is {kind}"), &token, (MALFORMED, check));
            }
            if !matches!(name, "scope" | "cnf") {
                let token = self.signed_claims(&without(claims(), name).to_string())?;
                self.refuse(&format!("without `{name}`"), &token, (MALFORMED, check));
            }
        }
        let exponent = claims().to_string().replace(&format!("\"exp\":{}", NOW + 60), "\"exp\":1.70000006e9");
        let huge =
            claims().to_string().replace(&format!("\"exp\":{}", NOW + 60), "\"exp\":18446744073709551616");
        for (name, claims) in [("`exp` with an exponent", exponent), ("`exp` beyond 64 bits", huge)] {
            let token = self.signed_claims(&claims)?;
            self.refuse(name, &token, (MALFORMED, "claim-types"));
        }
        for iss in [
            "https://id.example.com/api/v1/tenant/globex",
            "https://id.example.com/api/v1/tenant/acme/",
            "https://ID.example.com/api/v1/tenant/acme",
            "http://id.example.com/api/v1/tenant/acme",
            "https://id.example.com:443/api/v1/tenant/acme",
            "https://id.example.com/api/v1/tenant/acme ",
            "https://id.example.com",
            "",
        ] {
            let token = self.signed_claims(&claims_with("iss", json!(iss)))?;
            self.refuse(&format!("`iss` is \"{iss}\""), &token, ("foreign_issuer", "iss"));
        }
        for (name, value, refused) in [
            ("exp", NOW + 1, None),
            ("exp", NOW, Some(("expired", "exp"))),
            ("exp", NOW - 1, Some(("expired", "exp"))),
            ("exp", 0, Some(("expired", "exp"))),
            ("exp", u64::MAX, None),
            ("nbf", NOW + 5, None),
            ("nbf", NOW + 6, Some(("not_yet_valid", "nbf"))),
            ("nbf", u64::MAX, Some(("not_yet_valid", "nbf"))),
            ("nbf", 0, None),
            ("iat", NOW + 5, None),
            ("iat", NOW + 6, Some(("not_yet_valid", "iat"))),
            ("iat", u64::MAX, Some(("not_yet_valid", "iat"))),
            ("iat", 0, None),
        ] {
            let token = self.signed_claims(&claims_with(name, json!(value)))?;
            self.add(&format!("`{name}` is {value}"), &token, refused, Value::Null);
        }
        for (aud, is_for_us) in [
            (json!([AUDIENCE]), true),
            (json!(["other", AUDIENCE]), true),
            (json!("other"), false),
            (json!([]), false),
            (json!(["orders-api/"]), false),
            (json!("Orders-API"), false),
            (json!("orders-api,other"), false),
            (json!(""), false),
        ] {
            let token = self.signed_claims(&claims_with("aud", aud.clone()))?;
            let refused = (!is_for_us).then_some(("wrong_audience", "aud"));
            self.add(&format!("`aud` is {aud}"), &token, refused, Value::Null);
        }
        let mixed = self.signed_claims(&claims_with("aud", json!([AUDIENCE, 7])))?;
        self.refuse("`aud` has a number", &mixed, (MALFORMED, "claim-types"));
        let without_scope = self.signed_claims(&without(claims(), "scope").to_string())?;
        self.add("without `scope`", &without_scope, None, Value::Null);
        let of_a_person = self.signed_claims(&claims_with("sub", json!("u-1")))?;
        self.add("of a person", &of_a_person, None, Value::Null);
        let more = self.signed_claims(&claims_with("more", json!({ "a": [1, null] })))?;
        self.add("a claim that nothing is known of", &more, None, Value::Null);
        let thumbprint = BASE64URL.encode([1; 32]);
        for (cnf, sender) in [
            (json!({ "jkt": thumbprint }), "needs_dpop_proof"),
            (json!({ "x5t#S256": thumbprint }), "other_certificate"),
            (json!({ "jkt": thumbprint, "x5t#S256": thumbprint }), "needs_dpop_proof"),
        ] {
            let token = self.signed_claims(&claims_with("cnf", cnf.clone()))?;
            self.add(&format!("`cnf` is {cnf}"), &token, None, json!({ "sender": sender }));
        }
        for cnf in [
            json!({}),
            json!({ "jwk": {} }),
            json!({ "jkt": thumbprint, "kid": "a" }),
            json!({ "jkt": "AAAA" }),
            json!({ "jkt": 7 }),
            json!({ "jkt": null }),
            json!({ "jkt": format!("{thumbprint}=") }),
            json!({ "x5t#S256": "" }),
            json!({ "x5t": thumbprint }),
        ] {
            let token = self.signed_claims(&claims_with("cnf", cnf.clone()))?;
            self.refuse(&format!("`cnf` is {cnf}"), &token, (MALFORMED, "claims"));
        }
        Ok(())
    }
}
