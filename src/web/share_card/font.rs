//! The letters of a card: how wide a text is, how it is broken into lines, and its outlines.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use ttf_parser::gpos::{PairAdjustment, PositioningSubtable};
use ttf_parser::{GlyphId, OutlineBuilder};
use unicode_normalization::UnicodeNormalization;

/// No line of a card holds more; what is longer is cut before it is measured.
const MAX_CHARACTERS: usize = 400;

/// A font with its kerning.
pub(super) struct Font {
    font: ttf_parser::Face<'static>,
    pairs: Vec<PairAdjustment<'static>>,
}

impl Font {
    /// None where the bytes are no font, which those of ours are.
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

    /// The text as it can be drawn: signs that the font lacks are left out. None where it lacks a letter or a
    /// digit, or where nothing is left: a text with holes says something else.
    pub(super) fn renderable(&self, text: &str) -> Option<String> {
        let mut drawn = String::new();
        for c in text.nfc().take(MAX_CHARACTERS) {
            if self.font.glyph_index(c).is_some() {
                drawn.push(c);
            } else if c.is_alphanumeric() {
                return None;
            }
        }
        let words: Vec<&str> = drawn.split_whitespace().collect();
        Some(words.join(" ")).filter(|text| !text.is_empty())
    }

    fn scale(&self, size: f32) -> f32 {
        size / f32::from(self.font.units_per_em())
    }

    /// The letters with the place of each, in pixels from the beginning, and the width of all.
    fn layout(&self, text: &str, size: f32) -> (Vec<(GlyphId, f32)>, f32) {
        let scale = self.scale(size);
        let mut set = Vec::new();
        let (mut at, mut before) = (0.0, None);
        for glyph in text.chars().filter_map(|c| self.font.glyph_index(c)) {
            if let Some(before) = before {
                at += f32::from(self.kerning(before, glyph)) * scale;
            }
            set.push((glyph, at));
            at += f32::from(self.font.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
            before = Some(glyph);
        }
        (set, at)
    }

    /// How much nearer two letters stand than others, in units of the font.
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

    /// How wide a text is in pixels.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        self.layout(text, size).1
    }

    /// The text in lines of at max_lines that width; more of them than `max_lines` are none of its lines.
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

    /// The same, cut short where it is longer; a word that is too long for a line is broken.
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
            // From the last space of the line, if it has one.
            let Some(last) = lines.last_mut() else { break };
            let end = last.rfind(' ').or_else(|| last.char_indices().next_back().map(|(at, _)| at));
            let rest = last.split_off(end.unwrap_or(0));
            lines.push(rest.trim_start().to_owned());
        }
        lines.iter().map(|line| line.trim().to_owned()).collect()
    }

    /// The lines with the last one cut, so that it ends in a mark.
    fn ellipsize(&self, mut lines: Vec<String>, size: f32, width: f32) -> Vec<String> {
        if let Some(last) = lines.last_mut() {
            while !last.is_empty() && self.width(&format!("{last}…"), size) > width {
                last.pop();
            }
            // At the end of a word, where that does not leave too little.
            let word = last.rfind(' ').filter(|at| at * 2 > last.len());
            last.truncate(word.unwrap_or(last.len()));
            let end = last.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
            last.truncate(end);
            last.push('…');
        }
        lines
    }

    /// Draws the outlines of a text that begins at that place of its base line, and gives its width.
    pub(super) fn draw(&self, text: &str, size: f32, from: Point, into: &mut Rasterizer) -> f32 {
        let (set, width) = self.layout(text, size);
        for (glyph, at) in set {
            let origin = point(from.x + at, from.y);
            let mut pen = GlyphPen { into, origin, scale: self.scale(size), at: origin, start: origin };
            self.font.outline_glyph(glyph, &mut pen);
        }
        width
    }
}

/// Draws the outline of one letter.
struct GlyphPen<'r> {
    into: &'r mut Rasterizer,
    origin: Point,
    scale: f32,
    at: Point,
    start: Point,
}

impl GlyphPen<'_> {
    /// Where a point of the font lies, clamp_to_canvas the canvas in any case.
    fn place(&self, x: f32, y: f32) -> Point {
        let (x, y) = (self.origin.x + x * self.scale, self.origin.y - y * self.scale);
        super::canvas::clamp_to_canvas(self.into, point(x, y))
    }
}

impl OutlineBuilder for GlyphPen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.place(x, y);
        self.start = self.at;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.into.draw_line(self.at, to);
        self.at = to;
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (by, to) = (self.place(x1, y1), self.place(x, y));
        self.into.draw_quad(self.at, by, to);
        self.at = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (first, second, to) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.into.draw_cubic(self.at, first, second, to);
        self.at = to;
    }

    fn close(&mut self) {
        self.into.draw_line(self.at, self.start);
        self.at = self.start;
    }
}
