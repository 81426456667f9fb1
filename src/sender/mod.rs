//! The sender's side: mails whose links are rewritten before they leave.
//!
//! Everything here is native: the Worker never sees a mail.

pub mod mail;
