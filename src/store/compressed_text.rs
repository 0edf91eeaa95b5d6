//! Compressed texts in columns.

use std::cell::RefCell;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::Result;

/// The maximum size in bytes of a text that is decompressed.
const MAX_TEXT_BYTES: u64 = 4 * 1024 * 1024;

thread_local! {
    // To create one costs more than to compress a text.
    static ENCODER: RefCell<DeflateEncoder<Vec<u8>>> =
        RefCell::new(DeflateEncoder::new(Vec::new(), Compression::fast()));
}

/// Compresses a text (RFC 1951).
pub(super) fn compress(text: &str) -> Result<Vec<u8>> {
    let compressed = ENCODER.with_borrow_mut(|encoder| {
        encoder.write_all(text.as_bytes())?;
        encoder.reset(Vec::new())
    });
    compressed.map_err(sqlx::Error::Io)
}

/// Decompresses what [`compress`] returned.
pub(super) fn decompress(bytes: &[u8]) -> Result<String> {
    let mut text = String::new();
    DeflateDecoder::new(bytes).take(MAX_TEXT_BYTES).read_to_string(&mut text).map_err(sqlx::Error::Io)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_after_decompression() {
        for text in ["", "Été à la jetée", &"<p>Anora</p>".repeat(10_000)] {
            let bytes = compress(text).unwrap();
            assert_eq!(decompress(&bytes).unwrap(), text);
            assert!(bytes.len() < 1_000, "{}", bytes.len());
        }
        assert!(decompress(&[0xff, 0, 1]).is_err());
    }
}
