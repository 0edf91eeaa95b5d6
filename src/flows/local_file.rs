//! Reads files that the config or a local feed names.

use std::path::Path;

use anyhow::ensure;
use tokio::io::AsyncReadExt as _;

/// Reads a file of at most `max_bytes`. Anything but a regular file is an error: reading a pipe or a device may take for
/// ever, or all memory.
pub(super) async fn read_regular_file(path: &Path, max_bytes: usize) -> anyhow::Result<Vec<u8>> {
    ensure!(tokio::fs::metadata(path).await?.is_file(), "{} is not a regular file", path.display());
    let file = tokio::fs::File::open(path).await?;
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).await?;
    ensure!(bytes.len() <= max_bytes, "the file is larger than {max_bytes} bytes");
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_regular_files_of_limited_size_are_read() {
        for path in ["/dev/zero", "/"] {
            let error = read_regular_file(Path::new(path), 10).await.unwrap_err().to_string();
            assert!(error.contains("is not a regular file"), "{path}: {error}");
        }
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/rustfmt.toml"));
        assert!(!read_regular_file(file, 10_000).await.unwrap().is_empty());
        assert!(read_regular_file(file, 3).await.is_err());
    }
}
