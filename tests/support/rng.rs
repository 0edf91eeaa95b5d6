//! Chance that can be had again: a test that throws dice says their seed, and `MARQUEE_TEST_SEED` sets it.

/// A generator of numbers (`SplitMix64`).
pub struct Rng(u64);

/// The seed that is asked for, or a new one. It stands in what the test prints, which is shown where it fails.
pub fn seed() -> u64 {
    let asked = std::env::var("MARQUEE_TEST_SEED").ok();
    let mut random = [0u8; 8];
    aws_lc_rs::rand::fill(&mut random).expect("random bytes");
    let seed =
        asked.map_or(u64::from_be_bytes(random), |text| text.parse().expect("MARQUEE_TEST_SEED: a number"));
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

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a number");
        usize::try_from(self.next() % end).expect("a number")
    }

    /// In so many of a hundred cases.
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
