/// The parts of a text between ASCII bytes. `str::split` finds every character there is, which costs a
/// browser's download half a kilobyte.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    rest: Option<&'a str>,
    between: u8,
}

/// See [`Parts`].
pub const fn parts(text: &str, between: u8) -> Parts<'_> {
    Parts { rest: Some(text), between }
}

/// What stands before the first of these ASCII bytes, and what after it.
pub fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// In decimal. Without the formatting machinery, which would be a fifth of the browser's module.
pub fn push_number(text: &mut String, number: u64) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or_default()));
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.take()?;
        match cut(rest, self.between) {
            Some((part, after)) => {
                self.rest = Some(after);
                Some(part)
            }
            None => Some(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for number in [0, 9, 10, 99, 100, 1_763_697_610_000, u64::MAX] {
            let mut text = "=".to_owned();
            push_number(&mut text, number);
            assert_eq!(text, format!("={number}"));
        }
    }

    #[test]
    fn parts_are_those_of_the_standard_library() {
        for text in ["", " ", "a", "a b", " a  b ", "ä ö", "no"] {
            assert_eq!(
                parts(text, b' ').collect::<Vec<_>>(),
                text.split(' ').collect::<Vec<_>>(),
                "{text:?}"
            );
            assert_eq!(cut(text, b' '), text.split_once(' '), "{text:?}");
        }
    }
}
