//! The list of messages, on `SQLite` itself: which there are, the newest first.

mod common;

use clickproof::message::list::{BEFORE, HEARD, LIST, List};
use common::sqlite::Sqlite;

fn ask(list: &List<Sqlite>, path: &str, body: &str) -> String {
    list.answer(path, body).unwrap().unwrap()
}

#[test]
fn the_newest_come_first_and_none_twice() {
    let list = List::new(Sqlite::default());
    for (path, body) in [(LIST, "5 "), (BEFORE, "5 m1")] {
        assert_eq!(ask(&list, path, body), "", "nobody has been heard of");
    }
    for body in ["1000 m1", "3000 m3", "2000 a.b=c", "3000 m3", "9000 m1", "3000 m2"] {
        assert_eq!(ask(&list, HEARD, body), "");
    }
    assert_eq!(ask(&list, LIST, "9 "), "3000.m3\n3000.m2\n2000.a.b=c\n1000.m1\n");
    assert_eq!(ask(&list, LIST, "2 "), "3000.m3\n3000.m2\n");
    assert_eq!(ask(&list, LIST, "2 3000.m2"), "2000.a.b=c\n1000.m1\n");
    assert_eq!(ask(&list, LIST, "2 2000.a.b=c"), "1000.m1\n");
    assert_eq!(ask(&list, LIST, "2 1000.m1"), "");
    assert_eq!(ask(&list, BEFORE, "2 m3"), "3000.m2\n2000.a.b=c\n");
    assert_eq!(ask(&list, BEFORE, "2 m1"), "");
    assert_eq!(ask(&list, BEFORE, "2 unknown"), "");
}

#[test]
fn what_is_not_understood_changes_nothing() {
    let list = List::new(Sqlite::default());
    for (path, body) in
        [(HEARD, "m"), (HEARD, "x m"), (LIST, "5"), (LIST, "5 m"), (LIST, "5 x.m"), ("/drop", "5 m")]
    {
        assert!(list.answer(path, body).unwrap().is_err(), "{path} {body}");
    }
    assert_eq!(ask(&list, LIST, "9 "), "");
}
