//! Draws a card: what the review is called, what it is about, what it says of it, and who wrote it.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use anyhow::Context as _;

use super::Card;
use super::canvas::{Canvas, HEIGHT, Ink, WIDTH, within};
use super::face::Face;

static TITLES: &[u8] = include_bytes!("fonts/NotoSerif-Bold.ttf");
static TEXTS: &[u8] = include_bytes!("fonts/NotoSans-Regular.ttf");

/// From each side to what is written.
const EDGE: f32 = 84.0;

/// The sizes that a title is tried in, with the lines that it may have.
const SIZES: [(f32, usize); 3] = [(84.0, 2), (68.0, 3), (54.0, 4)];

/// What is written beside the title.
const TEXT_SIZE: f32 = 32.0;

/// The corners of a star, and how far the inner ones are from its middle, of the outer ones.
const STAR: (u8, f32) = (10, 0.42);

/// The card as a PNG. Takes some milliseconds of a processor.
///
/// # Errors
/// Never: the fonts are ours, and it is written to memory.
pub(super) fn png(card: &Card) -> anyhow::Result<Vec<u8>> {
    let titles = Face::parse(TITLES).context("the font of titles")?;
    let texts = Face::parse(TEXTS).context("the font of texts")?;
    let mut sheet = Sheet { canvas: Canvas::new(), titles, texts };
    sheet.lamps();
    sheet.headline(card);
    sheet.verdict(card);
    sheet.foot(card);
    Ok(sheet.canvas.into_png()?)
}

struct Sheet {
    canvas: Canvas,
    titles: Face,
    texts: Face,
}

/// What there is to write on.
fn room() -> f32 {
    pixels(WIDTH) - 2.0 * EDGE
}

fn pixels(count: u32) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

impl Sheet {
    /// The lamps above and below, as on the front of a cinema.
    fn lamps(&mut self) {
        let lamps: Vec<f32> = (1..25_u8).map(|lamp| 48.0 * f32::from(lamp)).collect();
        for y in [26.0, pixels(HEIGHT) - 26.0] {
            self.shapes(&lamps, y, 5.0, (16, 1.0), |_| Ink::Gold);
        }
    }

    /// Shapes around middles beside each other, of so many corners; every second corner is nearer to the middle, as
    /// `form` says after their number.
    fn shapes(&mut self, across: &[f32], y: f32, radius: f32, form: (u8, f32), ink: impl Fn(u32) -> Ink) {
        let mut drawn = Rasterizer::new(WIDTH as usize, 64);
        let top = (y - 32.0).clamp(0.0, pixels(HEIGHT) - 64.0).floor();
        let (corners, inner) = form;
        for x in across {
            let corner = |number: u8| {
                let turn = std::f32::consts::TAU * f32::from(number) / f32::from(corners);
                let far = if number.is_multiple_of(2) { radius } else { radius * inner };
                point(x + turn.sin() * far, y - top - turn.cos() * far)
            };
            for number in 0..corners {
                let (from, to) = (corner(number), corner((number + 1) % corners));
                let (from, to) = (within(&drawn, from), within(&drawn, to));
                drawn.draw_line(from, to);
            }
        }
        self.canvas.fill(&drawn, row(top), ink);
    }

    /// One line of text that begins at that place of its base line. Gives its width.
    fn line(&mut self, is_title: bool, text: &str, size: f32, from: Point, ink: Ink) -> f32 {
        let face = if is_title { &self.titles } else { &self.texts };
        let mut drawn = Rasterizer::new(WIDTH as usize, 160);
        let top = (from.y - 110.0).clamp(0.0, pixels(HEIGHT) - 160.0).floor();
        let width = face.draw(text, size, point(from.x, from.y - top), &mut drawn);
        self.canvas.fill(&drawn, row(top), |_| ink);
        width
    }

    /// The title, and the film above it.
    fn headline(&mut self, card: &Card) {
        let title = card.titles.iter().find_map(|title| self.titles.drawable(title));
        let film = card.film.iter().find_map(|film| self.texts.drawable(film));
        let film = film.filter(|film| title.as_ref() != Some(film));
        let (size, lines) = title.map_or((0.0, Vec::new()), |title| self.broken(&title));
        let above = if film.is_some() { TEXT_SIZE * 1.9 } else { 0.0 };
        let high = above + size * 1.2 * f32::from(u8::try_from(lines.len()).unwrap_or(0));
        // In the middle of what the verdict leaves.
        let mut y = ((70.0 + 440.0 - high) / 2.0).max(70.0);
        if let Some(film) = film {
            let line = self.texts.cut(&film, TEXT_SIZE, room(), 1);
            self.line(
                false,
                line.first().map_or("", String::as_str),
                TEXT_SIZE,
                point(EDGE, y + TEXT_SIZE),
                Ink::Soft,
            );
            y += above;
        }
        for line in lines {
            self.line(true, &line, size, point(EDGE, y + size), Ink::Bright);
            y += size * 1.2;
        }
    }

    /// A title in the largest size in which it is whole; in the smallest, cut, where it is in none.
    fn broken(&self, title: &str) -> (f32, Vec<String>) {
        let whole = SIZES
            .iter()
            .find_map(|(size, most)| Some((*size, self.titles.lines(title, *size, room(), *most)?)));
        let [.., (size, most)] = SIZES;
        whole.unwrap_or_else(|| (size, self.titles.cut(title, size, room(), most)))
    }

    /// The rating: stars where it is given in stars, else as the critic writes it.
    fn verdict(&mut self, card: &Card) {
        if let Some(halves) = card.halves {
            let stars: Vec<f32> = (0..5_u8).map(|star| EDGE + 26.0 + 60.0 * f32::from(star)).collect();
            // As far as the gap after the last one, or to the middle of a half one.
            let lit = EDGE - 4.0 + 30.0 * f32::from(halves);
            let ink = |x: u32| if pixels(x) < lit { Ink::Gold } else { Ink::Unlit };
            self.shapes(&stars, 478.0, 27.0, STAR, ink);
        } else if let Some(verdict) = card.verdict.as_deref().and_then(|text| self.titles.drawable(text)) {
            let line = self.titles.cut(&verdict, 52.0, room(), 1);
            self.line(true, line.first().map_or("", String::as_str), 52.0, point(EDGE, 496.0), Ink::Gold);
        }
    }

    /// Who wrote it, and where it stands.
    fn foot(&mut self, card: &Card) {
        let site = card.site.iter().find_map(|site| self.texts.drawable(site)).unwrap_or_default();
        let critic = self.texts.drawable(&card.critic).filter(|critic| *critic != site).unwrap_or_default();
        let half = room() / 2.0 - 20.0;
        let one = |texts: &Face, text: &str| texts.cut(text, TEXT_SIZE, half, 1).swap_remove(0);
        let (critic, site) = (one(&self.texts, &critic), one(&self.texts, &site));
        self.line(false, &critic, TEXT_SIZE, point(EDGE, 558.0), Ink::Bright);
        let start = pixels(WIDTH) - EDGE - self.texts.width(&site, TEXT_SIZE);
        self.line(false, &site, TEXT_SIZE, point(start, 558.0), Ink::Soft);
    }
}

/// The row of a place that is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row of the canvas")]
fn row(y: f32) -> u32 {
    y as u32
}
