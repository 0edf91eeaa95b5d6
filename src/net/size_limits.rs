//! Limits of the size of responses.

use bytes::{Bytes, BytesMut};

use super::NetError;

/// The maximum size of the headers of a response in bytes.
pub(super) const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// Reads the whole body. Fails if it has more than `limit` bytes after decompression.
pub(super) async fn read_body(mut response: reqwest::Response, limit: usize) -> Result<Bytes, NetError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(NetError::TooLarge(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(NetError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
