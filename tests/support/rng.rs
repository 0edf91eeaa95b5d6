//! Reproducible randomness: a test prints its seed, and `MARQUEE_TEST_SEED` sets it.

/// A random number generator (`SplitMix64`).
pub struct Rng(u64);

/// Returns the seed from `MARQUEE_TEST_SEED`, or a new one. It is printed, and the output is shown if the
/// test fails.
pub fn seed() -> u64 {
    let requested = std::env::var("MARQUEE_TEST_SEED").ok();
    let mut random = [0u8; 8];
    aws_lc_rs::rand::fill(&mut random).expect("random bytes");
    let seed = requested
        .map_or(u64::from_be_bytes(random), |text| text.parse().expect("MARQUEE_TEST_SEED: a number"));
    eprintln!("MARQUEE_TEST_SEED={seed}");
    seed
}

impl Rng {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a number");
        usize::try_from(self.next() % end).expect("a number")
    }

    /// Returns `true` in this percentage of cases.
    pub fn in_percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}
