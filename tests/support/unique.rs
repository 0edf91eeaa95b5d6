//! Values that are never the same twice: the time, and random strings.

/// The current time, for dates in requests and documents.
#[expect(clippy::disallowed_methods, reason = "tests and benches use the real clock")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A random string of 16 hexadecimal digits.
pub fn unique() -> String {
    let mut random = [0u8; 8];
    aws_lc_rs::rand::fill(&mut random).expect("random bytes");
    random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
