//! Statements about several rows at once: a round trip to the database costs more than a row.

use std::sync::OnceLock;

/// The numbers of rows for which there are statements. Few, since each connection keeps them prepared.
const SIZES: [usize; 4] = [1, 4, 16, 64];

/// A statement, written once for each number of rows.
pub(super) struct Several {
    texts: [OnceLock<String>; SIZES.len()],
    before: &'static str,
    /// Columns of a row.
    columns: usize,
    after: &'static str,
}

impl Several {
    /// A statement in which `($1, $2), ($3, $4)`, a bracket a row, stands between the two texts.
    pub(super) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self { texts: [const { OnceLock::new() }; SIZES.len()], before, columns, after }
    }

    /// Splits rows into parts, each with its statement. The last row of a part may be there more than once, to fill
    /// it: statements must not mind.
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
                let names: Vec<String> =
                    (1..=self.columns).map(|column| format!("${}", row * self.columns + column)).collect();
                format!("({})", names.join(", "))
            };
            let rows: Vec<String> = (0..SIZES[index]).map(row).collect();
            format!("{} {} {}", self.before, rows.join(", "), self.after)
        })
    }
}

/// Which of the sizes the next part of so many rows has: the one that is nearly full, or one that is.
fn fitting(rows: usize) -> usize {
    let above = SIZES.iter().position(|size| *size >= rows);
    match above {
        Some(above) if rows * 4 >= SIZES[above] * 3 => above,
        Some(above) => above.saturating_sub(1),
        None => SIZES.len() - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_into_parts_that_are_nearly_full() {
        static TEXT: Several = Several::new("values", 2, "!");
        let sizes = |rows: usize| -> Vec<(usize, usize)> {
            let rows: Vec<usize> = (0..rows).collect();
            let mut met = Vec::new();
            let parts: Vec<(usize, usize)> = TEXT
                .parts(&rows)
                .map(|(_, real, all)| {
                    let all: Vec<usize> = all.copied().collect();
                    met.extend_from_slice(&all[..real]);
                    (real, all.len())
                })
                .collect();
            assert_eq!(met, rows);
            parts
        };
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(1), [(1, 1)]);
        assert_eq!(sizes(2), [(1, 1), (1, 1)]);
        assert_eq!(sizes(3), [(3, 4)]);
        assert_eq!(sizes(30), [(16, 16), (14, 16)]);
        assert_eq!(sizes(130), [(64, 64), (64, 64), (1, 1), (1, 1)]);
        let (text, ..) = TEXT.parts(&[(); 4]).next().unwrap();
        assert_eq!(text, "values ($1, $2), ($3, $4), ($5, $6), ($7, $8) !");
    }
}
