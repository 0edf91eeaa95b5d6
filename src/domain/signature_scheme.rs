//! The schemes of HTTP signatures.

use super::named_enum::named_enum;

/// The scheme with which a request is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureScheme {
    /// draft-cavage-http-signatures-12, which every fediverse server accepts.
    #[default]
    Cavage,
    /// RFC 9421, which some servers accept and few require.
    Rfc9421,
}

named_enum!(SignatureScheme, "signature scheme", {
    Cavage => "cavage",
    Rfc9421 => "rfc9421",
});

impl SignatureScheme {
    /// The scheme to try if a server rejects this one (double-knocking).
    #[must_use]
    pub const fn alternative(self) -> Self {
        match self {
            Self::Cavage => Self::Rfc9421,
            Self::Rfc9421 => Self::Cavage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_a_name_and_an_alternative() {
        for scheme in SignatureScheme::ALL {
            assert_eq!(scheme.as_str().parse(), Ok(scheme));
            assert_eq!(scheme.alternative().alternative(), scheme);
        }
    }
}
