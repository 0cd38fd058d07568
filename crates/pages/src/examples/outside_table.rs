//! Finds texts that do not come from the table of texts.

/// Elements without texts of the table: code, times, and texts that are English in every language.
const LEFT_OUT: [&str; 4] = ["code", "time", "script", "style"];
/// Attributes that browsers show or read aloud.
const READ: [&str; 10] = [
    "aria-label",
    "alt",
    "title",
    "placeholder",
    "data-label",
    "data-other",
    "data-other-label",
    "data-copy",
    "data-copied",
    "data-failed",
];

/// The visible texts of a page in [`Language::Pseudo`](crate::Language::Pseudo) that have no brackets, apart
/// from data.
#[must_use]
pub fn texts_outside_table(html: &str, is_data: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    // The end tag of the element that is left out.
    let mut end = None::<String>;
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.split_ascii_whitespace().next().unwrap_or_default();
        match &end {
            Some(awaited) if *awaited == name => end = None,
            Some(_) => continue,
            None if LEFT_OUT.contains(&name) || tag.contains(" lang=\"en\"") => {
                end = Some(format!("/{name}"));
                continue;
            }
            None => {}
        }
        let read = READ.iter().filter_map(|attribute| {
            let (_, rest) = tag.split_once(&format!(" {attribute}=\""))?;
            rest.split('"').next()
        });
        for shown in read.chain([text]) {
            let pieces = outside_brackets(shown).into_iter().filter(|piece| !is_data(piece));
            found.extend(pieces.filter(|piece| piece.contains(char::is_alphabetic)));
        }
    }
    found
}

/// The pieces between brackets, without punctuation around them.
fn outside_brackets(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut depth = 0_usize;
    for letter in text.chars() {
        match letter {
            '⟦' => depth += 1,
            '⟧' => {
                depth = depth.saturating_sub(1);
                pieces.push(String::new());
            }
            '\u{b7}' => pieces.push(String::new()),
            _ if depth == 0 => pieces.last_mut().expect("never empty").push(letter),
            _ => {}
        }
    }
    let edge = |letter: char| letter.is_whitespace() || letter == ',';
    pieces.iter().map(|piece| piece.trim_matches(edge).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_texts_outside_brackets_are_found() {
        let page = "<title>⟦In ⟦two⟧ parts⟧ \u{b7} Acme</title><p title=\"tip\" class=\"c\">⟦a⟧, b <code>c</code>\
                    <p lang=\"en\">d <b>e</b></p><img alt=\"⟦f⟧\"> 12:00 <script>g</script></p>";
        assert_eq!(texts_outside_table(page, |piece| piece == "Acme"), ["tip", "b"]);
    }
}
