//! Tests `latchkey inspect` of client certificates: the content of each, and each check that a listener
//! makes.

use std::fs;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use serde_json::json;

use crate::folder::Folder;
use crate::host::assert_has;
use crate::inspected::{Inspected, inspect};

type Issuer = CertifiedIssuer<'static, KeyPair>;

const AT: [&str; 2] = ["--at", "2026-06-01T00:00:00Z"];

fn parameters(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "Example, Ltd");
    parameters.distinguished_name.push(DnType::CommonName, name);
    (parameters.not_before, parameters.not_after) =
        (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    parameters
}

fn of_authority(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut parameters = parameters(name, years);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// A folder with two authorities, an intermediate authority, and certificates of clients.
fn folder() -> Folder {
    let folder = Folder::with("");
    let ours = Issuer::self_signed(of_authority("ours", (2000, 2090)), key()).unwrap();
    let other = Issuer::self_signed(of_authority("other", (2000, 2090)), key()).unwrap();
    let between = Issuer::signed_by(of_authority("between", (2020, 2030)), key(), &ours).unwrap();
    let ended = Issuer::signed_by(of_authority("ended", (2020, 2021)), key(), &ours).unwrap();
    folder.write("ca.pem", &ours.pem());
    folder.write("other-ca.pem", &other.pem());
    let mut leaf = parameters("svc", (2026, 2027));
    leaf.subject_alt_names = vec![
        SanType::DnsName("svc.example.com".try_into().unwrap()),
        SanType::URI("spiffe://example.com/svc".try_into().unwrap()),
    ];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let own = key();
    let issued = leaf.signed_by(&own, &ours).unwrap();
    folder.write("issued.pem", &issued.pem());
    fs::write(folder.path("issued.der"), issued.der()).unwrap();
    folder.write("with-key.pem", &format!("{}{}", own.serialize_pem(), issued.pem()));
    folder.canaries.add(own.serialize_pem().lines().nth(1).unwrap());
    folder.write("key.pem", &own.serialize_pem());
    folder.write("self-signed.pem", &leaf.self_signed(&own).unwrap().pem());
    let chained = leaf.signed_by(&own, &between).unwrap().pem();
    folder.write("alone.pem", &chained);
    folder.write("chain.pem", &format!("{chained}{}", between.pem()));
    folder.write("ended.pem", &format!("{}{}", leaf.signed_by(&own, &ended).unwrap().pem(), ended.pem()));
    for (name, years) in [("expired", (2001, 2002)), ("early", (2027, 2028))] {
        folder.write(&format!("{name}.pem"), &parameters(name, years).signed_by(&own, &ours).unwrap().pem());
    }
    let mut for_servers = parameters("server", (2026, 2027));
    for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    folder.write("server.pem", &for_servers.signed_by(&own, &ours).unwrap().pem());
    folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
    folder
}

fn inspected(folder: &Folder, file: &str, arguments: &[&str]) -> Inspected {
    Inspected::new(folder, b"", &[&[file], &AT[..], arguments].concat())
}

#[test]
fn invalid_certificate_is_refused_by_its_check() {
    let folder = folder();
    let ours = ["--client-ca", "ca.pem"];
    let others = ["--client-ca", "other-ca.pem"];
    for (file, arguments, failed, reason) in [
        ("issued.pem", &ours[..], "", ""),
        ("issued.der", &ours, "", ""),
        ("with-key.pem", &ours, "", ""),
        ("chain.pem", &ours, "", ""),
        ("self-signed.pem", &[], "", ""),
        ("self-signed.pem", &ours, "chain", "certificate_not_trusted"),
        ("alone.pem", &ours, "chain", "certificate_not_trusted"),
        ("issued.pem", &others, "chain", "certificate_not_trusted"),
        ("ended.pem", &ours, "chain", "certificate_expired"),
        ("expired.pem", &ours, "dates", "certificate_expired"),
        ("expired.pem", &[], "dates", "certificate_expired"),
        ("early.pem", &ours, "dates", "certificate_not_yet_valid"),
        ("server.pem", &ours, "extended_key_usage", "certificate_not_trusted"),
        ("broken.pem", &ours, "form", "certificate_malformed"),
    ] {
        let found = inspected(&folder, file, arguments);
        if failed.is_empty() {
            found.assert_valid();
        } else {
            found.assert_refused(failed, reason);
        }
        // Without a client and a handshake these two checks are impossible.
        found.assert_status("not_checked", &["registration", "private_key"]);
    }
    inspected(&folder, "issued.pem", &[]).assert_unverified();
    for file in ["issued.pem", "issued.der"] {
        let piped = fs::read(folder.path(file)).unwrap();
        Inspected::new(&folder, &piped, &[&["-"], &AT[..], &ours].concat()).assert_valid();
    }
}

#[test]
fn certificate_is_shown_with_registration_members() {
    let folder = folder();
    let Inspected { document, .. } = inspected(&folder, "chain.pem", &["--client-ca", "ca.pem"]);
    let certificate = &document["certificate"];
    assert_eq!(certificate["subject_dn"], "CN=svc,O=Example\\, Ltd");
    assert_eq!(certificate["issuer_dn"], "CN=between,O=Example\\, Ltd");
    assert_eq!(
        certificate["alternative_names"],
        json!([
            { "kind": "tls_client_auth_san_dns", "value": "svc.example.com" },
            { "kind": "tls_client_auth_san_uri", "value": "spiffe://example.com/svc" },
        ])
    );
    assert_eq!(certificate["x5t#S256"].as_str().unwrap().len(), 43);
    assert_eq!(certificate["public_key"], "EC, curve P-256");
    assert_eq!(certificate["not_after"], "2027-01-01T00:00:00Z");
    assert_eq!(certificate["key_usage"], json!(["digitalSignature"]));
    assert_eq!(certificate["extended_key_usage"], json!(["clientAuth"]));
    assert_eq!(document["chain"][0]["subject_dn"], "CN=between,O=Example\\, Ltd");

    let (code, out) = inspect(&folder, b"", &[&["chain.pem", "--client-ca", "ca.pem"], &AT[..]].concat());
    assert_eq!(code, Some(0), "{out}");
    let parts = [
        "VALID: all checks that were made passed. Not checked: registration,",
        "tls_client_auth_subject_dn",
        "CN=svc,O=Example\\, Ltd",
        "tls_client_auth_san_dns",
    ];
    assert_has(&out, &parts);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
}

#[test]
fn file_without_a_certificate_is_refused() {
    let folder = folder();
    folder.write("token.jwt", "eyJhbGciOiJub25lIn0.e30.c2ln");
    for (arguments, words) in [
        (&["key.pem"][..], "there is no certificate in it"),
        (&["token.jwt", "--client-ca", "ca.pem"], "--client-ca: token.jwt contains no certificate"),
        (&["issued.pem", "--tenant", "acme"], "--tenant is for tokens"),
        (&["issued.pem", "--method", "POST"], "--method is for tokens"),
        (&["issued.pem", "--client-ca", "missing.pem"], "missing.pem"),
        (&["issued.pem", "--client-ca", "token.jwt"], "token.jwt contains no certificate"),
        (&["issued.pem", "--client-ca", "ca.pem", "--tenant", "acme"], "cannot be used with"),
    ] {
        let (code, out) = inspect(&folder, b"", arguments);
        assert!(code != Some(0) && code != Some(7) && !out.contains("CHECKS"), "{out}");
        assert!(out.contains(words), "{words:?} in {out}");
    }
}
