//! The reader of imports itself, on made-up files: a test of the house that finds nothing must not be a blind one.

use super::imports::{Arrows, Source, arrows};
use super::shape::{circles, fields, upward};

const FLOORS: [&[&str]; 4] = [&["record"], &["link"], &["act", "message"], &["lib"]];

/// The arrows of made-up files, without what they name.
fn of(files: &[(&str, &str)]) -> Arrows {
    let source = |(path, text): &(&str, &str)| Source { path: (*path).to_owned(), text: (*text).to_owned() };
    arrows(&files.iter().map(source).collect::<Vec<_>>())
}

/// Whether made-up files have exactly these arrows.
#[track_caller]
fn assert_arrows(files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = of(files)
        .iter()
        .map(|((from, to), names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{from} > {to}: {}", names.join(" "))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_circle_is_found() {
    let files = [
        ("record/mod.rs", "mod id; mod read; mod words;"),
        ("record/id.rs", "use super::read::Reader; pub struct Id;"),
        ("record/read.rs", "pub struct Reader; fn read() { crate::record::words::all(); }"),
        ("record/words.rs", "use super::{read, id::Id}; pub fn all() {}"),
    ];
    let expected = "src/record/id.rs → src/record/read.rs (Reader)\n  src/record/read.rs → src/record/words.rs (all)\n  \
                    src/record/words.rs → src/record/id.rs (Id)";
    assert_eq!(circles(&of(&files)), [expected]);
    assert_eq!(circles(&of(&files[..3])), [""; 0]);
}

#[test]
fn an_upward_arrow_is_found() {
    let files = [
        ("lib.rs", "mod act; mod link; mod message; mod record;"),
        ("act.rs", "use crate::link::Link; use crate::message::Message;"),
        ("link.rs", "pub struct Link; fn read(record: &crate::record::Record) -> crate::act::Act {}"),
        ("message.rs", "pub struct Message { link: crate::link::Link }"),
        ("record.rs", "pub struct Record;"),
    ];
    assert_eq!(
        upward(&FLOORS, &of(&files)),
        ["src/act.rs → src/message.rs (Message)", "src/link.rs → src/act.rs (Act)"],
        "up, and beside"
    );
}

#[test]
fn a_re_export_leads_to_the_file_that_defines() {
    let files = [
        ("record/mod.rs", "mod id; pub use id::{Id, Ids as Many};"),
        ("record/id.rs", "pub struct Id; pub struct Ids;"),
        ("link/mod.rs", "use crate::record::Many; pub use crate::record::Id;"),
        ("proof.rs", "use crate::link; fn id() -> link::Id { link::Id::new::<super::record::Many>() }"),
    ];
    // An item from elsewhere is imported, re-exported or not.
    assert_arrows(&files, &["link/mod.rs > record/id.rs: Id Ids", "proof.rs > record/id.rs: Id Ids"]);
}

#[test]
fn a_re_export_that_the_file_uses_itself_is_an_import() {
    let id = ("record/id.rs", "pub struct Id; pub fn id() {}");
    assert_arrows(&[("record/mod.rs", "mod id; pub use id::{Id, id}; fn f(r: R) { r.id() }"), id], &[]);
    assert_arrows(
        &[("record/mod.rs", "mod id; pub use id::Id; pub struct R { id: Id }"), id],
        &["record/mod.rs > record/id.rs: Id"],
    );
}

#[test]
fn what_only_tests_see_does_not_count() {
    let files = [
        (
            "record/mod.rs",
            "mod id; #[cfg(test)] use id::Id; fn f() {} #[cfg(test)] mod tests { use super::id::Id; }",
        ),
        ("record/id.rs", "pub struct Id; #[cfg(test)] mod tests;"),
        ("record/id/tests.rs", "use crate::record::f;"),
        ("record/tests.rs", "use super::id::Id;"),
    ];
    assert_arrows(&files, &[]);
    // What the Worker alone compiles does.
    let worker = ("edge/mod.rs", "#[cfg(target_arch = \"wasm32\")] mod stub { use crate::record::id::Id; }");
    assert_arrows(&[files[0], files[1], worker], &["edge/mod.rs > record/id.rs: Id"]);
}

#[test]
fn comments_and_texts_name_nothing() {
    let text = "//! See [`crate::record::Id`].\n/* use crate::record::Id; */ /// crate::record::Id\nfn f<'id>() { g(\"crate::record::Id\", r#\"\"crate::record::Id\"#) }";
    assert_arrows(&[("link.rs", text), ("record.rs", "pub struct Id;")], &[]);
}

#[test]
fn every_way_to_name_an_item_counts() {
    let record = ("record.rs", "pub struct Id; pub mod ids { pub fn next() {} } pub const FIRST: u8 = 0;");
    for (text, names) in [
        ("use crate::{record::{self, Id}};", "Id"),
        ("use crate::record as facts; fn f() -> facts::Id {}", "Id"),
        ("fn f() { use crate::record::Id; }", "Id"),
        ("fn f() { g(vec![1, (crate::record::Id, 2)]) }", "Id"),
        ("type T = <crate::record::Id as Ours>::Of;", "Id"),
        ("macro_rules! m { () => { $crate::record::Id }; }", "Id"),
        ("fn f() { for i in 0..crate::record::FIRST {} }", "FIRST"),
        ("use crate::record::*;", "*"),
        ("use crate::record::ids; fn f() { ids::next() }", "next"),
        ("mod inner { use super::super::record::Id; }", "Id"),
        ("fn f() -> impl Tr + use<'static> { super::record::Id }", "Id"),
    ] {
        assert_arrows(&[("link.rs", text), record], &[&format!("link.rs > record.rs: {names}")]);
    }
    for text in ["use crate::record;", "use std::record::Id;", "fn f() { x.record::<u8>(); T::record::Id }"] {
        assert_arrows(&[("link.rs", text), record], &[]);
    }
}

#[test]
fn the_commands_are_a_crate_of_their_own() {
    let files = [
        ("cli/main.rs", "mod say; use say::Stop; fn main() {}"),
        ("cli/say.rs", "use clickproof::record::Id; pub struct Stop; fn f() { crate::main() }"),
        ("record.rs", "pub struct Id;"),
    ];
    let expected =
        ["cli/main.rs > cli/say.rs: Stop", "cli/say.rs > cli/main.rs: main", "cli/say.rs > record.rs: Id"];
    assert_arrows(&files, &expected);
}

#[test]
fn the_build_script_sees_the_library_from_its_root() {
    let files = [
        (
            "compile/main.rs",
            "#[path = \"mod.rs\"] mod compile; mod render; use compile::{read}; fn main() { render::write(read::all()) }",
        ),
        ("compile/mod.rs", "pub mod read;"),
        ("compile/read.rs", "pub fn all() {}"),
        ("compile/render.rs", "pub fn write() { crate::compile::read::all() }"),
    ];
    let expected = [
        "compile/main.rs > compile/read.rs: all",
        "compile/main.rs > compile/render.rs: write",
        "compile/render.rs > compile/read.rs: all",
    ];
    assert_arrows(&files, &expected);
}

#[test]
fn fields_are_counted_at_the_top_alone() {
    let text = "struct Other { a: u8 } /// Words: a table.\npub struct Message<D> { #[x(y: z)] a: Vec<std::fmt::Result>, pub b: (u8, D), pub(crate) c: [u8; 2] }";
    assert_eq!(fields(&Source { path: "m.rs".to_owned(), text: text.to_owned() }, "Message"), 3);
}
