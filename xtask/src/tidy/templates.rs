//! Templates of pages escape every value, and contain no style, no script and no text of their own: a page
//! contains no foreign markup, its policy forbids inline content, and each text is in the table of each
//! language.

use super::files::Files;
use super::rust_code::code_only;
use super::violation::Violation;

/// The texts that a template may not contain, without blanks, and what to do instead.
const BANNED: [(&str, &str); 8] = [
    ("|safe", ESCAPE),
    ("filtersafe", ESCAPE),
    ("|escape", ESCAPE),
    ("|e(", ESCAPE),
    ("<style", STYLE),
    ("style=\"", STYLE),
    ("<script>", SCRIPT),
    ("javascript:", SCRIPT),
];
/// The texts that the code beside the templates may not contain, and what to do instead.
const BANNED_CODE: [(&str, &str); 4] =
    [("escape=\"none\"", ESCAPE), ("filters::Safe", ESCAPE), ("HtmlSafe", ESCAPE), ("source=\"", SOURCE)];

const ESCAPE: &str = "let the template escape the value, and write the markup around it";
const STYLE: &str = "write a rule in crates/pages/src/pages.css";
const SCRIPT: &str = "write it in crates/pages/src/pages.js";
const TEXT: &str = "write the text in crates/pages/src/texts, for each language";
const SOURCE: &str = "write the template as a file beside its struct";

pub(super) fn check(files: &Files) -> Vec<Violation> {
    let of_pages = files.iter().filter(|(path, _)| path.starts_with("crates/pages/src/"));
    of_pages.flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &str, text: &str) -> Vec<Violation> {
    if path.ends_with(".html") {
        // Programs for mail load no style sheet. There, a style is a value that comes from the theme.
        let is_mail = path.starts_with("crates/pages/src/mail/");
        let text = if is_mail { &text.replace("style=\"{{", "{{").replace("<style>{{", "{{") } else { text };
        return find(path, text, &BANNED).chain(handlers(path, text)).chain(texts(path, text)).collect();
    }
    // The value of an attribute is a text, which `code_only` leaves out.
    let attributes =
        text.lines().map(|line| if line.trim_start().starts_with("#[template") { line } else { "" });
    let attributes = attributes.collect::<Vec<_>>().join("\n");
    let is_code = path.ends_with(".rs");
    let code = if is_code { code_only(text) } else { String::new() };
    find(path, &attributes, &BANNED_CODE).chain(find(path, &code, &BANNED_CODE)).collect()
}

fn find(path: &str, text: &str, banned: &[(&'static str, &'static str)]) -> impl Iterator<Item = Violation> {
    let lines = text.lines().enumerate().map(|(index, line)| (index, line.replace([' ', '\t'], "")));
    lines.flat_map(move |(index, line)| {
        let found = banned.iter().filter(move |(what, _)| line.contains(what));
        found.map(move |(what, hint)| Violation::new(path, index + 1, format!("{what} in a page"), *hint))
    })
}

/// Attributes such as `onclick`.
fn handlers(path: &str, text: &str) -> impl Iterator<Item = Violation> {
    let has_handler = |line: &str| {
        line.split_whitespace().any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            word.contains('=')
                && name.len() > 3
                && name.starts_with("on")
                && name.bytes().all(|b| b.is_ascii_lowercase())
        })
    };
    let lines = text.lines().enumerate().filter(move |(_, line)| has_handler(line));
    lines.map(move |(index, _)| Violation::new(path, index + 1, "an inline handler in a page", SCRIPT))
}

/// Attributes whose values people read or hear.
const READ: [&str; 4] = ["alt", "aria-label", "placeholder", "title"];

/// Letters between tags, in attributes that people read, and in texts of `{{ }}`.
fn texts(path: &str, text: &str) -> Vec<Violation> {
    let (markup, values) = split(text);
    let mut found = Vec::new();
    let mut at = 0;
    for (index, part) in values.split('"').enumerate() {
        if index % 2 == 1 {
            found.extend(letters(&values, at, part.len()));
        }
        at += part.len() + 1;
    }
    at = 0;
    while let Some(begin) = markup[at..].find('<').map(|begin| at + begin) {
        found.extend(letters(&markup, at, begin - at));
        at = markup[begin..].find('>').map_or(markup.len(), |end| begin + end + 1);
        let tag = markup[begin..at].replace('\n', " ");
        for attribute in READ.map(|name| format!(" {name}=\"")) {
            let Some(value) = tag.find(&attribute).map(|value| value + attribute.len()) else { continue };
            let length = tag[value..].find('"').unwrap_or_default();
            found.extend(letters(&markup, begin + value, length));
        }
    }
    found.extend(letters(&markup, at, markup.len() - at));
    found.sort_unstable();
    let violation = |(line, words)| Violation::new(path, line, format!("the text `{words}` in a page"), TEXT);
    found.into_iter().map(violation).collect()
}

/// A part of the text, if it has letters, with the line of the first one.
fn letters(whole: &str, at: usize, length: usize) -> Option<(usize, String)> {
    let part = &whole[at..at + length];
    let first = at + part.find(char::is_alphabetic)?;
    let words = part.split_whitespace().collect::<Vec<_>>().join(" ");
    Some((whole[..first].matches('\n').count() + 1, words))
}

/// The markup without `{{ }}`, `{% %}` and `{# #}`, and the content of `{{ }}`. Blanks replace the rest, so
/// that lines stay the same.
fn split(text: &str) -> (String, String) {
    let (mut markup, mut values) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
    let blank = |text: &str| text.replace(|other: char| other != '\n', " ");
    let mut rest = text;
    while let Some(begin) = ["{{", "{%", "{#"].into_iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, code) = rest.split_at(begin);
        let end = match code.as_bytes()[1] {
            b'{' => "}}",
            b'%' => "%}",
            _ => "#}",
        };
        let (code, after) = code.split_at(code.find(end).map_or(code.len(), |at| at + end.len()));
        markup += &(before.to_owned() + &blank(code));
        values += &(blank(before) + &if end == "}}" { code.to_owned() } else { blank(code) });
        rest = after;
    }
    (markup + rest, values + &blank(rest))
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[track_caller]
    fn check(file: &str, text: &str, expected: &[&str]) {
        let path = format!("crates/pages/src/{file}");
        let found = facts(&super::check(&Files::from([(path.as_str(), text)])));
        let expected: Vec<_> = expected.iter().map(|what| format!("{path}:{what} in a page")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn unescaped_template_value_is_found() {
        check("views/a.html", "<p>{{ name }}</p>\n<p>{{ name|lower }}</p>", &[]);
        check("views/a.html", "<p>\n{{ name | safe }}</p>", &["2: |safe"]);
        check("views/a.html", "{% filter safe %}{{ name }}{% endfilter %}", &["1: filtersafe"]);
        let escaped = ["1: |escape", "1: |e(", "1: the text `none`", "1: the text `none`"];
        check("views/a.html", "{{ name|escape(\"none\") }}{{ name|e(\"none\") }}", &escaped);
        check("a.rs", "#[template(path = \"a.html\", escape = \"none\")]", &["1: escape=\"none\""]);
        check("a.rs", "let a = askama::filters::Safe(name);", &["1: filters::Safe"]);
    }

    #[test]
    fn inline_style_and_script_are_found() {
        check("a.html", "<p style=\"a\">", &["1: style=\""]);
        check("mail/a.html", "<style>{{ a }}</style><p style=\"{{ b }}\">", &[]);
        check("mail/a.html", "<style>a{}</style>", &["1: <style", "1: the text `a{}`"]);
        check("mail/a.html", "<p style=\"b\">", &["1: style=\""]);
        check("a.html", "<button\n  onclick=\"a()\">", &["2: an inline handler"]);
        check("a.html", "<script>a()</script>", &["1: <script>", "1: the text `a()`"]);
        let good = "<script src=\"{{ a }}\" nonce=\"{{ b }}\"></script>";
        check("a.html", &format!("{good}<p class=\"on\">once = 1</p>"), &["1: the text `once = 1`"]);
    }

    #[test]
    fn text_outside_the_table_is_found() {
        let all = "{% extends \"a.html\" %}{# Why it is so. #}\n<p id=\"a{{ b }}\" aria-label=\"{{ c }}\">{{ d }} · 1 &</p>";
        for (page, texts) in [
            ("<p>Sign in</p>\n<h1>{{ heading }}: Übung</h1>", &[(1, "Sign in"), (2, ": Übung")][..]),
            ("<p>\n{% if a > b %}\n  Good\n  day\n{% endif %}</p>", &[(3, "Good day")]),
            ("<img alt=\"Logo\"><input\n placeholder=\"Code {{ a }}\">", &[(1, "Logo"), (2, "Code")]),
            ("<p>{{ \"Hello\" }}</p>\nend", &[(1, "Hello"), (2, "end")]),
            (all, &[]),
        ] {
            let texts: Vec<_> =
                texts.iter().map(|(line, text)| format!("{line}: the text `{text}`")).collect();
            check("a.html", page, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn other_crates_are_ignored() {
        assert!(super::check(&Files::from([("crates/gateway/src/a.html", "<p style=\"a\">")])).is_empty());
    }
}
