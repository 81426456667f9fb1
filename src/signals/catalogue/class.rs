//! The classes of networks. The build script includes this file too, so what the data file may say and what the Worker
//! knows are one list: a new class is one line here.

macro_rules! classes {
    ($($(#[$doc:meta])+ $class:ident = $text:literal,)+) => {
        /// What a click from a network is worth as evidence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Class {
            $($(#[$doc])+ $class,)+
        }

        impl Class {
            /// Every class, in the order of their definition.
            pub const ALL: &[Self] = &[$(Self::$class),+];

            /// The class as the data file and the verdict's reasons spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$class => $text,)+
                }
            }
        }
    };
}

classes! {
    /// Only scanners send from there.
    ScannerCertain = "scanner-certain",
    /// Scanners send from there, but so does something that may act for a person.
    ScannerProbable = "scanner-probable",
}
