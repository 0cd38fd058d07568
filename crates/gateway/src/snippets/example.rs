//! Cuts code out of the files in `docs/examples` and replaces the example values. Tests run these
//! files.

#[derive(Clone, Copy, Debug)]
pub(super) enum SnippetSource {
    /// Contains names in braces.
    Template(&'static str),
    /// A complete program.
    Example(&'static str),
}

impl SnippetSource {
    #[must_use]
    pub(super) fn text(&self) -> String {
        match self {
            Self::Template(text) => (*text).to_owned(),
            Self::Example(example) => cut(example),
        }
    }
}

/// The lines between `snippet` and `end of snippet`, without their common indentation.
fn cut(example: &str) -> String {
    let is_mark = |line: &str, mark: &str| line.trim().trim_start_matches(['/', '#']).trim() == mark;
    let mut lines = example.lines().skip_while(|line| !is_mark(line, "snippet"));
    let first = lines.next().unwrap_or_default();
    let indentation = &first[..first.len() - first.trim_start().len()];
    let mut text = String::new();
    for line in lines.take_while(|line| !is_mark(line, "end of snippet")) {
        text.push_str(line.strip_prefix(indentation).unwrap_or(line));
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// Replaces the names from left to right in one pass, because a value may look like a name.
#[must_use]
pub fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    let next = |rest: &str| {
        let places = values.iter().filter_map(|(name, value)| Some((rest.find(name)?, *name, value.clone())));
        places.min_by_key(|(place, ..)| *place)
    };
    while let Some((place, name, value)) = next(rest) {
        text.push_str(&rest[..place]);
        text.push_str(&value);
        rest = &rest[place + name.len()..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_lines_are_cut_out_and_unindented() {
        let example = "a\n\t// snippet\n\tb\n\t\tc\n\n\t// end of snippet\nd\n";
        assert_eq!(cut(example), "b\n\tc\n");
        assert_eq!(cut("# snippet\nb # snippet\n# end of snippet\n"), "b # snippet\n");
    }

    #[test]
    fn placeholders_inside_values_stay() {
        let values = [("{a}", "{b}".to_owned()), ("{b}", "x".to_owned())];
        assert_eq!(filled("{a}-{b}-{a}", &values), "{b}-x-{b}");
    }
}
