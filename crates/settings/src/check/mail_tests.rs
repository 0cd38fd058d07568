//! Tests the section `mail`: which settings are refused, which server sends for a tenant, and that no output
//! contains a password.

use tenancy::TenantId;

use super::super::resolved::{MailRoute, SmtpSettings};
use super::super::{Environment, Loaded, PlatformSettings, read, read_platform};
use super::test_folder::Folder;

fn load(folder: &Folder, text: &str) -> Result<Loaded, String> {
    folder.write("config.yaml", 0o644, text);
    let environment = Environment::from([("SET", "hunter2-of-env")]);
    read(&folder.path("config.yaml"), &environment).map_err(|error| folder.faults(&error))
}

#[test]
fn bad_mail_is_refused_with_location_and_hint() {
    let folder = Folder::new();
    folder.write("writable", 0o666, "hunter2");
    let smtp = |members: &str| format!("mail: {{ from: a@b.example, smtp: {{ {members} }} }}");
    for (text, expected) in [
        ("mail: { folder: out }".to_owned(), "1:7: mail: the sender of mail is missing; set `from`"),
        (
            "mail: { from: 'Acme <a@b>>', folder: out }".to_owned(),
            "1:15: mail.from: this is not a mail address of plain characters; write an address",
        ),
        (
            "mail: { from: a@b.example, reply_to: a b@c.example, folder: out }".to_owned(),
            "1:38: mail.reply_to: this is not a mail address",
        ),
        ("mail: { from: a@b.example }".to_owned(), "1:7: mail: set exactly one of `smtp` and `folder`; set `smtp"),
        (
            "mail: { from: a@b.example, folder: out, smtp: { url: 'smtps://c.example' } }".to_owned(),
            "1:7: mail: set exactly one of `smtp` and `folder`",
        ),
        (
            "server: { listeners: [{ address: '0.0.0.0:1', serves: [public] }] }\nmail: { from: a@b.example, folder: out }"
                .to_owned(),
            "2:36: mail.folder: mail goes to a folder, but other machines can reach a listener; set `mail.smtp`",
        ),
        (smtp("url: 'smtp://'"), "1:41: mail.smtp.url: this is not the URL of a mail server; write smtp://host:587"),
        (smtp("url: 'smtp://u:hunter2@c.example'"), "mail.smtp.url: this is not the URL of a mail server"),
        (smtp("username: u, password: { env: SET }"), "mail.smtp: this is not the URL of a mail server"),
        (smtp("url: 'smtp://c.example', username: u"), "mail.smtp: a user name needs a password"),
        (
            smtp("url: 'smtp://c.example', username: u, password: { env: UNSET }"),
            "mail.smtp.password.env: this environment variable is not set",
        ),
        (
            smtp("url: 'smtp://c.example', username: u, password: { env: SET, file: f }"),
            "mail.smtp.password: the password needs exactly one location; set exactly one of",
        ),
        (
            smtp("url: 'smtp://c.example', username: u, password: { file: writable }"),
            "mail.smtp.password.file: group or others can write to",
        ),
        (
            smtp("url: 'smtp://c.example', username: u, password: { store: kept, path: a, key: b }"),
            "mail.smtp.password.store: this secret store does not exist; declare it",
        ),
        (
            "mail: { from: a@b.example, folder: out, tenants: { A: {}, acme: { smtp: {} } } }".to_owned(),
            "1:52: mail.tenants.A: this is not a valid tenant id",
        ),
        (
            "mail: { from: a@b.example, folder: out, tenants: { acme: { smtp: {} } } }".to_owned(),
            "mail.tenants.acme.smtp: this is not the URL",
        ),
    ] {
        let refused = load(&folder, &text).err().unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(refused.contains(expected), "{text}: {expected}\n{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn tenants_inherit_what_they_do_not_set() {
    let folder = Folder::new();
    folder.write("password", 0o600, "hunter2-of-file\n");
    let loaded = load(
        &folder,
        "tenants: { acme: {}, globex: {} }
mail:
  from: Platform <a@p.example>
  reply_to: r@p.example
  smtp: { url: 'smtp://mail.example', username: u, password: { env: SET } }
  recovers_administrators: true
  tenants:
    acme: { from: a@acme.example, smtp: { url: 'smtps://acme.example', username: u, password: { file: password }, ca: ca.pem } }
    globex: { reply_to: r@globex.example }
    initech: {}
",
    )
    .unwrap();
    let mail = loaded.platform.mail.as_ref().unwrap();
    let sender = |tenant: &str| {
        let (sender, route) = &mail.tenants[&TenantId::parse(tenant).unwrap()];
        (sender.from.to_string(), sender.reply_to.as_ref().unwrap().to_string(), route.is_some())
    };
    assert_eq!(sender("acme"), ("a@acme.example".into(), "r@p.example".into(), true));
    assert_eq!(sender("globex"), ("Platform <a@p.example>".into(), "r@globex.example".into(), false));
    assert_eq!(sender("initech"), ("Platform <a@p.example>".into(), "r@p.example".into(), false));
    assert!(mail.recovers_administrators);
    let password = |route: &MailRoute| match route {
        MailRoute::Smtp(SmtpSettings { credentials, .. }) => {
            credentials.as_ref().unwrap().1.read().unwrap().expose().to_owned()
        }
        MailRoute::Folder(_) => unreachable!("both are servers"),
    };
    assert_eq!(password(&mail.platform.1), "hunter2-of-env");
    let own = mail.tenants[&TenantId::parse("acme").unwrap()].1.as_ref().unwrap();
    assert_eq!(password(own), "hunter2-of-file");
    assert!(!format!("{loaded:?}").contains("hunter2"));
    let warned: Vec<_> = loaded.warnings.iter().map(|warning| folder.relative(&warning.brief())).collect();
    let unknown = "mail.tenants.initech: no file declares the tenant `initech`";
    assert_eq!(warned.iter().filter(|warning| warning.contains(unknown)).count(), 1, "{warned:?}");
    assert!(load(&folder, "{}").unwrap().platform.mail.is_none());
}

/// An operator who makes a backup does not need the password.
#[test]
fn commands_on_the_store_need_no_password() {
    let folder = Folder::new();
    let text = "mail: { from: a@b.example, smtp: { url: 'smtp://c.example', username: u, password: { env: UNSET } } }";
    folder.write("config.yaml", 0o644, text);
    let platform = read_platform(&folder.path("config.yaml"), &Environment::default());
    let PlatformSettings { mail, .. } = platform.map_err(|error| folder.faults(&error)).unwrap();
    assert!(mail.is_some());
}
