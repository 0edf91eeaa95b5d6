//! Dates of release, which are often known only as a month or a year.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The date on which a film was released, as precisely as the source gives it. Its text is `2019`, `2019-05` or
/// `2019-05-03`, and it is stored in that form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReleaseDate {
    /// A year.
    Year(i16),
    /// A year and a month from 1 to 12.
    Month(i16, i8),
    /// A day.
    Day(Date),
}

/// The text is not a date of release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2024-10-18, 2024-10 or 2024")]
pub struct ReleaseDateError;

impl ReleaseDate {
    /// The year.
    pub fn year(self) -> i16 {
        match self {
            Self::Year(year) | Self::Month(year, _) => year,
            Self::Day(day) => day.year(),
        }
    }
}

impl From<Date> for ReleaseDate {
    fn from(day: Date) -> Self {
        Self::Day(day)
    }
}

impl FromStr for ReleaseDate {
    type Err = ReleaseDateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |text: &str, count: usize| {
            let fits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| text.parse::<i16>().ok()).flatten().ok_or(ReleaseDateError)
        };
        match text.split('-').collect::<Vec<_>>().as_slice() {
            [year] => Ok(Self::Year(digits(year, 4)?)),
            [year, month] => {
                let month = i8::try_from(digits(month, 2)?).map_err(|_| ReleaseDateError)?;
                if !(1..=12).contains(&month) {
                    return Err(ReleaseDateError);
                }
                Ok(Self::Month(digits(year, 4)?, month))
            }
            _ => text.parse().map(Self::Day).map_err(|_| ReleaseDateError),
        }
    }
}

impl TryFrom<String> for ReleaseDate {
    type Error = ReleaseDateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ReleaseDate> for String {
    fn from(date: ReleaseDate) -> Self {
        date.to_string()
    }
}

impl fmt::Display for ReleaseDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_keeps_its_precision() {
        for (text, year) in [("2019", 2019), ("2019-05", 2019), ("1999-12-31", 1999)] {
            let date: ReleaseDate = text.parse().unwrap();
            assert_eq!((date.to_string().as_str(), date.year()), (text, year));
            let stored = serde_json::to_string(&date).unwrap();
            assert_eq!(serde_json::from_str::<ReleaseDate>(&stored).unwrap(), date);
        }
        for text in ["", "soon", "19", "2019-13", "2019-00", "2019-5", "2019-02-30", "+019", "2019-05-"] {
            assert_eq!(text.parse::<ReleaseDate>(), Err(ReleaseDateError), "{text}");
        }
    }
}
