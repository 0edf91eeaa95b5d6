use proptest::prelude::*;

use super::*;

fn vienna() -> TimeZone {
    TimeZone::get("Europe/Vienna").unwrap()
}

fn read(text: &str, order: Option<DateOrder>, language: Option<&str>) -> Result<String, DateError> {
    let zone = vienna();
    read_date(text, &DateContext { zone: &zone, order, language }).map(|date| date.at.to_string())
}

fn plain(text: &str) -> Result<String, DateError> {
    read(text, None, None)
}

#[test]
fn moments_are_read_with_their_zone() {
    for (text, moment) in [
        ("Thu, 15 Feb 2018 10:30:00 +0000", "2018-02-15T10:30:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 GMT", "2018-02-15T10:30:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 -0500", "2018-02-15T15:30:00Z"),
        ("Thu, 15 Feb 2018 10:30 EST", "2018-02-15T15:30:00Z"),
        ("15 Feb 18 10:30:00 PST", "2018-02-15T18:30:00Z"),
        ("15 Feb 98 10:30:00 Z", "1998-02-15T10:30:00Z"),
        ("Thu Feb 15 10:30:00 PST 2018", "2018-02-15T18:30:00Z"),
        ("Thu Feb  5 10:30:00 +0100 2018", "2018-02-05T09:30:00Z"),
        ("2018-02-15T10:30:00Z", "2018-02-15T10:30:00Z"),
        ("2018-02-15T10:30:00.123456-05:00", "2018-02-15T15:30:00Z"),
        ("2018-02-15t10:30:00z", "2018-02-15T10:30:00Z"),
        ("2018-02-15 10:30:00 +0100", "2018-02-15T09:30:00Z"),
        ("2018-02-15 10:30:00 UTC", "2018-02-15T10:30:00Z"),
        ("20180215T103000Z", "2018-02-15T10:30:00Z"),
        ("2018-02-15T10:30+01", "2018-02-15T09:30:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 GMT+7", "2018-02-15T03:30:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 UTC-03:30", "2018-02-15T14:00:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 America/Los_Angeles", "2018-02-15T18:30:00Z"),
        ("2018-07-15T10:30:00[America/Los_Angeles]", "2018-07-15T17:30:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 +0000 (UTC)", "2018-02-15T10:30:00Z"),
        // An offset beats the zone beside it.
        ("2026-11-30T10:00:00Z[Europe/Berlin]", "2026-11-30T10:00:00Z"),
        ("2026-11-30T10:00:00+00:00[Europe/Berlin]", "2026-11-30T10:00:00Z"),
        ("2026-11-30T10:00:00+01:00[Europe/Berlin]", "2026-11-30T09:00:00Z"),
        ("2026-11-30T10:00:00-05:00[!America/New_York][u-ca=gregory]", "2026-11-30T15:00:00Z"),
        ("2026-11-30 10:00:00 CST Asia/Shanghai", "2026-11-30T02:00:00Z"),
        ("Mon, 15 Feb 2018 10:30:00 +0000", "2018-02-15T10:30:00Z"),
        ("2018年2月15日 10:30 JST", "2018-02-15T01:30:00Z"),
        ("1518690600", "2018-02-15T10:30:00Z"),
        ("1518690600000", "2018-02-15T10:30:00Z"),
        ("Thu, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59Z"),
        ("Wed, 14 Feb 2018 24:00:00 GMT", "2018-02-15T00:00:00Z"),
    ] {
        assert_eq!(plain(text).as_deref(), Ok(moment), "{text}");
        let zone = vienna();
        let date = read_date(text, &DateContext { zone: &zone, order: None, language: None }).unwrap();
        assert!(date.zone.is_some() && date.has_time, "{text}");
    }
}

#[test]
fn a_date_without_a_zone_is_in_the_zone_of_the_context() {
    for (text, moment) in [
        ("2018-02-15T10:30:00", "2018-02-15T09:30:00Z"),
        ("2018-07-15 10:30", "2018-07-15T08:30:00Z"),
        ("10/28/2023 3:15:22 PM", "2023-10-28T13:15:22Z"),
        ("10/28/2023 12:05 AM", "2023-10-27T22:05:00Z"),
        ("October 28, 2023 at 3:15 p.m.", "2023-10-28T13:15:00Z"),
        ("Oct 28th, 2023 3pm", "2023-10-28T13:00:00Z"),
        ("28.10.2023, 15:15 Uhr", "2023-10-28T13:15:00Z"),
        ("28 oktober 2023 kl. 15.15", "2023-10-28T13:15:00Z"),
        ("28.10.2023 klo 15.15", "2023-10-28T13:15:00Z"),
        ("28 ottobre 2023 alle ore 15:15", "2023-10-28T13:15:00Z"),
        ("28 ottobre 2023, ore 15.15", "2023-10-28T13:15:00Z"),
        ("28. oktober 2023 klokken 15:15:00", "2023-10-28T13:15:00Z"),
        ("28 octobre 2023 à 15h15", "2023-10-28T13:15:00Z"),
        ("28 octobre 2023 à 15 h 15", "2023-10-28T13:15:00Z"),
        ("28 octobre 2023 à 15 h 15 min", "2023-10-28T13:15:00Z"),
        ("28 octobre 2023 à 15h15min", "2023-10-28T13:15:00Z"),
        ("28 octobre 2023 à 15 h", "2023-10-28T13:00:00Z"),
        ("28 octobre 2023 à 15.15", "2023-10-28T13:15:00Z"),
        ("28.10.2023 15.15 Uhr", "2023-10-28T13:15:00Z"),
        ("28.10.2023, 15.15 Uhr", "2023-10-28T13:15:00Z"),
        ("28.10.2023 um 15.15 Uhr", "2023-10-28T13:15:00Z"),
        ("Samstag, 28. Oktober 2023, 15.15 h", "2023-10-28T13:15:00Z"),
        ("28 oktober 2023 om 15.15 uur", "2023-10-28T13:15:00Z"),
        ("28 October 2023 at 3.15pm", "2023-10-28T13:15:00Z"),
        ("28 October 2023, 3.15 p.m.", "2023-10-28T13:15:00Z"),
        ("28.10.2023 kl. 15.15", "2023-10-28T13:15:00Z"),
        ("28.10.2023 kl 15", "2023-10-28T13:00:00Z"),
        ("28.10.2023 klo 15", "2023-10-28T13:00:00Z"),
        ("28 ottobre 2023 alle 15.15", "2023-10-28T13:15:00Z"),
        ("28 października 2023, godz. 15.15", "2023-10-28T13:15:00Z"),
        ("28 de octubre de 2023 a las 15.15 h", "2023-10-28T13:15:00Z"),
        ("28 de outubro de 2023 às 15h15", "2023-10-28T13:15:00Z"),
        ("Thu, 15 Feb 2018 10:30:00 XYZ", "2018-02-15T09:30:00Z"),
        ("2018年2月15日 午後3:15", "2018-02-15T14:15:00Z"),
        ("2018/02/15 10:30:00", "2018-02-15T09:30:00Z"),
    ] {
        assert_eq!(plain(text).as_deref(), Ok(moment), "{text}");
        let zone = vienna();
        let date = read_date(text, &DateContext { zone: &zone, order: None, language: None }).unwrap();
        assert!(date.zone.is_none() && date.has_time, "{text}");
    }
}

#[test]
fn a_day_beside_a_time_is_no_minute() {
    for (text, moment) in [
        ("um 28.10.2023", Ok("2023-10-27T22:00:00Z")),
        ("om 28.10.23", Ok("2023-10-27T22:00:00Z")),
        ("à 15 h, 28 octobre 2023", Ok("2023-10-28T13:00:00Z")),
        ("à 15 h 28 octobre 2023", Ok("2023-10-28T13:00:00Z")),
        ("28.10.23 pm", Err(DateError::Unreadable)),
        ("28.10.2023 25.15 Uhr", Err(DateError::Unreadable)),
        ("28.10.2023 15.75 Uhr", Err(DateError::Unreadable)),
        ("28.10.2023 15.15", Err(DateError::Unreadable)),
    ] {
        assert_eq!(plain(text).as_deref().map_err(|error| *error), moment, "{text}");
    }
}

#[test]
fn days_are_read_in_many_languages_and_orders() {
    for (text, day) in [
        ("2018-02-15", "2018-02-15"),
        ("20180215", "2018-02-15"),
        ("2018/2/5", "2018-02-05"),
        ("2018.02.15", "2018-02-15"),
        ("15/02/2018", "2018-02-15"),
        ("02/15/2018", "2018-02-15"),
        ("5.2.2018", "2018-02-05"),
        ("5/5/2018", "2018-05-05"),
        ("15 February 2018", "2018-02-15"),
        ("February 15, 2018", "2018-02-15"),
        ("Feb. 15, 2018", "2018-02-15"),
        ("Sept 5 2018", "2018-09-05"),
        ("15-Feb-2018", "2018-02-15"),
        ("15-Feb-18", "2018-02-15"),
        ("the 3rd of May 2018", "2018-05-03"),
        ("Donnerstag, 15. Februar 2018", "2018-02-15"),
        ("15. März 2018", "2018-03-15"),
        ("jeudi 15 février 2018", "2018-02-15"),
        ("1er août 2018", "2018-08-01"),
        ("15 de febrero de 2018", "2018-02-15"),
        ("15 de março de 2018", "2018-03-15"),
        ("15 d’abril de 2018", "2018-04-15"),
        ("giovedì 15 febbraio 2018", "2018-02-15"),
        ("mar. 15 mai 2018", "2018-05-15"),
        ("mar 15 mag 2018", "2018-05-15"),
        ("15 lutego 2018", "2018-02-15"),
        ("15 февраля 2018 г.", "2018-02-15"),
        ("15 helmikuuta 2018", "2018-02-15"),
        ("15 Şubat 2018", "2018-02-15"),
        ("15 فبراير 2018", "2018-02-15"),
        ("15 شباط 2018", "2018-02-15"),
        ("१५ फ़रवरी २०१८", "2018-02-15"),
        ("2018年2月15日", "2018-02-15"),
        ("２０１８年２月１５日（木）", "2018-02-15"),
        ("2018년 2월 15일 목요일", "2018-02-15"),
        ("15 Feb 2018, Thursday", "2018-02-15"),
        ("2018-02", "2018-02-01"),
        ("February 2018", "2018-02-01"),
        ("2018", "2018-01-01"),
    ] {
        let zone = TimeZone::UTC;
        let date = read_date(text, &DateContext { zone: &zone, order: None, language: None });
        let read = date.map(|date| (date.at.to_string(), date.has_time));
        assert_eq!(read, Ok((format!("{day}T00:00:00Z"), false)), "{text}");
    }
}

#[test]
fn an_ambiguous_date_is_read_only_by_evidence() {
    assert_eq!(plain("03/12/2025"), Err(DateError::Ambiguous));
    assert_eq!(plain("03-12-25"), Err(DateError::Ambiguous));
    assert_eq!(plain("3 listopada 2025"), Err(DateError::Ambiguous));
    let march = Ok("2025-03-11T23:00:00Z".to_owned());
    let december = Ok("2025-12-02T23:00:00Z".to_owned());
    assert_eq!(read("03/12/2025", Some(DateOrder::MonthFirst), None), march);
    assert_eq!(read("03/12/2025", Some(DateOrder::DayFirst), Some("en-US")), december);
    assert_eq!(read("03/12/2025", None, Some("en-US")), march);
    assert_eq!(read("03/12/2025", None, Some("en-GB")), december);
    assert_eq!(read("03/12/2025", None, Some("fr")), december);
    for tag in ["de", "de-AT", "fr", "fr-FR", "pt-BR", "sr-Latn-RS", "es-MX", "en-AU", "en-IN", "nb", "EN_gb"]
    {
        assert_eq!(read("03/12/2025", None, Some(tag)), december, "{tag}");
    }
    for tag in ["en-us", "en-PH", "en-PR"] {
        assert_eq!(read("03/12/2025", None, Some(tag)), march, "{tag}");
    }
    for tag in [
        "en",
        "en-CA",
        "en-ZA",
        "en-SE",
        "en-JP",
        "en-001",
        "fr-CA",
        "es-US",
        "es-PR",
        "es-PA",
        "af",
        "eo",
        "eu",
        "fa",
        "fil",
        "hu",
        "ja",
        "ko",
        "lt",
        "mn",
        "sv",
        "zh",
        "zh-Hant-TW",
        "tlh",
        "",
    ] {
        assert_eq!(read("03/12/2025", None, Some(tag)), Err(DateError::Ambiguous), "{tag}");
    }
    assert_eq!(read("3 listopada 2025", None, Some("pl")), Ok("2025-11-02T23:00:00Z".to_owned()));
}

#[test]
fn the_dates_of_a_feed_prove_their_order() {
    let order = |texts: &[&str]| proven_order(texts.iter().copied());
    assert_eq!(order(&["03/12/2025", "28/10/2023 10:30"]), Some(DateOrder::DayFirst));
    assert_eq!(order(&["10/28/2023 3:15 PM", "03/12/2025"]), Some(DateOrder::MonthFirst));
    assert_eq!(order(&["10/28/2023", "28/10/2023"]), None);
    assert_eq!(order(&["03/12/2025", "2025-12-28", "15 Feb 2018"]), None);
}

#[test]
fn what_is_no_date_is_unreadable() {
    for text in [
        "",
        "yesterday",
        "soon",
        "15",
        "32/13/2020",
        "2018-02-30",
        "2018-13-01",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "Feb 15",
        "10:30",
        "2018-02-15T25:00:00Z",
        "2018-02-15T10:61:00Z",
        "12345678901234567890",
        "15 Feb 2018 and 16 Feb 2018",
        "Published in 2018 by somebody",
        "15/02",
        "1/2/3/2018",
        "+0100",
    ] {
        assert_eq!(plain(text), Err(DateError::Unreadable), "{text}");
    }
    assert_eq!(plain(&"1".repeat(10_000)), Err(DateError::Unreadable));
}

proptest! {
    #[test]
    fn no_text_causes_a_panic(text in "\\PC{0,60}", language in proptest::option::of("[a-z]{2}")) {
        let _ = read(&text, None, language.as_deref());
        let _ = proven_order([text.as_str()].into_iter());
    }

    #[test]
    fn a_timestamp_is_read_as_it_is_written(seconds in 0_i64..7_000_000_000) {
        let at = Timestamp::from_millis(seconds * 1000);
        prop_assert_eq!(plain(&at.to_string()), Ok(at.to_string()));
        let rfc_822 = jiff::fmt::rfc2822::to_string(&at.to_jiff().to_zoned(TimeZone::UTC)).unwrap();
        prop_assert_eq!(plain(&rfc_822), Ok(at.to_string()));
    }
}
