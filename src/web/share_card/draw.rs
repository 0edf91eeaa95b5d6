//! Draws a card: title, film, rating, critic and site.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use anyhow::Context as _;

use super::ShareCard;
use super::canvas::{Canvas, HEIGHT, Ink, WIDTH, clamp_to_canvas};
use super::font::Font;

static TITLES: &[u8] = include_bytes!("fonts/NotoSerif-Bold.ttf");
static TEXTS: &[u8] = include_bytes!("fonts/NotoSans-Regular.ttf");

/// The margin on both sides of the text.
const MARGIN: f32 = 84.0;

/// Font sizes for a title, in the order in which they are tried, and the number of lines that each allows.
const TITLE_SIZES: [(f32, usize); 3] = [(84.0, 2), (68.0, 3), (54.0, 4)];

/// The size of all other text.
const TEXT_SIZE: f32 = 32.0;

/// The shape of a star: its number of corners, and the radius of the inner corners relative to the outer ones.
const STAR: (u8, f32) = (10, 0.42);

/// Draws the card as a PNG, which takes a few milliseconds of CPU.
pub(super) fn render_png(card: &ShareCard) -> anyhow::Result<Vec<u8>> {
    let titles = Font::parse(TITLES).context("invalid title font")?;
    let texts = Font::parse(TEXTS).context("invalid text font")?;
    let mut painter = CardPainter { canvas: Canvas::new(), titles, texts };
    painter.lamps();
    painter.headline(card);
    painter.rating(card);
    painter.footer(card);
    Ok(painter.canvas.into_png()?)
}

struct CardPainter {
    canvas: Canvas,
    titles: Font,
    texts: Font,
}

/// The width available for text.
fn text_width() -> f32 {
    pixels(WIDTH) - 2.0 * MARGIN
}

fn pixels(count: u32) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

impl CardPainter {
    /// Draws rows of lamps at the top and bottom, like those of a cinema marquee.
    fn lamps(&mut self) {
        let lamps: Vec<f32> = (1..25_u8).map(|lamp| 48.0 * f32::from(lamp)).collect();
        for y in [26.0, pixels(HEIGHT) - 26.0] {
            self.shapes(&lamps, y, 5.0, (16, 1.0), |_| Ink::Gold);
        }
    }

    /// Draws the same shape at each horizontal position in `across`. `form` is its number of corners, and the relative
    /// radius of every second corner.
    fn shapes(&mut self, across: &[f32], y: f32, radius: f32, form: (u8, f32), ink: impl Fn(u32) -> Ink) {
        let mut shape = Rasterizer::new(WIDTH as usize, 64);
        let top = (y - 32.0).clamp(0.0, pixels(HEIGHT) - 64.0).floor();
        let (corners, inner) = form;
        for x in across {
            let corner = |number: u8| {
                let angle = std::f32::consts::TAU * f32::from(number) / f32::from(corners);
                let distance = if number.is_multiple_of(2) { radius } else { radius * inner };
                point(x + angle.sin() * distance, y - top - angle.cos() * distance)
            };
            for number in 0..corners {
                let (from, to) = (corner(number), corner((number + 1) % corners));
                let (from, to) = (clamp_to_canvas(&shape, from), clamp_to_canvas(&shape, to));
                shape.draw_line(from, to);
            }
        }
        self.canvas.fill(&shape, row(top), ink);
    }

    /// Draws one line of text with its baseline at `from`, and returns its width.
    fn line(&mut self, is_title: bool, text: &str, size: f32, from: Point, ink: Ink) -> f32 {
        let font = if is_title { &self.titles } else { &self.texts };
        let mut shape = Rasterizer::new(WIDTH as usize, 160);
        let top = (from.y - 110.0).clamp(0.0, pixels(HEIGHT) - 160.0).floor();
        let width = font.draw(text, size, point(from.x, from.y - top), &mut shape);
        self.canvas.fill(&shape, row(top), |_| ink);
        width
    }

    /// Draws the title, and the film above it.
    fn headline(&mut self, card: &ShareCard) {
        let title = card.titles.iter().find_map(|title| self.titles.renderable(title));
        let film = card.film_lines.iter().find_map(|film| self.texts.renderable(film));
        let film = film.filter(|film| title.as_ref() != Some(film));
        let (size, lines) = title.map_or((0.0, Vec::new()), |title| self.fit_title(&title));
        let above = if film.is_some() { TEXT_SIZE * 1.9 } else { 0.0 };
        let height = above + size * 1.2 * f32::from(u8::try_from(lines.len()).unwrap_or(0));
        // Centred in the space above the rating.
        let mut y = ((70.0 + 440.0 - height) / 2.0).max(70.0);
        if let Some(film) = film {
            let line = self.texts.wrap_truncated(&film, TEXT_SIZE, text_width(), 1);
            self.line(
                false,
                line.first().map_or("", String::as_str),
                TEXT_SIZE,
                point(MARGIN, y + TEXT_SIZE),
                Ink::Soft,
            );
            y += above;
        }
        for line in lines {
            self.line(true, &line, size, point(MARGIN, y + size), Ink::Bright);
            y += size * 1.2;
        }
    }

    /// Fits the title in the largest size possible; in the smallest size it is truncated.
    fn fit_title(&self, title: &str) -> (f32, Vec<String>) {
        let fitting = TITLE_SIZES.iter().find_map(|(size, max_lines)| {
            Some((*size, self.titles.wrap(title, *size, text_width(), *max_lines)?))
        });
        let [.., (size, max_lines)] = TITLE_SIZES;
        fitting.unwrap_or_else(|| (size, self.titles.wrap_truncated(title, size, text_width(), max_lines)))
    }

    /// Draws the rating: as stars if it is given in stars, otherwise as text.
    fn rating(&mut self, card: &ShareCard) {
        if let Some(half_stars) = card.half_stars {
            let stars: Vec<f32> = (0..5_u8).map(|star| MARGIN + 26.0 + 60.0 * f32::from(star)).collect();
            // The gap after the last full star, or the middle of the half star.
            let lit = MARGIN - 4.0 + 30.0 * f32::from(half_stars);
            let ink = |x: u32| if pixels(x) < lit { Ink::Gold } else { Ink::Unlit };
            self.shapes(&stars, 478.0, 27.0, STAR, ink);
        } else if let Some(rating_text) =
            card.rating_text.as_deref().and_then(|text| self.titles.renderable(text))
        {
            let line = self.titles.wrap_truncated(&rating_text, 52.0, text_width(), 1);
            self.line(true, line.first().map_or("", String::as_str), 52.0, point(MARGIN, 496.0), Ink::Gold);
        }
    }

    /// Draws the names of the critic and the site.
    fn footer(&mut self, card: &ShareCard) {
        let site = card.site_names.iter().find_map(|site| self.texts.renderable(site)).unwrap_or_default();
        let critic = self.texts.renderable(&card.critic).filter(|critic| *critic != site).unwrap_or_default();
        let half = text_width() / 2.0 - 20.0;
        let first_line =
            |texts: &Font, text: &str| texts.wrap_truncated(text, TEXT_SIZE, half, 1).swap_remove(0);
        let (critic, site) = (first_line(&self.texts, &critic), first_line(&self.texts, &site));
        self.line(false, &critic, TEXT_SIZE, point(MARGIN, 558.0), Ink::Bright);
        let start = pixels(WIDTH) - MARGIN - self.texts.width(&site, TEXT_SIZE);
        self.line(false, &site, TEXT_SIZE, point(start, 558.0), Ink::Soft);
    }
}

/// The row of a vertical position.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row of the canvas")]
fn row(y: f32) -> u32 {
    y as u32
}
