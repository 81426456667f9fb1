//! What proves something of whoever clicked: who came back, who looked at the landing page, who waited before a button.
//!
//! [`cookie`] and [`reference`] name a click to those who made it, [`view`] says which click a landing page's view belongs
//! to and what it shows, [`stamp`] that a form was looked at before it was sent. All are signed
//! ([`crate::link::envelope`]), none is stored.

pub mod cookie;
pub mod reference;
pub mod stamp;
pub mod view;
