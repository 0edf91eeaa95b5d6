//! The forms in which requests are signed.

/// How a request is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureScheme {
    /// draft-cavage-http-signatures-12, which every server of the fediverse reads.
    #[default]
    Cavage,
    /// RFC 9421, which some read already and a few will read alone.
    Rfc9421,
}

impl SignatureScheme {
    /// The name under which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cavage => "cavage",
            Self::Rfc9421 => "rfc9421",
        }
    }

    /// What [`SignatureScheme::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Cavage, Self::Rfc9421].into_iter().find(|form| form.as_str() == text)
    }

    /// What to try where this one is refused.
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
    fn each_form_has_a_name_and_another() {
        for form in [SignatureScheme::Cavage, SignatureScheme::Rfc9421] {
            assert_eq!(SignatureScheme::parse(form.as_str()), Some(form));
            assert_eq!(form.alternative().alternative(), form);
        }
        assert_eq!(SignatureScheme::parse("md5"), None);
    }
}
