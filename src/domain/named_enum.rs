//! Enums that are stored, printed and parsed by name.
//!
//! Columns that store such a name have a CHECK constraint with the same names, and a test compares the two. A name that
//! no variant has cannot be stored, and reading one is an error.

/// The text is not the name of any variant of the enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}: {name:?}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str) -> Self {
        Self { what, name: name.chars().take(MAX_NAME_LENGTH).collect() }
    }
}

/// The most characters of an unknown name that an error repeats.
const MAX_NAME_LENGTH: usize = 100;

/// Gives each variant of an enum its name: implements `ALL`, `as_str`, `Display` and `FromStr`, which are the
/// only conversions between the enum and text. `$what` describes the enum in errors.
macro_rules! named_enum {
    ($type:ident, $what:literal, { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// All variants, in the order in which they are offered.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name that is stored and printed.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::domain::named_enum::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::domain::named_enum::UnknownName::new($what, name)),
                }
            }
        }
    };
}

pub(crate) use named_enum;

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "the macro makes public items")]

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Light {
        Red,
        Green,
    }

    named_enum!(Light, "light", { Red => "red", Green => "green" });

    #[test]
    fn a_name_parses_to_the_variant_that_has_it() {
        for light in Light::ALL {
            assert_eq!(light.to_string().parse(), Ok(light));
        }
        assert_eq!("Red".parse::<Light>().unwrap_err().to_string(), "unknown light: \"Red\"");
        assert!("x".repeat(5_000).parse::<Light>().unwrap_err().to_string().len() < 200);
    }
}
