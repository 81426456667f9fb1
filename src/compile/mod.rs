//! What the catalogue's and the agents' data files say, read with the line of every mistake: the part of the crate's build
//! that touches neither files nor generated code. The build script (`main.rs`) makes tables of it, which the Worker looks
//! things up in; natively it is part of the library too, for the command that lists and refreshes the catalogue, and for
//! the tests, which hold the lookups against it.

pub mod agents;
pub mod learned;
pub mod networks;
pub mod ranges;
mod sections;
pub mod wrappers;

pub use sections::Mistake;
