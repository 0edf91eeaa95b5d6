use super::*;

fn card(title: &str) -> ShareCard {
    ShareCard {
        titles: vec![title.to_owned()],
        film_lines: Vec::new(),
        half_stars: None,
        rating_text: None,
        critic: String::new(),
        site_names: Vec::new(),
    }
}

/// Decodes a card with another implementation: width, height and one byte per pixel.
fn read(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Indexed, png::BitDepth::Eight));
    assert_eq!(reader.info().palette.as_ref().map(|palette| palette.len()), Some(768));
    (info.width, info.height, pixels)
}

fn drawn(card: &ShareCard) -> Vec<u8> {
    let (width, height, pixels) = read(&draw::render_png(card).unwrap());
    assert_eq!((width, height), (WIDTH, HEIGHT));
    pixels
}

#[test]
fn each_part_of_the_content_is_drawn() {
    let bare = drawn(&card(""));
    let titled = drawn(&card("The Night Ferry"));
    assert_ne!(bare, titled);
    for more in [
        ShareCard { film_lines: vec!["1979".to_owned()], ..card("The Night Ferry") },
        ShareCard { half_stars: Some(0), ..card("The Night Ferry") },
        ShareCard { rating_text: Some("B+".to_owned()), ..card("The Night Ferry") },
        ShareCard { critic: "Ada".to_owned(), ..card("The Night Ferry") },
        ShareCard { site_names: vec!["crit.example".to_owned()], ..card("The Night Ferry") },
    ] {
        assert_ne!(drawn(&more), titled, "{more:?}");
        assert_ne!(more.version(), card("The Night Ferry").version());
    }
    let stars = |half_stars| drawn(&ShareCard { half_stars: Some(half_stars), ..card("") });
    assert!(
        (0..10).all(|half_stars| stars(half_stars) != stars(half_stars + 1)),
        "each half star is visible"
    );
}

#[test]
fn characters_that_the_font_lacks_are_left_out() {
    let bare = drawn(&card(""));
    for foreign in ["千と千尋の神隠し", "سلام", "Heat 火", "🎬", "नमस्ते"] {
        assert_eq!(drawn(&card(foreign)), bare, "{foreign}");
    }
    let fallback =
        ShareCard { titles: vec!["千と千尋".to_owned(), "Spirited Away".to_owned()], ..card("") };
    assert_eq!(drawn(&fallback), drawn(&card("Spirited Away")));
    assert_eq!(drawn(&card("Heat 🎬")), drawn(&card("Heat")), "a symbol is not a letter");
    assert_eq!(drawn(&card("E\u{301}lodie")), drawn(&card("Élodie")));
}

#[test]
fn no_title_is_drawn_beyond_the_margin() {
    let wide = "W".repeat(10_000);
    let long = "A ferry that never comes ".repeat(400);
    for title in [wide.as_str(), &long, "Ǻ", "j", "…", " ", "A b", "\u{301}\u{301}", "﷽"] {
        let pixels = drawn(&ShareCard {
            film_lines: vec![title.to_owned()],
            rating_text: Some(title.to_owned()),
            critic: title.to_owned(),
            site_names: vec![title.to_owned()],
            ..card(title)
        });
        // Only the lamps reach into the right margin.
        let in_margin = |(at, pixel): (usize, &u8)| at % WIDTH as usize >= 1_170 && *pixel != 0;
        assert!(!pixels.iter().enumerate().any(in_margin), "{title}");
    }
}

#[test]
fn a_truncated_title_ends_with_an_ellipsis() {
    let font = font::Font::parse(include_bytes!("fonts/NotoSerif-Bold.ttf")).unwrap();
    let lines = font.wrap_truncated("One ferry came and another one left the harbour", 50.0, 400.0, 2);
    assert_eq!(lines, ["One ferry came", "and another…"]);
    assert!(lines.iter().all(|line| font.width(line, 50.0) <= 400.0));
    assert_eq!(font.wrap("One ferry", 50.0, 400.0, 1), Some(vec!["One ferry".to_owned()]));
    assert_eq!(font.wrap("One ferry came and left", 50.0, 400.0, 1), None);
    assert!(font.width("AV", 100.0) < font.width("A", 100.0) + font.width("V", 100.0), "kerning");
}

#[test]
fn the_cache_is_limited_in_size() {
    let cards = ShareCards::default();
    let large = Bytes::from(vec![0; usize::try_from(MAX_CACHED_BYTES / 4).unwrap()]);
    for version in 0..10 {
        cards.drawn.insert(format!("v{version}"), large.clone());
        cards.drawn.run_pending_tasks();
    }
    assert_eq!((cards.drawn.weighted_size(), cards.drawn.entry_count()), (MAX_CACHED_BYTES, 4));
}

#[tokio::test]
async fn concurrent_requests_for_a_card_get_the_same_image() {
    let cards = ShareCards::default();
    let requests = (0..MAX_QUEUED_CARDS).map(|_| cards.draw(card("The Night Ferry")));
    let drawn = futures_util::future::join_all(requests).await;
    let first = drawn[0].as_ref().unwrap();
    assert!(drawn.iter().all(|other| other.as_ref().unwrap() == first));
    cards.drawn.run_pending_tasks();
    assert_eq!(cards.drawn.entry_count(), 1);
}
