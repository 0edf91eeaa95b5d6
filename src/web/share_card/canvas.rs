//! A canvas with an indexed palette. Each pixel is one of four inks with its coverage of the background.

use ab_glyph_rasterizer::{Point, Rasterizer, point};

/// Width and height in pixels, as recommended by most sites that show link previews.
pub(in crate::web) const WIDTH: u32 = 1200;
pub(in crate::web) const HEIGHT: u32 = 630;

/// The number of coverage levels of an ink.
const LEVELS: u8 = 64;

/// The background colour in dark mode: red, green, blue.
const GROUND: [u8; 3] = [0x13, 0x11, 0x0f];

/// A colour to draw with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ink {
    /// Primary text.
    Bright,
    /// Secondary text.
    Soft,
    /// Stars and lamps.
    Gold,
    /// Unfilled stars.
    Unlit,
}

impl Ink {
    const COLOURS: [[u8; 3]; 4] =
        [[0xfa, 0xf4, 0xe8], [0xb5, 0xaa, 0x9a], [0xf0, 0xb8, 0x60], [0x4a, 0x42, 0x38]];
}

/// The pixels, row by row.
pub(super) struct Canvas(Vec<u8>);

/// Clamps a point to the bounds of the rasterizer.
pub(super) fn clamp_to_canvas(rasterizer: &Rasterizer, at: Point) -> Point {
    let (width, height) = rasterizer.dimensions();
    let max = |pixels: usize| f32::from(u16::try_from(pixels).unwrap_or(u16::MAX));
    point(at.x.clamp(0.0, max(width) - 1.0), at.y.clamp(0.0, max(height)))
}

impl Canvas {
    pub(super) fn new() -> Self {
        Self(vec![0; WIDTH as usize * HEIGHT as usize])
    }

    /// Fills a shape whose top edge is at row `top`; `ink` chooses the colour of each column.
    pub(super) fn fill(&mut self, shape: &Rasterizer, top: u32, ink: impl Fn(u32) -> Ink) {
        shape.for_each_pixel_2d(|x, y, covered| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 63")]
            let level = (covered.clamp(0.0, 1.0) * f32::from(LEVELS - 1)).round() as u8;
            let (row, in_row) = ((top + y) as usize, x as usize);
            if level > 0
                && x < WIDTH
                && let Some(pixel) = self.0.get_mut(row * WIDTH as usize + in_row)
            {
                *pixel = ink(x) as u8 * LEVELS + level;
            }
        });
    }

    /// Encodes the canvas as a PNG.
    pub(super) fn into_png(self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette());
        // Filters predict a colour from its neighbours, which is useless for palette indexes.
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.0)?;
        writer.finish()?;
        Ok(file)
    }
}

/// The colours of each ink at each level of coverage.
fn palette() -> Vec<u8> {
    let mut palette = Vec::new();
    for colour in Ink::COLOURS {
        for level in 0..u32::from(LEVELS) {
            let max = u32::from(LEVELS) - 1;
            let mixed = colour.iter().zip(GROUND).map(|(ink, ground)| {
                let sum = u32::from(*ink) * level + u32::from(ground) * (max - level);
                u8::try_from((sum + max / 2) / max).unwrap_or(u8::MAX)
            });
            palette.extend(mixed);
        }
    }
    palette
}
