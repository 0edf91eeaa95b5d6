//! A font of share cards: text width, line breaking and outlines.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use ttf_parser::gpos::{PairAdjustment, PositioningSubtable};
use ttf_parser::{GlyphId, OutlineBuilder};
use unicode_normalization::UnicodeNormalization;

/// How many characters of a text are used.
const MAX_CHARACTERS: usize = 400;

/// A font with its kerning.
pub(super) struct Font {
    font: ttf_parser::Face<'static>,
    pairs: Vec<PairAdjustment<'static>>,
}

impl Font {
    /// Returns `None` if the bytes are not a font.
    pub(super) fn parse(bytes: &'static [u8]) -> Option<Self> {
        let font = ttf_parser::Face::parse(bytes, 0).ok()?;
        let mut pairs = Vec::new();
        for lookup in font.tables().gpos.iter().flat_map(|gpos| gpos.lookups) {
            for table in lookup.subtables.into_iter::<PositioningSubtable<'_>>() {
                if let PositioningSubtable::Pair(pair) = table {
                    pairs.push(pair);
                }
            }
        }
        Some(Self { font, pairs })
    }

    /// The text as it can be drawn, without symbols that the font lacks. Returns `None` if the font lacks a letter or
    /// digit, or if nothing is left: a text with gaps would be misleading.
    pub(super) fn renderable(&self, text: &str) -> Option<String> {
        let mut renderable = String::new();
        for c in text.nfc().take(MAX_CHARACTERS) {
            if self.font.glyph_index(c).is_some() {
                renderable.push(c);
            } else if c.is_alphanumeric() {
                return None;
            }
        }
        let words: Vec<&str> = renderable.split_whitespace().collect();
        Some(words.join(" ")).filter(|text| !text.is_empty())
    }

    fn scale(&self, size: f32) -> f32 {
        size / f32::from(self.font.units_per_em())
    }

    /// Returns the glyphs with their offsets in pixels, and the total width.
    fn layout(&self, text: &str, size: f32) -> (Vec<(GlyphId, f32)>, f32) {
        let scale = self.scale(size);
        let mut glyphs = Vec::new();
        let (mut at, mut previous) = (0.0, None);
        for glyph in text.chars().filter_map(|c| self.font.glyph_index(c)) {
            if let Some(previous) = previous {
                at += f32::from(self.kerning(previous, glyph)) * scale;
            }
            glyphs.push((glyph, at));
            at += f32::from(self.font.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
            previous = Some(glyph);
        }
        (glyphs, at)
    }

    /// The kerning between two glyphs in font units.
    fn kerning(&self, left: GlyphId, right: GlyphId) -> i16 {
        for pair in &self.pairs {
            let Some(index) = pair.coverage().get(left) else { continue };
            let found = match pair {
                PairAdjustment::Format1 { sets, .. } => sets.get(index).and_then(|set| set.get(right)),
                PairAdjustment::Format2 { classes, matrix, .. } => {
                    matrix.get((classes.0.get(left), classes.1.get(right)))
                }
            };
            if let Some((first, _)) = found {
                return first.x_advance;
            }
        }
        0
    }

    /// The width of a text in pixels.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        self.layout(text, size).1
    }

    /// Breaks the text into at most `max_lines` lines of that width. Returns `None` if it does not fit.
    pub(super) fn wrap(&self, text: &str, size: f32, width: f32, max_lines: usize) -> Option<Vec<String>> {
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let last = lines.last_mut()?;
            let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
            if self.width(&longer, size) <= width {
                *last = longer;
            } else if last.is_empty() || self.width(word, size) > width {
                return None;
            } else {
                lines.push(word.to_owned());
            }
            if lines.len() > max_lines {
                return None;
            }
        }
        Some(lines)
    }

    /// Like [`Font::wrap`], but truncates a text that does not fit, and breaks words that are too long for a line.
    pub(super) fn wrap_truncated(&self, text: &str, size: f32, width: f32, max_lines: usize) -> Vec<String> {
        let mut lines: Vec<String> = vec![String::new()];
        for c in text.chars() {
            let Some(last) = lines.last_mut() else { break };
            last.push(c);
            if self.width(last, size) <= width {
                continue;
            }
            if lines.len() == max_lines {
                return self.ellipsize(lines, size, width);
            }
            // Break at the last space of the line, if there is one.
            let Some(last) = lines.last_mut() else { break };
            let end = last.rfind(' ').or_else(|| last.char_indices().next_back().map(|(at, _)| at));
            let rest = last.split_off(end.unwrap_or(0));
            lines.push(rest.trim_start().to_owned());
        }
        lines.iter().map(|line| line.trim().to_owned()).collect()
    }

    /// Ends the last line with an ellipsis.
    fn ellipsize(&self, mut lines: Vec<String>, size: f32, width: f32) -> Vec<String> {
        if let Some(last) = lines.last_mut() {
            while !last.is_empty() && self.width(&format!("{last}…"), size) > width {
                last.pop();
            }
            // Cut at a word boundary unless that leaves too little.
            let word = last.rfind(' ').filter(|at| at * 2 > last.len());
            last.truncate(word.unwrap_or(last.len()));
            let end = last.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
            last.truncate(end);
            last.push('…');
        }
        lines
    }

    /// Draws the outlines of a text with its baseline starting at `from`, and returns its width.
    pub(super) fn draw(&self, text: &str, size: f32, from: Point, into: &mut Rasterizer) -> f32 {
        let (glyphs, width) = self.layout(text, size);
        for (glyph, at) in glyphs {
            let origin = point(from.x + at, from.y);
            let mut pen = GlyphPen { into, origin, scale: self.scale(size), at: origin, start: origin };
            self.font.outline_glyph(glyph, &mut pen);
        }
        width
    }
}

/// Draws the outline of a glyph.
struct GlyphPen<'r> {
    into: &'r mut Rasterizer,
    origin: Point,
    scale: f32,
    at: Point,
    start: Point,
}

impl GlyphPen<'_> {
    /// Converts a point from font units, clamped to the canvas.
    fn to_canvas(&self, x: f32, y: f32) -> Point {
        let (x, y) = (self.origin.x + x * self.scale, self.origin.y - y * self.scale);
        super::canvas::clamp_to_canvas(self.into, point(x, y))
    }
}

impl OutlineBuilder for GlyphPen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.to_canvas(x, y);
        self.start = self.at;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.to_canvas(x, y);
        self.into.draw_line(self.at, to);
        self.at = to;
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (control, to) = (self.to_canvas(x1, y1), self.to_canvas(x, y));
        self.into.draw_quad(self.at, control, to);
        self.at = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (first, second, to) = (self.to_canvas(x1, y1), self.to_canvas(x2, y2), self.to_canvas(x, y));
        self.into.draw_cubic(self.at, first, second, to);
        self.at = to;
    }

    fn close(&mut self) {
        self.into.draw_line(self.at, self.start);
        self.at = self.start;
    }
}
