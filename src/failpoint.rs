//! Places at which the process dies as if by `kill -9`, where a test wants it to: with the feature `failpoints`, and
//! `FAILPOINTS=NAME=return` in the environment. Without the feature there is nothing.

macro_rules! fail_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}
