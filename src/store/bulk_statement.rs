//! Statements about many rows at once, since a round trip to the database costs more than a row.

use std::sync::OnceLock;

/// The numbers of rows for which there are statements. Few, since each connection keeps them prepared, and none large,
/// since SQLite searches all parameters for the name of each.
const SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// A statement, written once for each number of rows.
pub(super) struct BulkStatement {
    texts: [OnceLock<String>; SIZES.len()],
    before: &'static str,
    /// Values that come before those of the rows, for all of them.
    common: usize,
    /// A row: `#1` stands for its first parameter.
    row: &'static str,
    /// Parameters of a row; fewer than ten.
    parameters: usize,
    after: &'static str,
}

impl BulkStatement {
    /// A statement with `($1, $2), ($3, $4)` between the two texts, if a row is `(#1, #2)` and has two parameters.
    pub(super) const fn new(
        before: &'static str,
        row: &'static str,
        parameters: usize,
        after: &'static str,
    ) -> Self {
        Self::with(0, before, row, parameters, after)
    }

    /// The same, if the texts have `common` parameters, `$1` and so on. Those of the rows follow.
    pub(super) const fn with(
        common: usize,
        before: &'static str,
        row: &'static str,
        parameters: usize,
        after: &'static str,
    ) -> Self {
        Self { texts: [const { OnceLock::new() }; SIZES.len()], before, common, row, parameters, after }
    }

    /// Splits rows into parts, each with its statement. The last row of a part may be repeated to fill the part, so
    /// that statements must be idempotent.
    pub(super) fn parts<'r, T>(
        &'static self,
        mut rows: &'r [T],
    ) -> impl Iterator<Item = (&'static str, usize, impl Iterator<Item = &'r T> + use<'r, T>)> + use<'r, T>
    {
        std::iter::from_fn(move || {
            let last = rows.len().checked_sub(1)?;
            let index = fitting(rows.len());
            let size = SIZES[index];
            let (part, rest) = rows.split_at(size.min(last + 1));
            rows = rest;
            let filler = std::iter::repeat_n(&part[part.len() - 1], size - part.len());
            Some((self.text(index), part.len(), part.iter().chain(filler)))
        })
    }

    fn text(&'static self, index: usize) -> &'static str {
        self.texts[index].get_or_init(|| {
            let row = |row: usize| {
                (1..=self.parameters).fold(self.row.to_owned(), |text, parameter| {
                    let name = format!("${}", self.common + row * self.parameters + parameter);
                    text.replace(&format!("#{parameter}"), &name)
                })
            };
            let rows: Vec<String> = (0..SIZES[index]).map(row).collect();
            format!("{} {} {}", self.before, rows.join(", "), self.after)
        })
    }
}

/// The index of the smallest size that holds that many rows, or of the largest. Filling a part costs less than another
/// round trip.
fn fitting(rows: usize) -> usize {
    SIZES.iter().position(|size| *size >= rows).unwrap_or(SIZES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_into_few_parts() {
        static TEXT: BulkStatement = BulkStatement::new("values", "(#1, #2, 3, #1)", 2, "!");
        static COMMON: BulkStatement = BulkStatement::with(2, "$1 $2", "(#1)", 1, "");
        let sizes = |rows: usize| -> Vec<(usize, usize)> {
            let rows: Vec<usize> = (0..rows).collect();
            let mut visited = Vec::new();
            let parts: Vec<(usize, usize)> = TEXT
                .parts(&rows)
                .map(|(_, real, all)| {
                    let all: Vec<usize> = all.copied().collect();
                    visited.extend_from_slice(&all[..real]);
                    (real, all.len())
                })
                .collect();
            assert_eq!(visited, rows);
            parts
        };
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(1), [(1, 1)]);
        assert_eq!(sizes(2), [(2, 2)]);
        assert_eq!(sizes(3), [(3, 4)]);
        assert_eq!(sizes(17), [(17, 32)]);
        assert_eq!(sizes(130), [(64, 64), (64, 64), (2, 2)]);
        let (text, ..) = TEXT.parts(&[(); 4]).next().unwrap();
        assert_eq!(text, "values ($1, $2, 3, $1), ($3, $4, 3, $3), ($5, $6, 3, $5), ($7, $8, 3, $7) !");
        let (text, ..) = COMMON.parts(&[(); 4]).next().unwrap();
        assert_eq!(text, "$1 $2 ($3), ($4), ($5), ($6) ");
    }
}
