//! Tests logos that files name: they are read as bytes, relative to the file that names them, and can be read
//! again from a snapshot.

use std::fs;

use tenancy::{Logo, TenantId};

use super::super::{Environment, Loaded, read, read_snapshot};
use super::test_folder::Folder;

const PNG: &[u8] = include_bytes!("../../../testkit/images/logo.png");
const WEBP: &[u8] = include_bytes!("../../../testkit/images/logo.webp");

impl Folder {
    fn put(&self, name: &str, bytes: &[u8]) {
        self.write(name, 0o644, "");
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read_logos(&self, settings: &str) -> Result<Loaded, String> {
        self.write("config.yaml", 0o644, settings);
        read(&self.path("config.yaml"), &Environment::default()).map_err(|error| self.faults(&error))
    }
}

fn logos<'l>(loaded: &'l Loaded, tenant: &str) -> Vec<&'l [u8]> {
    let tenant = &loaded.declaration.tenants[&TenantId::parse(tenant).unwrap()].tenant;
    tenant.branding.logos().filter_map(Logo::content).map(|content| &**content).collect()
}

/// A tenant's file names logos relative to its own folder.
#[test]
fn logo_path_is_relative_and_snapshot_keeps_its_bytes() {
    let folder = Folder::new();
    folder.put("logo.png", PNG);
    folder.put("tenants/logo.png", WEBP);
    folder.write("tenants/globex.yaml", 0o644, "branding: { logo: { file: logo.png } }");
    let settings = "tenants_dir: tenants
tenants: { acme: { branding: { logo: { file: logo.png }, logo_dark: { file: tenants/logo.png } } } }";
    let loaded = folder.read_logos(settings).unwrap();
    assert_eq!((logos(&loaded, "acme"), logos(&loaded, "globex")), (vec![PNG, WEBP], vec![WEBP]));
    assert!(loaded.watched.contains(&folder.path("logo.png")), "{:?}", loaded.watched);

    folder.put("logo.png", WEBP);
    let changed = folder.read_logos(settings).unwrap();
    assert_ne!(changed.content_hash, loaded.content_hash);
    assert_eq!(logos(&changed, "acme"), [WEBP, WEBP]);
    let replayed =
        read_snapshot(&folder.path("config.yaml"), &Environment::default(), &loaded.snapshot).map_err(drop);
    assert_eq!(logos(&replayed.unwrap(), "acme"), [PNG, WEBP]);
}

#[test]
fn invalid_logo_is_refused_with_location_and_hint() {
    let folder = Folder::new();
    folder.put("logo.svg", b"<svg onload=\"alert(1)\"/>");
    folder.put("logo.gif", b"GIF89a");
    folder.put("large.png", &[PNG, &vec![0; 256 * 1024]].concat());
    folder.put("huge.png", &[PNG, &vec![0; 1 << 20]].concat());
    folder.put("logo.png", PNG);
    let branding = |text: &str| format!("tenants:\n  acme:\n    branding: {{ {text} }}\n");
    let one_place = "config.yaml:3:23: tenants.acme.branding.logo: set exactly one source for the picture; set either `file` or `data`";
    for (text, expected) in [
        (
            "logo: { file: logo.svg }",
            "config.yaml:3:31: tenants.acme.branding.logo.file: this is markup, which could contain a script; export the picture as PNG, 144 pixels high",
        ),
        (
            "logo: { file: logo.gif }",
            "config.yaml:3:31: tenants.acme.branding.logo.file: the picture must be PNG, JPEG or WebP; save the picture as PNG, JPEG or WebP",
        ),
        (
            "logo: { file: large.png }",
            "config.yaml:3:31: tenants.acme.branding.logo.file: the picture has 262934 bytes, but a logo can have at most 262144; use a smaller picture; pages show it 48 CSS pixels high, so 144 pixels are enough for every screen",
        ),
        (
            "logo: { file: huge.png }",
            "config.yaml:3:31: tenants.acme.branding.logo.file: the file is larger than 1048576 bytes; name only the file that you mean",
        ),
        (
            "logo: { file: none.png }",
            "config.yaml:3:31: tenants.acme.branding.logo.file: this file does not exist; create it, or correct the path; a relative path starts at the file that contains it",
        ),
        ("logo: {}", one_place),
        ("logo: { file: logo.png, data: aGk= }", one_place),
        ("logo: { hash: n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg }", one_place),
        (
            "logo_dark: { file: logo.png }",
            "config.yaml:3:28: tenants.acme.branding.logo_dark: this logo for dark pages needs a `logo` to replace, and none is set; also set `logo`, or move this picture there",
        ),
    ] {
        assert_eq!(folder.read_logos(&branding(text)).err().as_deref(), Some(expected), "{text}");
    }
    let refused = folder.read_logos(&branding("logo: logo.png")).unwrap_err();
    assert!(refused.starts_with("config.yaml:3:"), "{refused}");
}
