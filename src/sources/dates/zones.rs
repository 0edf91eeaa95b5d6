//! The names of time zones in dates.

use jiff::tz::{Offset, TimeZone};

use super::tokens::DateToken;

/// The zone that follows a time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ZoneName {
    /// An offset, or UTC.
    Offset(TimeZone),
    /// An abbreviation, which some places share.
    Abbreviation(TimeZone),
    /// A word that may name a zone, but none that is known.
    Unknown,
    /// None.
    Missing,
}

/// Abbreviations and their offsets in minutes. RFC 822 defines the American ones; the others are those in use where feeds are
/// written, and mean only one zone there.
const ABBREVIATIONS: [(&str, i32); 48] = [
    ("z", 0),
    ("utc", 0),
    ("gmt", 0),
    ("ut", 0),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("ast", -240),
    ("adt", -180),
    ("nst", -210),
    ("ndt", -150),
    ("brt", -180),
    ("art", -180),
    ("clt", -240),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("cest", 120),
    ("mez", 60),
    ("mesz", 120),
    ("met", 60),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("trt", 180),
    ("sast", 120),
    ("pkt", 300),
    ("wib", 420),
    ("ict", 420),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
];

/// Takes the name of a zone of the IANA database, such as `America/Los_Angeles`, out of a text.
pub(super) fn take_tz_name(text: &str) -> (String, Option<TimeZone>) {
    let mut zone = None;
    let parts =
        text.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']')).filter(|part| !part.is_empty());
    // RFC 9557 has other information there, too, such as the calendar: `[u-ca=gregory]`.
    let kept = parts.filter(|part| !part.contains('=')).filter(|part| {
        let name = part.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_name = name.contains('/') && name.starts_with(|c: char| c.is_ascii_alphabetic());
        match is_name.then(|| TimeZone::get(name).ok()).flatten() {
            Some(found) => {
                zone = Some(found);
                false
            }
            None => true,
        }
    });
    (kept.collect::<Vec<_>>().join(" "), zone)
}

/// Reads the zone at the beginning of the tokens; returns it with the number of its tokens.
pub(super) fn read(tokens: &[DateToken]) -> (ZoneName, usize) {
    if let Some((minutes, length)) = offset(tokens) {
        return (known(minutes), length);
    }
    let Some(DateToken::Word(name)) = tokens.first() else { return (ZoneName::Missing, 0) };
    if let Some((_, minutes)) = ABBREVIATIONS.iter().find(|(abbreviation, _)| abbreviation == name) {
        // `GMT+7`
        if matches!(name.as_str(), "gmt" | "utc" | "ut")
            && let Some((minutes, length)) = offset(&tokens[1..])
        {
            return (known(minutes), 1 + length);
        }
        let zone = match known(*minutes) {
            ZoneName::Offset(zone) if *minutes != 0 => ZoneName::Abbreviation(zone),
            zone => zone,
        };
        return (zone, 1);
    }
    let is_last = tokens.len() == 1;
    let may_be_zone = (2..=5).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_last && may_be_zone { (ZoneName::Unknown, 1) } else { (ZoneName::Missing, 0) }
}

fn known(minutes: i32) -> ZoneName {
    Offset::from_seconds(minutes * 60)
        .map_or(ZoneName::Unknown, |offset| ZoneName::Offset(TimeZone::fixed(offset)))
}

/// Reads an offset such as `+0100`, `-05:30` or `+7`, in minutes.
fn offset(tokens: &[DateToken]) -> Option<(i32, usize)> {
    let [
        DateToken::Symbol(sign @ ('+' | '-')),
        DateToken::Number { value, digits, is_glued: true },
        rest @ ..,
    ] = tokens
    else {
        return None;
    };
    let (hours, minutes, length) = match (digits, rest) {
        (2, [DateToken::Symbol(':'), DateToken::Number { value: minutes, digits: 2, .. }, ..]) => {
            (*value, *minutes, 4)
        }
        (4, _) => (value / 100, value % 100, 2),
        (1 | 2, _) => (*value, 0, 2),
        _ => return None,
    };
    let total = i32::try_from(hours * 60 + minutes).ok().filter(|_| hours <= 14 && minutes < 60)?;
    Some((if *sign == '-' { -total } else { total }, length))
}
