//! TOML, with each value as it is written.

use toml_edit::{ImDocument, Item, TableLike, Value};

use super::super::html;
use super::{FrontMatterField, FrontMatterValue, MAX_DEPTH, MAX_VALUES, SyntaxError};

/// Parses a document.
pub(super) fn parse(source: &str) -> Result<Vec<FrontMatterField>, SyntaxError> {
    let document = ImDocument::parse(source).map_err(|error| SyntaxError {
        line: line_of(source, error.span().map_or(0, |span| span.start)),
        what: html::single_line_text(error.message(), 160),
    })?;
    let mut reader = Reader { source, values: 0 };
    reader.table(document.as_table(), 0)
}

fn line_of(source: &str, at: usize) -> usize {
    source.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

struct Reader<'a> {
    source: &'a str,
    values: usize,
}

impl Reader<'_> {
    fn table(&mut self, table: &dyn TableLike, depth: usize) -> Result<Vec<FrontMatterField>, SyntaxError> {
        let mut fields = Vec::new();
        for (key, item) in table.iter() {
            // The span of a key begins with the comments above it.
            let position = item.span().or_else(|| table.key(key).and_then(toml_edit::Key::span));
            let line = line_of(self.source, position.map_or(0, |span| span.start));
            let value = self.item(item, depth, line)?;
            // The fence precedes the front matter.
            fields.push(FrontMatterField { key: html::single_line_text(key, 60), line: line + 1, value });
        }
        Ok(fields)
    }

    fn item(&mut self, item: &Item, depth: usize, line: usize) -> Result<FrontMatterValue, SyntaxError> {
        self.values += 1;
        if depth >= MAX_DEPTH || self.values > MAX_VALUES {
            return Err(SyntaxError { line, what: "it is nested too deeply or too long".to_owned() });
        }
        if let Some(table) = item.as_table_like() {
            return Ok(FrontMatterValue::Table(self.table(table, depth + 1)?));
        }
        match item {
            Item::ArrayOfTables(tables) => {
                let tables: Result<Vec<_>, _> = tables
                    .iter()
                    .map(|table| Ok(FrontMatterValue::Table(self.table(table, depth + 1)?)))
                    .collect();
                Ok(FrontMatterValue::List(tables?))
            }
            Item::Value(Value::Array(values)) => {
                let values: Result<Vec<_>, _> = values
                    .iter()
                    .map(|value| self.item(&Item::Value(value.clone()), depth + 1, line))
                    .collect();
                Ok(FrontMatterValue::List(values?))
            }
            Item::Value(Value::String(text)) => Ok(FrontMatterValue::Text(text.value().clone())),
            item => {
                let text = item.span().and_then(|span| self.source.get(span)).unwrap_or_default();
                Ok(FrontMatterValue::Text(text.trim().to_owned()))
            }
        }
    }
}
