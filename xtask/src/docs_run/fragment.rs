//! Adds a fragment of a configuration to a whole one, as a reader does with an editor: each section below the section of its name, a new
//! section at the end.

/// The configuration with the fragment in it.
pub(super) fn merge(config: &str, fragment: &str) -> Result<String, String> {
    let mut lines: Vec<String> = config.lines().map(str::to_owned).collect();
    for (head, body) in sections(fragment)? {
        match lines.iter().position(|line| line.trim_end() == head) {
            Some(place) => {
                lines.splice(place + 1..=place, body);
            }
            None if lines.iter().any(|line| line.starts_with(&head)) => {
                return Err(format!(
                    "the sample writes `{head}` in one line, so nothing can be added below it"
                ));
            }
            None => lines.extend([vec![head], body].concat()),
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// Each line without indentation, with the indented lines below it.
fn sections(fragment: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in fragment.lines() {
        let is_inner = line.is_empty() || line.starts_with([' ', '#']);
        match sections.last_mut() {
            Some((_, body)) if is_inner => body.push(line.to_owned()),
            None if is_inner => return Err("a fragment begins with a section, such as `tenants:`".to_owned()),
            _ => sections.push((line.trim_end().to_owned(), Vec::new())),
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_goes_below_its_name_or_to_the_end() {
        let config = "server:\n  a: 1\n\ntenants:\n  t: {}\n";
        for (fragment, expected) in [
            ("tenants:\n  u: {}\n", Ok("server:\n  a: 1\n\ntenants:\n  u: {}\n  t: {}\n")),
            ("limits: { a: 1 }\n", Ok("server:\n  a: 1\n\ntenants:\n  t: {}\nlimits: { a: 1 }\n")),
            ("  u: {}\n", Err("begins with a section")),
        ] {
            match (merge(config, fragment), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{fragment}: {found:?}"),
            }
        }
        assert!(merge("tenants: {}\n", "tenants:\n  u: {}\n").is_err());
    }
}
