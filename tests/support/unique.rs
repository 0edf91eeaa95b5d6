//! What is never the same twice: moments and names.

/// This moment, for dates on the wire.
#[expect(
    clippy::disallowed_methods,
    reason = "tests and benches are worlds of their own, with their own clock"
)]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A short text that no other call gives.
pub fn unique() -> String {
    let mut random = [0u8; 8];
    aws_lc_rs::rand::fill(&mut random).expect("random bytes");
    random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
