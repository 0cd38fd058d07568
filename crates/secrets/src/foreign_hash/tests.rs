//! Tests that hashes of other implementations match their passwords, and that expensive or malformed hashes
//! are refused.

use super::*;

const PASSWORD: &str = "correct horse battery staple \u{e9}";
/// From PyPI `bcrypt`: `bcrypt.hashpw(b"a" * 72, …)`.
const LONG: &str = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";

/// All are hashes of [`PASSWORD`], most with the salt `somesaltsomesalt`.
const VECTORS: &[&str] = &[
    // argon2-cffi: argon2.low_level.hash_secret; the last one with version=16.
    "$argon2id$v=19$m=1024,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$Bbc7AsSwsWnLmslps97XOc/5NtvR731yFk3utRv275E",
    "$argon2i$v=19$m=1024,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$zpVcHWWxmerCBSqUiZQ0TXSinvkP2Eclhq+ysJtjxeA",
    "$argon2i$v=16$m=512,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SC8AtH/uFrngqcpdfcJ3Bg",
    "$argon2i$m=512,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SC8AtH/uFrngqcpdfcJ3Bg",
    // Python: hashlib.scrypt, with digests of 32 and 64 bytes.
    "$scrypt$ln=10,r=8,p=2$c29tZXNhbHRzb21lc2FsdA$hZQYSzranVTpKYE6+DjsDHvZ1um91TNo7H28o3OWuLs",
    "$scrypt$ln=14,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$zI4PIen444h0pjRvXjxAunx3F1QDVR700OnwsVNurpXlXiFw3ojpfERXLp/pbD7WiDBNa2AIbojwRGnqPQEaLw",
    // passlib 1.7.4: passlib.hash.scrypt.
    "$scrypt$ln=9,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$hJgpd59pFHKod2V47fVvmmOYPoMfX4eKqIBC3yDy3s4",
    // Python: hashlib.pbkdf2_hmac.
    "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$xmigaFDFboECEZ1GEBf24cbTsQQlTHCBWtdZQHUQ2q0",
    "$pbkdf2-sha512$i=1000$c29tZXNhbHRzb21lc2FsdA$qYm1XMqhqJ9IfePn25yr72GeBz/xE8fxoBRUd+uy6UepgLH8Zk5fwQ/I63vYlMz4Bv73Ivg7bxhdzlY/eZ2XHg",
    // passlib 1.7.4: passlib.hash.pbkdf2_sha256.
    "$pbkdf2-sha256$1200$..../wBzb21lc2FsdA$aaGjEFfMe/OuQ0SqQ24AjYpN2txsWo3HIgPzZr64v5E",
    // PyPI bcrypt: bcrypt.hashpw with gensalt, and with a salt whose last character has trailing bits.
    "$2b$05$PdTo/JZ0oH61g9gPvfVufebv1vFT.N7ac4X39N4iLt.4qWrQ1/.3K",
    "$2a$05$1rUL7Vy43lPYxue0LDEpmOIcQrDF6lwybHL/ADyFRVtSccV9J0VQ6",
    "$2b$04$abcdefghijklmnopqrstuuKAbCf0FrEMqP6uxscx2X5vbhwe2ssIi",
    "$2b$04$abcdefghijklmnopqrstuvKAbCf0FrEMqP6uxscx2X5vbhwe2ssIi",
    // Apache 2.4: htpasswd -nbB -C 5.
    "$2y$05$oTVOELJFUFADWTsZZgPcWOhsFaDTYon9oLQa76VhT/KZsDW.yKAw6",
];

fn is_right(hash: &str, password: &str) -> bool {
    let hash: ForeignHash = hash.parse().unwrap();
    hash.verify(&Secret::new(password.to_owned())).unwrap()
}

#[test]
fn foreign_hash_matches_only_its_password() {
    for hash in VECTORS {
        assert!(is_right(hash, PASSWORD), "{hash}");
        for wrong in ["correct horse battery staple e", "", "x"] {
            assert!(!is_right(hash, wrong), "{hash} {wrong}");
        }
        let parsed: ForeignHash = hash.parse().unwrap();
        assert_eq!(parsed.to_string(), *hash);
        assert_eq!(format!("{parsed:?}"), "ForeignHash([redacted])");
    }
}

#[test]
fn bcrypt_uses_only_the_first_72_bytes() {
    let letters = |count| "a".repeat(count);
    assert!(is_right(LONG, &letters(72)) && is_right(LONG, &letters(90)));
    assert!(!is_right(LONG, &letters(71)));
    // bcrypt.hashpw(b"a" * 71, …)
    assert!(is_right("$2b$04$abcdefghijklmnopqrstuuMCu.k1vM/ywQwiONaEn3oEMlZoCVBd6", &letters(71)));
}

#[test]
fn too_costly_hashes_are_refused() {
    let (salt, digest) = ("c29tZXNhbHRzb21lc2FsdA", "xmigaFDFboECEZ1GEBf24cbTsQQlTHCBWtdZQHUQ2q0");
    let of = |head: &str| format!("{head}${salt}${digest}").parse::<ForeignHash>();
    let bcrypt = |cost: &str| LONG.replace("$04$", &format!("${cost}$")).parse::<ForeignHash>();
    let accepted = "$argon2id$v=19$m=262144,t=4,p=1 $argon2i$v=19$m=262144,t=4,p=8 $argon2i$v=19$m=1024,t=1024,p=1 \
        $scrypt$ln=18,r=8,p=4 $scrypt$ln=17,r=16,p=1 $pbkdf2-sha256$i=1000000 $pbkdf2-sha512$1000000";
    for accepted in accepted.split(' ').map(of).chain([bcrypt("14")]) {
        assert!(accepted.is_ok(), "{accepted:?}");
    }
    let refused = "$argon2id$v=19$m=262145,t=1,p=1 $argon2id$v=19$m=4294967295,t=1,p=1 \
        $argon2i$v=19$m=262144,t=5,p=1 $argon2i$v=19$m=1024,t=1025,p=1 $scrypt$ln=19,r=8,p=1 $scrypt$ln=18,r=9,p=1 \
        $scrypt$ln=63,r=4294967295,p=1 $scrypt$ln=10,r=8,p=5 $pbkdf2-sha256$i=1000001 $pbkdf2-sha512$4294967295";
    let two_blocks = format!("$pbkdf2-sha256$i=500001${salt}${digest}{}", "A".repeat(43)).parse();
    for refused in refused.split(' ').map(of).chain([two_blocks, bcrypt("15"), bcrypt("31")]) {
        assert!(matches!(refused, Err(ForeignHashError::TooCostly(_))), "{refused:?}");
    }
}

// [shared 2.1]
/// The digests have the length that those systems write.
#[test]
fn default_hashes_of_other_systems_can_be_imported() {
    let of = |head: &str, bytes: usize| {
        let (salt, digest) = ("c29tZXNhbHRzb21lc2FsdA", "A".repeat((bytes * 8).div_ceil(6)));
        format!("{head}${salt}${digest}").parse::<ForeignHash>().unwrap().check_cost()
    };
    let bcrypt =
        |cost: &str| LONG.replace("$04$", &format!("${cost}$")).parse::<ForeignHash>().unwrap().check_cost();
    for (what, admitted) in [
        ("Keycloak 25 and later", of("$argon2id$v=19$m=7168,t=5,p=1", 32)),
        ("Keycloak 24", of("$pbkdf2-sha512$i=210000", 64)),
        ("Keycloak before 24", of("$pbkdf2-sha256$i=27500", 64)),
        ("Auth0", bcrypt("10")),
        ("ASP.NET Identity of .NET 7 and later", of("$pbkdf2-sha512$i=100000", 32)),
        ("ASP.NET Identity before .NET 7", of("$pbkdf2-sha256$i=10000", 32)),
        ("OWASP of PBKDF2", of("$pbkdf2-sha256$i=600000", 32)),
        ("Django 5.2", of("$pbkdf2-sha256$i=1000000", 32)),
        ("OWASP of scrypt", of("$scrypt$ln=17,r=8,p=1", 32)),
        ("RFC 9106, second choice", of("$argon2id$v=19$m=65536,t=3,p=4", 32)),
        ("PHP of argon2", of("$argon2id$v=19$m=65536,t=4,p=1", 32)),
        ("PHP 8.4 of bcrypt", bcrypt("12")),
    ] {
        assert_eq!(admitted, Ok(()), "{what}");
    }
    for refused in [
        of("$argon2id$v=19$m=262144,t=4,p=1", 32),
        of("$argon2id$v=19$m=131073,t=2,p=1", 32),
        of("$argon2i$v=19$m=64,t=4097,p=1", 32),
        of("$scrypt$ln=18,r=8,p=1", 32),
        of("$scrypt$ln=16,r=8,p=3", 32),
        of("$pbkdf2-sha512$i=600001", 64),
        bcrypt("13"),
    ] {
        assert!(matches!(refused, Err(ForeignHashError::TooCostly(_))), "{refused:?}");
    }
}

#[test]
fn malformed_hashes_are_refused() {
    let salt = "c29tZXNhbHRzb21lc2FsdA";
    let mut malformed: Vec<_> = ["ln=0,r=8,p=1", "ln=64,r=8,p=1", "n=10,r=8,p=1", "ln=10,r=0,p=1"]
        .map(|of| format!("$scrypt${of}${salt}$hZQYSzranVTpKYE6+DjsDHvZ1um91TNo7H28o3OWuLs"))
        .into();
    let argon2 = VECTORS[0];
    for (part, other) in [
        ("v=19", "v=18"),
        ("v=19$", "v=19"),
        ("m=1024", "m=01024"),
        ("m=1024", "m=+1024"),
        ("m=1024", "m=1e3"),
        ("m=1024", "m=4294967296"),
        ("m=1024", "m=8"),
        ("m=1024,t=3", "t=3,m=1024"),
        ("t=3", "t=0"),
        ("p=4", "p=0"),
        ("p=4", "p=4,keyid=AAAA"),
        (salt, "c2FsdA"),
        (salt, ""),
        (salt, "c29tZXNhbHRzb21lc2FsdA=="),
        ("Bbc7AsSwsWnLmslps97XOc/5NtvR731yFk3utRv275E", "Bbc7AsSwsWnLmslps97X"),
        ("Bbc7AsSwsWnLmslps97XOc/5NtvR731yFk3utRv275E", ""),
    ] {
        malformed.push(argon2.replacen(part, other, 1));
    }
    malformed.extend([format!("{argon2}$"), format!("{argon2}$AAAA"), format!("{argon2} ")]);
    let pbkdf2 = VECTORS[7];
    for other in ["i=0", "i=", "i=1000,l=31", "l=32,i=1000", "0", "", "-1"] {
        malformed.push(pbkdf2.replace("i=1000,l=32", other));
    }
    for other in ["$4$", "$004$", "$03$", "$32$", "$xx$", "$+4$"] {
        malformed.push(LONG.replace("$04$", other));
    }
    malformed.extend([LONG[..59].to_owned(), format!("{LONG}a"), LONG.replace("BzzIg", "B+zIg")]);
    malformed.push(LONG.replace("uuBzz", "uu\u{e9}z"));
    for text in malformed {
        let parsed = text.parse::<ForeignHash>();
        assert!(matches!(parsed, Err(ForeignHashError::Malformed(_))), "{text} {parsed:?}");
    }
    for text in ["", "$", "secret", "$argon2d$v=19$m=8,t=1,p=1$AA$AA", "$1$salt$hash", "$2x$04$a", "$6$a$b"] {
        assert_eq!(text.parse::<ForeignHash>(), Err(ForeignHashError::Unknown), "{text}");
    }
}
