#![allow(missing_docs)]
#[derive(Clone, Copy)] pub struct Browser;
#[derive(Clone, Copy)] pub enum Header { SecFetchMode, SecChUa, SecFetchUser }
impl Browser {
    pub fn of(_: &str) -> Option<Self> { None }
    pub fn is_impossible(self, _: i64) -> bool { false }
    pub fn majors_behind(self, _: i64) -> Option<i64> { None }
    pub fn sends(self, _: Header) -> bool { false }
    pub fn never_sends(self, _: Header) -> bool { false }
    pub fn chromium_major(self) -> Option<u16> { None }
}
pub fn client_hints_major(_: &str) -> Option<u16> { None }
