//! As much of Rust's grammar as the rules need: what is code, what is a comment, what is a string.

/// A source text taken apart. Lines keep their numbers.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The text with comments and the insides of strings blanked.
    pub(crate) code: String,
    /// Each string literal with the line on which it begins, counted from 1.
    pub(crate) strings: Vec<(usize, String)>,
}

impl Source {
    pub(crate) fn of(text: &str) -> Self {
        let mut source = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            rest = source.take(rest);
        }
        source
    }

    /// The lines of code that hold `word`, counted from 1.
    pub(crate) fn lines_with(&self, word: &str) -> Vec<usize> {
        self.code.lines().zip(1..).filter(|(line, _)| line.contains(word)).map(|(_, number)| number).collect()
    }

    /// Takes one comment, literal or character off the front, and gives what is left.
    fn take<'text>(&mut self, text: &'text str) -> &'text str {
        if text.starts_with("//") {
            return self.blank(text, text.find('\n').unwrap_or(text.len()));
        }
        if text.starts_with("/*") {
            return self.blank(text, end_of_comment(text));
        }
        if let Some((start, end)) = string(text).filter(|_| !self.in_word()) {
            let line = self.code.matches('\n').count() + 1;
            let close = end - closing(text, start);
            self.strings.push((line, text[start..close].to_owned()));
            return self.blank(text, end);
        }
        let character = text.chars().next().map_or(1, char::len_utf8);
        if let Some(end) = character_literal(text) {
            return self.blank(text, end);
        }
        self.code.push_str(&text[..character]);
        &text[character..]
    }

    /// Whether the last character belongs to a name, so that an `r` after it begins no raw string.
    fn in_word(&self) -> bool {
        self.code.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_')
    }

    fn blank<'text>(&mut self, text: &'text str, end: usize) -> &'text str {
        self.code.extend(text[..end].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        &text[end..]
    }
}

/// Block comments nest.
fn end_of_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Where a string literal's contents begin and where the literal ends, if the text begins with one.
fn string(text: &str) -> Option<(usize, usize)> {
    let prefix = text.len() - text.trim_start_matches(['b', 'c', 'r']).len();
    if prefix > 2 {
        return None;
    }
    let after = &text[prefix..];
    if text[..prefix].contains('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let open = prefix + hashes + 1;
        after[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let length = text[open..].find(&close).map_or(text.len() - open, |found| found + close.len());
        return Some((open, open + length));
    }
    let contents = after.strip_prefix('"')?;
    let mut escaped = false;
    for (at, character) in contents.char_indices() {
        match character {
            '"' if !escaped => return Some((prefix + 1, prefix + 1 + at + 1)),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    Some((prefix + 1, text.len()))
}

/// The length of what closes the literal whose contents begin at `start`.
fn closing(text: &str, start: usize) -> usize {
    1 + text[..start].matches('#').count()
}

/// The end of `'x'` or `'\n'`; a lifetime is none.
fn character_literal(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let mut characters = inside.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        let (after, _) = characters
            .nth(1)
            .filter(|(_, third)| *third == '\'')
            .or_else(|| inside.char_indices().skip(1).find(|(_, character)| *character == '\''))?;
        return Some(1 + after + 1);
    }
    characters.next().filter(|(_, second)| *second == '\'').map(|(after, _)| 1 + after + 1)
}

#[test]
fn comments_and_strings_are_no_code() {
    let source = Source::of(
        "let a = \"x // \\\" y\"; // fetch\nlet b = r#\"SELECT \"1\"\"#; /* fetch /* too */ */ fetch(b'\"', '\\'', 'f)",
    );
    assert_eq!(source.lines_with("fetch"), [2]);
    assert!(source.code.ends_with("'f)"), "{:?}", source.code);
    let strings: Vec<&str> = source.strings.iter().map(|(_, string)| string.as_str()).collect();
    assert_eq!(strings, ["x // \\\" y", "SELECT \"1\""]);
    assert_eq!(source.strings[1].0, 2);
}
