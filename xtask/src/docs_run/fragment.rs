//! Adds a fragment of a configuration to a whole one, like a reader with an editor: each section below the
//! section with its name, a new section at the end. A section in one line replaces the line with its name,
//! and indented lines at the beginning are a tenant.

/// The section of lines that name none.
const TENANTS: &str = "tenants:";

/// The configuration with the fragment in it.
pub(super) fn merge(config: &str, fragment: &str) -> Result<String, String> {
    let mut lines: Vec<String> = config.lines().map(str::to_owned).collect();
    for (head, body) in sections(fragment)? {
        match lines.iter().position(|line| line.trim_end() == head) {
            Some(place) => {
                lines.splice(place + 1..=place, body);
            }
            None => match lines.iter_mut().find(|line| line.starts_with(name(&head))) {
                Some(line) if is_one_line(line) && is_one_line(&head) => *line = head,
                Some(_) => {
                    return Err(format!(
                        "one of the two writes `{}` in one line, and one does not",
                        name(&head)
                    ));
                }
                None => lines.extend([vec![head], body].concat()),
            },
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// The tenants that the fragment declares.
pub(super) fn tenants(fragment: &str) -> Vec<String> {
    let sections = sections(fragment).unwrap_or_default();
    let lines = sections.into_iter().filter(|(head, _)| head == TENANTS).flat_map(|(_, body)| body);
    let tenant = |line: String| Some(line.strip_prefix("  ")?.strip_suffix(':')?.to_owned());
    lines.filter_map(tenant).filter(|name| !name.starts_with([' ', '#'])).collect()
}

/// The name of a section, with its colon.
fn name(head: &str) -> &str {
    head.find(':').map_or(head, |colon| &head[..=colon])
}

fn is_one_line(head: &str) -> bool {
    name(head).len() < head.trim_end().len()
}

/// Each line without indentation, with the indented lines below it.
fn sections(fragment: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in fragment.lines() {
        let is_inner = line.is_empty() || line.starts_with([' ', '#']);
        match sections.last_mut() {
            Some((_, body)) if is_inner => body.push(line.to_owned()),
            None if line.starts_with("  ") => sections.push((TENANTS.to_owned(), vec![line.to_owned()])),
            None if is_inner => {
                return Err(
                    "a fragment begins with a section such as `tenants:`, or with a tenant".to_owned()
                );
            }
            _ => sections.push((line.trim_end().to_owned(), Vec::new())),
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragment_is_merged_below_its_section() {
        let config = "server:\n  a: 1\n\ntenants:\n  t: {}\n";
        for (fragment, expected) in [
            ("tenants:\n  u: {}\n", Ok("server:\n  a: 1\n\ntenants:\n  u: {}\n  t: {}\n")),
            ("limits: { a: 1 }\n", Ok("server:\n  a: 1\n\ntenants:\n  t: {}\nlimits: { a: 1 }\n")),
            ("  u: {}\n", Ok("server:\n  a: 1\n\ntenants:\n  u: {}\n  t: {}\n")),
            ("\n  u: {}\n", Err("begins with a section")),
            ("server: { a: 2 }\n", Err("`server:` in one line")),
        ] {
            match (merge(config, fragment), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{fragment}: {found:?}"),
            }
        }
        assert!(merge("tenants: {}\n", "tenants:\n  u: {}\n").is_err());
        let replaced = merge("a: { b: 1 }\nc: 2\n", "a: { b: 3 }\n").unwrap();
        assert_eq!(replaced, "a: { b: 3 }\nc: 2\n");
    }
}
