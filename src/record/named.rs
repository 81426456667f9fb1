//! Enums whose members have a name wherever they are written: in data files, records, events and settings. Name and member
//! stand side by side once, and everything that goes from one to the other follows. The build script includes this file
//! too, so it needs nothing but `core`; what `serde` needs is written only for enums that ask for it.

/// Defines an enum from its members and their names:
///
/// ```ignore
/// named! {
///     /// What it is.
///     #[derive(Default)]
///     pub enum Level: serde {
///         /// Nothing.
///         #[default]
///         None = "none",
///         /// Something.
///         Some = "some",
///     }
/// }
/// ```
///
/// That is a plain enum, numbered by position, with the usual derives, and `ALL`, `name` and `named`. With `: serde` it is
/// also written and read by its name, and `MUST_BE` is what everyone says of a wrong name: here `must be none or some`.
macro_rules! named {
    (
        $(#[$about:meta])*
        $visible:vis enum $name:ident: serde {
            $($(#[$member_about:meta])* $member:ident = $word:literal),+ $(,)?
        }
    ) => {
        $crate::record::named::named! {
            $(#[$about])*
            $visible enum $name {
                $($(#[$member_about])* $member = $word),+
            }
        }

        impl $name {
            /// What is said of a name that is none of these, behind the field that holds it.
            $visible const MUST_BE: &'static str =
                concat!("must be ", $crate::record::named::named!(@or $($word),+));
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
    (
        $(#[$about:meta])*
        $visible:vis enum $name:ident {
            $($(#[$member_about:meta])* $member:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visible enum $name {
            $($(#[$member_about])* $member),+
        }

        impl $name {
            /// Every one, in the order of definition: a member's number is its place here.
            $visible const ALL: [Self; [$(Self::$member),+].len()] = [$(Self::$member),+];

            /// The name by which files, records and events know it.
            #[must_use]
            $visible const fn name(self) -> &'static str {
                match self {
                    $(Self::$member => $word),+
                }
            }

            /// The one of that name.
            #[must_use]
            $visible fn named(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|member| member.name() == name)
            }
        }
    };
    (@or $one:literal) => { $one };
    (@or $one:literal, $last:literal) => { concat!($one, " or ", $last) };
    (@or $one:literal, $($more:literal),+) => {
        concat!($one, ", ", $crate::record::named::named!(@or $($more),+))
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    named! {
        /// Has a default and goes through `serde`.
        #[derive(Default)]
        enum Level: serde {
            /// Not the first, which a default need not be.
            Low = "low",
            /// What there is when nothing is said.
            #[default]
            Middle = "middle",
            /// A name that does not follow from the member's.
            TopOfAll = "top_ofall",
        }
    }

    named! {
        /// Neither: names alone.
        enum Side {
            /// One.
            Left = "left-hand",
            /// The other.
            Right = "right-hand",
        }
    }

    named! {
        enum Pair: serde {
            One = "one",
            Other = "other",
        }
    }

    named! {
        enum Single: serde {
            Only = "only",
        }
    }

    #[test]
    fn a_name_leads_to_its_member_and_back() {
        for level in Level::ALL {
            assert_eq!(Level::named(level.name()), Some(level));
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
        }
        assert_eq!(Level::ALL.map(Level::name), ["low", "middle", "top_ofall"]);
        assert_eq!(Side::ALL.map(Side::name), ["left-hand", "right-hand"]);
        assert_eq!(Side::named("right-hand"), Some(Side::Right));
        for stranger in ["", "Left-hand", "left-hand ", "left", "Left"] {
            assert_eq!(Side::named(stranger), None, "{stranger:?}");
        }
    }

    #[test]
    fn members_are_numbered_and_ordered_as_they_stand() {
        for (number, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(level as usize, number);
        }
        assert!(Level::Low < Level::Middle && Level::Middle < Level::TopOfAll);
        assert_eq!(Level::default(), Level::Middle);
    }

    #[test]
    fn a_wrong_name_is_told_the_right_ones() {
        assert_eq!((Level::named("high"), Level::named("TopOfAll")), (None, None));
        assert_eq!(Level::MUST_BE, "must be low, middle or top_ofall");
        assert_eq!((Pair::MUST_BE, Pair::ALL), ("must be one or other", [Pair::One, Pair::Other]));
        assert_eq!((Single::MUST_BE, Single::ALL), ("must be only", [Single::Only]));
        assert_eq!((Pair::named("only"), Single::named("only")), (None, Some(Single::Only)));
    }
}
