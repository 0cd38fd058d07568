//! `GET /docs/errors`: docs/errors.md as a page, with an anchor for each code. It has no script,
//! and contains its style, because not every listener serves style sheets.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ContentType};
use pages::Theme;

use crate::page::{Opener, page_headers, source};

const TEXT: &str = include_str!("../../../../docs/errors.md");
/// Uses the variables of the default theme.
const STYLE: &str = "html{background:var(--background);color:var(--text);font:100%/1.5 var(--font);overflow-wrap:anywhere}\
body{max-inline-size:44rem;margin:0 auto;padding:2rem 1rem}h1,h2,h3{line-height:1.25;margin:0 0 .5rem}h2{margin-block-start:2.5rem}\
h3{margin-block-start:1.5rem}h3:target{outline:3px solid var(--text);outline-offset:4px}p{margin:0 0 .5rem}code{font-family:ui-monospace,monospace}";

static PAGE: LazyLock<ErrorDocument> =
    LazyLock::new(|| ErrorDocument::from_style(&(Theme::default().css() + STYLE)));

struct ErrorDocument {
    html: String,
    policy: String,
}

impl ErrorDocument {
    fn from_style(style: &str) -> Self {
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><title>Latchkey: errors</title><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{style}</style></head><body>\n<main>\n{}</main></body></html>\n",
            html(TEXT)
        );
        let policy = format!(
            "default-src 'none'; style-src {}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            source(style)
        );
        Self { html, policy }
    }
}

pub(super) async fn page() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for header in page_headers(&PAGE.policy, Opener::Severed) {
        response.insert_header(header);
    }
    response
        .insert_header(ContentType::html())
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(PAGE.html.as_str())
}

/// Renders the subset of Markdown in docs/errors.md: headings, paragraphs and code spans. A heading
/// of level three is a code with an anchor.
fn html(markdown: &str) -> String {
    let mut html = String::with_capacity(markdown.len() * 2);
    for block in markdown.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let heading = block.split_once(' ').filter(|(marks, _)| marks.bytes().all(|byte| byte == b'#'));
        // Writing to a `String` never fails.
        let _ = match heading {
            Some(("###", code)) => writeln!(html, "<h3 id=\"{0}\"><code>{0}</code></h3>", escaped(code)),
            Some((marks, title)) => writeln!(html, "<h{0}>{1}</h{0}>", marks.len(), escaped(title)),
            None => writeln!(html, "<p>{}</p>", spans(block)),
        };
    }
    html
}

fn spans(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(at, part)| {
        let part = escaped(part);
        if at % 2 == 1 { format!("<code>{part}</code>") } else { part }
    });
    parts.collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;

    use super::*;
    use crate::respond::problem_codes;
    use crate::thunder;

    #[test]
    fn error_codes_and_sections_correspond() {
        let sections: Vec<_> = TEXT.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let codes: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| code.as_str())
            .chain(problem_codes())
            .chain(thunder::codes())
            .collect();
        assert_eq!(sections, codes);
        for code in codes {
            let anchor = format!("<h3 id=\"{code}\">");
            assert_eq!(PAGE.html.matches(&anchor).count(), 1, "{code}");
        }
    }

    #[test]
    fn error_page_uses_only_supported_markdown() {
        for line in TEXT.lines() {
            let is_other =
                line.starts_with(['-', '*', '|', '>', ' ']) || line.contains("](") || line.contains("**");
            assert!(!is_other && !line.starts_with("```"), "{line}");
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
        }
        assert_eq!(
            html("# A\n\nSay `<b>` & go.\n"),
            "<h1>A</h1>\n<p>Say <code>&lt;b&gt;</code> &amp; go.</p>\n"
        );
    }
}
