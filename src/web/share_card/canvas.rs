//! A canvas with an indexed palette. Each pixel names one of four inks and its coverage of the background.

use std::io::Write as _;

use ab_glyph_rasterizer::{Point, Rasterizer, point};

/// Width and height in pixels, as most consumers of previews recommend.
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
pub(super) fn clamp_to_canvas(drawn_on: &Rasterizer, at: Point) -> Point {
    let (width, height) = drawn_on.dimensions();
    let most = |pixels: usize| f32::from(u16::try_from(pixels).unwrap_or(u16::MAX));
    point(at.x.clamp(0.0, most(width) - 1.0), at.y.clamp(0.0, most(height)))
}

impl Canvas {
    pub(super) fn new() -> Self {
        Self(vec![0; WIDTH as usize * HEIGHT as usize])
    }

    /// Copies a drawn shape whose top edge is at `top`; `ink` chooses the colour by column.
    pub(super) fn fill(&mut self, drawn: &Rasterizer, top: u32, ink: impl Fn(u32) -> Ink) {
        drawn.for_each_pixel_2d(|x, y, covered| {
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
    pub(super) fn into_png(self) -> std::io::Result<Vec<u8>> {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut head = Vec::new();
        head.extend(WIDTH.to_be_bytes());
        head.extend(HEIGHT.to_be_bytes());
        // Eight bits a pixel, from a palette; the one compression and filter method there are; not interlaced.
        head.extend([8, 3, 0, 0, 0]);
        chunk(&mut png, *b"IHDR", &head);
        chunk(&mut png, *b"PLTE", &palette());
        let mut rows = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        for row in self.0.chunks(WIDTH as usize) {
            rows.write_all(&[0])?;
            rows.write_all(row)?;
        }
        chunk(&mut png, *b"IDAT", &rows.finish()?);
        chunk(&mut png, *b"IEND", &[]);
        Ok(png)
    }
}

/// Each ink at each level of coverage.
fn palette() -> Vec<u8> {
    let mut palette = Vec::new();
    for colour in Ink::COLOURS {
        for level in 0..u32::from(LEVELS) {
            let most = u32::from(LEVELS) - 1;
            let mixed = colour.iter().zip(GROUND).map(|(ink, ground)| {
                let sum = u32::from(*ink) * level + u32::from(ground) * (most - level);
                u8::try_from((sum + most / 2) / most).unwrap_or(u8::MAX)
            });
            palette.extend(mixed);
        }
    }
    palette
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut sum = flate2::Crc::new();
    sum.update(&kind);
    sum.update(data);
    png.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(sum.sum().to_be_bytes());
}
