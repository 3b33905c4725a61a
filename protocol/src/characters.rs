use core::ops::RangeInclusive;

/// Asks for a coloured picture of the character before it.
pub const EMOJI_STYLE: char = '\u{fe0f}';

/// Whether a character shows nothing, or changes how those around it are shown.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || HIDDEN.iter().any(|range| range.contains(&c))
}

/// Whether a name could seem to end the quotation in which a sentence has it: `"`, `“` and `”` cannot, since
/// [`quoted`](crate::step_up::quoted) writes them as `"`; what merely looks like them can. It is any other mark or
/// modifier letter that Unicode 17 names as a double quotation mark, but for the angled ones, or as more than one
/// prime, apostrophe or accent above the line, as gershayim or as ditto; and two single ones side by side.
pub fn seems_to_unquote(name: &str) -> bool {
    let is_single = |c| SINGLE.contains(&c);
    // That one takes no room between two others.
    let shown = || name.chars().filter(|&c| c != EMOJI_STYLE);
    let mut pairs = shown().zip(shown().skip(1));
    name.chars().any(|c| DOUBLE.contains(&c)) || pairs.any(|(a, b)| is_single(a) && is_single(b))
}

/// Unicode 17: Default_Ignorable_Code_Point but for [`EMOJI_STYLE`], line and paragraph separators,
/// interlinear annotations, and what merely looks like a space.
const HIDDEN: [RangeInclusive<char>; 18] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0e}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

const DOUBLE: [char; 25] = [
    '\u{2ba}', '\u{2dd}', '\u{2ee}', '\u{2f5}', '\u{2f6}', '\u{5f4}', '„', '‟', '″', '‴', '‶', '‷', '⁗', '❝',
    '❞', '❠', '⹂', '〃', '〝', '〞', '〟', '＂', '🙶', '🙷', '🙸',
];

const SINGLE: [char; 24] = [
    '\u{2bd}', '\u{2ca}', '\u{2cb}', '\u{5f3}', '\u{a78b}', '\u{a78c}', '\u{ff40}', '\'', '`', '´',
    '\u{2b9}', '\u{2bb}', '\u{2bc}', '\u{55a}', '‘', '’', '‚', '‛', '′', '‵', '❛', '❜', '❟', '＇',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_seem_to_end_its_quotation() {
        for mark in ["❝", "❞", "„", "‟", "〝", "〞", "＂", "″", "‶", "ʺ", "״", "🙷"] {
            assert!(seems_to_unquote(&format!("Shopper{mark} (agt_1111-1111-1111-1111)")), "{mark}");
        }
        for pair in ["’’", "''", "′‘", "´`", "׳׳", "’\u{fe0f}’"] {
            assert!(seems_to_unquote(&format!("Shopper{pair} (agt_1111-1111-1111-1111)")), "{pair}");
        }
        for honest in ["", "Mara “M”", "\"Shopper\"", "L’homme d’en face", "6′ 2 «x»", "'a' 'b'"]
        {
            assert!(!seems_to_unquote(honest), "{honest}");
        }
    }
}
