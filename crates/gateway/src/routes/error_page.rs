//! `GET /docs/errors`: docs/errors.md as a page, with an anchor for each code. It has no script and no style.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType};

const TEXT: &str = include_str!("../../../../docs/errors.md");
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const HEAD: &str = "<!doctype html><html lang=\"en\"><head><title>Latchkey: errors</title><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head><body>\n";

static PAGE: LazyLock<String> = LazyLock::new(|| format!("{HEAD}{}</body></html>\n", html(TEXT)));

pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(PAGE.as_str())
}

/// The page uses this much of Markdown: headings, paragraphs and code spans. A heading of the third level is a code and its anchor.
fn html(markdown: &str) -> String {
    let mut html = String::with_capacity(markdown.len() * 2);
    for block in markdown.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let heading = block.split_once(' ').filter(|(marks, _)| marks.bytes().all(|byte| byte == b'#'));
        // Writing into a `String` never fails.
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
    fn each_code_has_its_section_and_each_section_a_code() {
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
            assert_eq!(PAGE.matches(&anchor).count(), 1, "{code}");
        }
    }

    #[test]
    fn the_page_uses_no_more_of_markdown_than_is_understood() {
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
