//! Content codings (RFC 9110 section 8.4.1): which one a client prefers, and compression.

use std::io::Write as _;

use axum::http::{HeaderMap, header};

use super::content_negotiation::weighted_values;

/// Quality 1 to 11. Higher ones take many times as long to save a few percent.
const BROTLI_QUALITY: i32 = 5;

/// The size of the window as a power of two; as large as the longest pages.
const BROTLI_WINDOW: i32 = 20;

/// Encodes a body.
pub(super) type Encode = fn(&[u8]) -> std::io::Result<Vec<u8>>;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentEncoding {
    /// No coding.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

/// The coding with the highest quality; of equal ones the one that compresses best (RFC 9110 section 12.5.3).
pub(super) fn preferred_encoding(headers: &HeaderMap) -> ContentEncoding {
    let (mut brotli, mut gzip, mut identity, mut any) = (None, None, None, None);
    for (range, weight) in weighted_values(headers, header::ACCEPT_ENCODING) {
        let coding = range.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| coding.eq_ignore_ascii_case(known);
        let slot = if is("br") {
            &mut brotli
        } else if is("gzip") || is("x-gzip") {
            &mut gzip
        } else if is("identity") {
            &mut identity
        } else if is("*") {
            &mut any
        } else {
            continue;
        };
        *slot = Some(slot.unwrap_or(0).max(weight));
    }
    let weight = |named: Option<u16>| named.or(any).unwrap_or(0);
    // A client that does not mention `identity` accepts it, but prefers any coding that it names.
    let (brotli, gzip, identity) = (weight(brotli), weight(gzip), identity.or(any).unwrap_or(1).max(1));
    if brotli >= gzip && brotli >= identity {
        ContentEncoding::Brotli
    } else if gzip >= identity {
        ContentEncoding::Gzip
    } else {
        ContentEncoding::Identity
    }
}

/// Compresses with gzip.
pub(super) fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Compresses with Brotli.
pub(super) fn brotli(mut body: &[u8]) -> std::io::Result<Vec<u8>> {
    let quality = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        ..brotli::enc::BrotliEncoderParams::default()
    };
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut body, &mut encoded, &quality)?;
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_with_the_highest_quality_is_chosen() {
        use ContentEncoding::{Brotli, Gzip, Identity};
        for (accepted, chosen) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip", Gzip),
            ("x-gzip", Gzip),
            ("GZIP;Q=0.5", Gzip),
            ("deflate, zstd", Identity),
            ("", Identity),
            ("identity", Identity),
            ("br;q=0.5, gzip", Gzip),
            ("br;q=0, gzip;q=0", Identity),
            ("*", Brotli),
            ("br;q=0, *", Gzip),
            ("br;q=0, gzip;q=0, *", Identity),
            ("gzip;q=0.5, identity", Identity),
            ("gzip;q=0.5, identity;q=0.5", Gzip),
            ("gzip;q=0.5, *;q=0.8", Brotli),
            ("identity;q=0, *;q=0", Identity),
            ("gzip;q=0.001", Gzip),
            ("br;q=nonsense", Brotli),
            (";;q=,,", Identity),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted.parse().unwrap())]);
            assert_eq!(preferred_encoding(&headers), chosen, "{accepted}");
        }
        assert_eq!(preferred_encoding(&HeaderMap::new()), Identity);
    }
}
