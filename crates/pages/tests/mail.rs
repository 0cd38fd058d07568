//! Tests of every message: snapshots, and rules that all messages have to keep.

use pages::examples::{mail_common, mails, texts_outside_table};
use pages::{Language, MailCommon, RenderedMail, Theme, render_mail};
use values::{Letter, LetterKind, Timestamp};

fn all() -> Vec<(&'static str, RenderedMail)> {
    mails(&mail_common(Language::English, None))
}

#[test]
fn each_message_matches_its_snapshot() {
    for (name, mail) in all() {
        let RenderedMail { subject, text, html } = mail;
        insta::assert_snapshot!(name, format!("Subject: {subject}\n\n{text}\n{html}"));
    }
}

/// Programs that show a message must not tell anybody that the person reads it.
#[test]
fn html_contains_no_remote_content() {
    let theme = Theme::default();
    for with in [None, Some(&theme)] {
        for (name, RenderedMail { html, .. }) in mails(&mail_common(Language::English, with)) {
            let mut rest = html.replace("https://acme.example/help", "");
            let link = html.split_once("href=\"").and_then(|(_, rest)| rest.split_once('"'));
            if let Some((link, _)) = link {
                assert_eq!(html.matches(link).count(), 2, "{name}: the link as button and as text");
                rest = rest.replace(link, "");
            }
            for loading in ["http", "url(", "@import", "<script", "<link"] {
                assert!(!rest.contains(loading), "{name}: {loading}");
            }
            let logos = html.matches("<img src=\"cid:logo\" alt=\"Acme Ltd\"").count();
            assert_eq!((logos, rest.matches("src=").count()), (usize::from(with.is_some()), logos), "{name}");
        }
    }
}

#[test]
fn code_is_alone_in_its_line_and_in_no_subject() {
    for (name, RenderedMail { subject, text, html }) in all() {
        assert!(!subject.contains("7KQF"), "{name}");
        let has_code = matches!(name, "recovery" | "verification");
        assert_eq!(text.lines().any(|line| line == "7KQF2MXD"), has_code, "{name}");
        // Copying selects no blank within the code.
        assert_eq!(
            html.contains(">7KQF</span><span style=\"margin-right:12px\">2MXD</span></p>"),
            has_code,
            "{name}"
        );
        for line in text.lines() {
            assert!(line.chars().count() <= 76 || line.starts_with("https://"), "{name}: {line}");
        }
    }
}

#[test]
fn tenant_name_adds_no_header_line_or_markup() {
    let name = "<script>alert(1)</script>\r\nBcc: eve@evil.example\r\n\r\nCall \u{2028}us\" onclick=\"x";
    let theme = Theme::default();
    for (has_logo, theme) in [(false, None), (true, Some(&theme))] {
        let common =
            MailCommon { tenant_name: name, theme, has_logo, ..mail_common(Language::English, None) };
        for (kind, RenderedMail { subject, text, html }) in mails(&common) {
            assert!(!subject.contains(char::is_control), "{kind}: {subject}");
            let paragraphs = all().into_iter().find(|(other, _)| *other == kind).map(|(_, mail)| mail.text);
            let paragraphs = paragraphs.map_or(0, |text| text.matches("\n\n").count());
            assert_eq!(
                (text.matches("\n\n").count(), text.contains('\r')),
                (paragraphs, false),
                "{kind}: {text}"
            );
            assert!(!html.contains("<script") && !html.contains("\" onclick"), "{kind}: {html}");
        }
    }
    let at = Timestamp::from_seconds(0);
    let link = Some(("https://id.example.com/#\"><script>".to_owned(), at));
    let letter = Letter { link, ..Letter::new(LetterKind::Invitation, at) };
    let html = render_mail(&mail_common(Language::English, None), &letter).html;
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn each_visible_text_of_mail_comes_from_the_table() {
    let data = ["Acme Ltd", "7KQF", "2MXD"];
    for (name, mail) in mails(&mail_common(Language::Pseudo, None)) {
        let is_data = |piece: &str| data.contains(&piece) || piece.contains("https://");
        let found = texts_outside_table(&mail.html, is_data);
        assert!(found.is_empty() && mail.subject.starts_with('⟦'), "{name}: {found:?}");
    }
}

#[test]
fn each_message_says_what_to_do_if_unexpected() {
    for (name, RenderedMail { text, .. }) in all() {
        assert!(text.replace('\n', " ").contains("If you did not"), "{name}: {text}");
    }
}
