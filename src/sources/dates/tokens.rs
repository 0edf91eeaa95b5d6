//! Splits the text of a date into numbers, words and symbols.

use unicode_normalization::UnicodeNormalization as _;

/// A part of a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateToken {
    /// Digits. `is_glued` tells whether no space precedes them.
    Number { value: i64, digits: usize, is_glued: bool },
    /// Letters, in lower case and without a full stop at the end.
    Word(String),
    /// Any other character but a space.
    Symbol(char),
}

/// More digits are no part of a date.
const MAX_DIGITS: usize = 14;

/// The zeros of decimal digits that dates are written with: Arabic, Persian, Devanagari, Bengali, Thai and Burmese.
const ZEROS: [u32; 6] = [0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0x1040];

fn digit(c: char) -> Option<u32> {
    let code = u32::from(c);
    let foreign = || ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)).map(|zero| code - zero);
    c.to_digit(10).or_else(foreign)
}

/// Whether a character separates the parts of a date.
fn is_symbol(c: char) -> bool {
    c.is_ascii_punctuation() && c != '\'' || matches!(c, '•' | '·' | '–' | '—' | '“' | '”' | '、' | '،')
}

/// Splits a text. What stands in round brackets repeats the zone or the weekday, and is left out.
pub(super) fn tokenize(text: &str) -> Vec<DateToken> {
    let lower = text.nfkc().collect::<String>().to_lowercase().replace('’', "'");
    let lower = lower.replace("a.m.", "am").replace("p.m.", "pm");
    let mut tokens = Vec::new();
    let mut chars = lower.chars().peekable();
    let (mut is_glued, mut brackets) = (false, 0_u32);
    while let Some(c) = chars.next() {
        if c == '(' {
            brackets += 1;
        } else if c == ')' {
            brackets = brackets.saturating_sub(1);
        } else if brackets > 0 || c.is_whitespace() {
            is_glued = false;
            continue;
        } else if let Some(first) = digit(c) {
            let (mut value, mut digits) = (i64::from(first), 1);
            while let Some(next) = chars.peek().and_then(|c| digit(*c)) {
                chars.next();
                digits += 1;
                if digits <= MAX_DIGITS {
                    value = value * 10 + i64::from(next);
                }
            }
            tokens.push(DateToken::Number { value, digits, is_glued });
        } else if is_symbol(c) {
            tokens.push(DateToken::Symbol(c));
        } else {
            let mut word = String::from(c);
            while let Some(next) =
                chars.peek().filter(|c| !c.is_whitespace() && !is_symbol(**c) && digit(**c).is_none())
            {
                word.push(*next);
                chars.next();
            }
            // The full stop of an abbreviation.
            if chars.peek() == Some(&'.') && word.chars().count() > 1 {
                chars.next();
            }
            tokens.push(DateToken::Word(without_particle(&word).to_owned()));
        }
        is_glued = true;
    }
    tokens.retain(|token| !matches!(token, DateToken::Word(word) if word.is_empty()));
    tokens
}

/// Removes the particle before a month: `d'abril`.
fn without_particle(word: &str) -> &str {
    word.strip_prefix("d'").unwrap_or(word).trim_matches('\'')
}
