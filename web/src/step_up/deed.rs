//! The sentence of an action, set so that a person sees at once how much, to whom and what. Not a character of
//! it is changed.

use crate::ui::{Content as _, Element, element, p, span};

/// A stretch of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Plain(&'a str),
    /// A name that somebody gave, with its quotation marks: it cannot close them itself.
    Name(&'a str),
    /// An unchanging id, with its brackets, or a code that is compared with another screen.
    Id(&'a str),
    /// So much money.
    Amount(&'a str),
}

/// The sentence: what is done first and large, what follows from it below.
pub(super) fn deed(id: &'static str, sentence: &str) -> Element {
    let (first, rest) = divided(sentence);
    let set = |class, text| {
        span(class).with_each(parts(text).into_iter().map(|part| match part {
            Part::Plain(text) => text.to_owned().into_html(),
            // Its direction of writing is its own.
            Part::Name(name) => element("bdi").with(name.to_owned()).into_html(),
            Part::Id(id) => element("code").with(id.to_owned()).into_html(),
            Part::Amount(amount) => element("strong").with(amount.to_owned()).into_html(),
        }))
    };
    let rest = (!rest.is_empty()).then(|| set("sentence-rest", rest));
    p("sentence").attr("id", id).attr("tabindex", "-1").with(set("sentence-first", first)).with(rest)
}

/// After the first full stop that no name holds.
fn divided(sentence: &str) -> (&str, &str) {
    let mut within_name = false;
    for (at, character) in sentence.char_indices() {
        match character {
            '“' => within_name = true,
            '”' => within_name = false,
            '.' if !within_name && sentence[at..].starts_with(". ") => return sentence.split_at(at + 1),
            _ => {}
        }
    }
    (sentence, "")
}

/// All of it, in stretches.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, name, after)) = next_name(rest) {
        push_plain(&mut parts, before);
        parts.push(Part::Name(name));
        rest = after;
    }
    push_plain(&mut parts, rest);
    parts
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let from = text.find('“')?;
    let to = from + text[from..].find('”')? + '”'.len_utf8();
    Some((&text[..from], &text[from..to], &text[to..]))
}

/// What stands outside of names is the program's own writing, word by word.
fn push_plain<'a>(parts: &mut Vec<Part<'a>>, text: &'a str) {
    let mut plain_from = 0;
    let mut at = 0;
    for piece in text.split_inclusive(' ') {
        let word = piece.trim_matches(|c: char| matches!(c, ' ' | '(' | ')' | '.' | ','));
        let mut from = at + piece.find(word).unwrap_or_default();
        at += piece.len();
        let special = if is_id(word) {
            let mut to = from + word.len();
            if text[..from].ends_with('(') && text[to..].starts_with(')') {
                (from, to) = (from - 1, to + 1);
            }
            Some((Part::Id(&text[from..to]), to))
        } else if is_amount(word) && text[from + word.len()..].starts_with(" USD") {
            let to = from + word.len() + " USD".len();
            Some((Part::Amount(&text[from..to]), to))
        } else {
            None
        };
        if let Some((part, to)) = special {
            parts.extend((plain_from < from).then(|| Part::Plain(&text[plain_from..from])));
            parts.push(part);
            plain_from = to;
        }
    }
    parts.extend((plain_from < text.len()).then(|| Part::Plain(&text[plain_from..])));
}

/// `wal_7q4m-2f9k-xw1d-0h3t`, or the code of a pairing: `7k4m-x2f9`.
fn is_id(word: &str) -> bool {
    let groups = word.split_once('_').map_or(word, |(_, groups)| groups);
    let wanted = if groups.len() == word.len() { 2 } else { 4 };
    let symbol = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    groups.split('-').count() == wanted
        && groups.split('-').all(|group| group.len() == 4 && group.bytes().all(symbol))
}

fn is_amount(word: &str) -> bool {
    word.split_once('.').is_some_and(|(dollars, cents)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(dollars) && digits(cents)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTENCES: [&str; 6] = [
        "Send 12.50 USD to “Mara” (wal_2222-2222-2222-2222). With the note “50.00 USD (wal_3333-3333-3333-3333). Yes”.",
        "Remove the passkey “Old. key” (psk_7q4m-2f9k-xw1d-0h3t). It can never sign in again.",
        "Pair the agent “Shopper” (agt_7q4m-2f9k-xw1d-0h3t), which shows 7k4m-x2f9. It may spend 20.00 USD in all until 2026-11-22 05:24 UTC, with the workspace's files.",
        "Store the credential “API_KEY” of every channel that has no other. Its agents can read it; a value that it had is lost.",
        "“",
        "",
    ];

    fn text<'a>(part: &Part<'a>) -> &'a str {
        match part {
            Part::Plain(text) | Part::Name(text) | Part::Id(text) | Part::Amount(text) => text,
        }
    }

    #[test]
    fn not_a_character_is_changed() {
        for sentence in SENTENCES {
            let (first, rest) = divided(sentence);
            assert_eq!([first, rest].concat(), sentence);
            for stretch in [first, rest] {
                assert_eq!(parts(stretch).iter().map(text).collect::<String>(), stretch);
            }
        }
    }

    #[test]
    fn what_matters_stands_out() {
        let of = |sentence: &'static str| parts(divided(sentence).0);
        assert_eq!(
            of(SENTENCES[0])[1..5],
            [Part::Amount("12.50 USD"), Part::Plain(" to "), Part::Name("“Mara”"), Part::Plain(" "),]
        );
        assert_eq!(of(SENTENCES[0])[5..], [Part::Id("(wal_2222-2222-2222-2222)"), Part::Plain(".")]);
        assert_eq!(of(SENTENCES[1])[1], Part::Name("“Old. key”"));
        assert_eq!(of(SENTENCES[2])[5], Part::Id("7k4m-x2f9"));
    }

    #[test]
    fn a_name_cannot_dress_up() {
        let note = divided(SENTENCES[0]).1;
        let expected = [
            Part::Plain(" With the note "),
            Part::Name("“50.00 USD (wal_3333-3333-3333-3333). Yes”"),
            Part::Plain("."),
        ];
        assert_eq!(parts(note), expected);
    }
}
