//! The public keys of a local actor, in the forms in which its document publishes them.

use url::Url;

use super::multikey;
use super::public_key::KeyError;
use super::signing_key::SigningKey;

/// The public keys of an actor, as its document publishes them.
#[derive(Debug, Clone)]
pub struct PublishedKeys {
    /// The id of the key in `publicKey`.
    pub id: Url,
    /// That key in PEM.
    pub pem: String,
    /// The ids of all active keys with their Multikey form (FEP-521a).
    pub multikeys: Vec<(Url, String)>,
}

impl PublishedKeys {
    /// Publishes one key as `publicKey`, and all active keys as Multikeys.
    pub fn new<'k>(served: &SigningKey, all: impl Iterator<Item = &'k SigningKey>) -> Result<Self, KeyError> {
        Ok(Self {
            id: served.id().clone(),
            pem: served.public_key_pem()?,
            multikeys: all.map(|key| (key.id().clone(), multikey::to_multibase(key))).collect(),
        })
    }
}
