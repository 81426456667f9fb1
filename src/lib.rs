//! Clickproof.
#[cfg(target_arch = "wasm32")]
mod edge;
pub mod link;
pub mod signals;
