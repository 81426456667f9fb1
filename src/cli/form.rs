//! Which form an input has, seen from its beginning: lines, a JSON array, something that is neither.

/// What a command reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// JSON objects: NDJSON, or an array of them.
    Objects,
    /// JSON values or words, each on a line, or an array of values.
    Values,
    /// Lines of any text.
    Lines,
}

/// How the input is parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each line is one.
    Lines,
    /// JSON values one behind the other, on as many lines as they like; of an array each of its items is one.
    Items,
}

/// How many bytes and lines of an input are looked at.
pub(crate) const MOST_BYTES: usize = 1 << 16;
const MOST_LINES: usize = 20;

impl Wanted {
    /// The form of an input that begins so; what it is instead where it has none. Nothing where more of it must be seen, which
    /// goes by what it holds and not by how it comes: a pipe brings bytes by turns. `is_all` says that there is no more.
    pub(crate) fn form(self, begin: &[u8], is_all: bool) -> Option<Result<Form, String>> {
        let is_all = is_all || begin.len() >= MOST_BYTES;
        let begin = begin.trim_ascii_start();
        let lines = Some(Ok(Form::Lines));
        match (self, begin.first()) {
            (_, None) => lines.filter(|_| is_all),
            (Self::Lines, _) => lines,
            (_, Some(b'[')) => Some(Ok(Form::Items)),
            (_, Some(b'{')) => object(begin, is_all).map(Ok),
            (Self::Values, _) => lines,
            (Self::Objects, _) => foreign(begin, is_all),
        }
    }
}

/// The lines that are wholly there and not blank.
fn whole_lines(begin: &[u8], is_all: bool) -> Vec<&[u8]> {
    let end = if is_all { begin.len() } else { begin.iter().rposition(|byte| *byte == b'\n').unwrap_or(0) };
    let lines = begin[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).take(MOST_LINES).collect()
}

/// How objects are parted: one may go on behind its first line, as programs write it for people. A line that broke off is no
/// such object: the next one then begins anew.
fn object(begin: &[u8], is_all: bool) -> Option<Form> {
    let lines = whole_lines(begin, is_all);
    let goes_on = matches!(lines.first()?, [b'{'] | [b'{', .., b'{' | b'[' | b',']);
    match lines.get(1) {
        Some(next) if goes_on && next.starts_with(b"\"") => Some(Form::Items),
        None if goes_on && !is_all => None,
        _ => Some(Form::Lines),
    }
}

/// What an input is that has no JSON at its beginning. A bad line may still be followed by good ones, so it is only called
/// something else when none of the first lines is JSON.
fn foreign(begin: &[u8], is_all: bool) -> Option<Result<Form, String>> {
    let kinds: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "this is a zip archive: unpack it first"),
        (b"PAR1", "this is Parquet: write it as NDJSON first"),
        (b"\xff\xfe", "this is UTF-16: write it as UTF-8"),
        (b"\xfe\xff", "this is UTF-16: write it as UTF-8"),
        (b"\x28\xb5\x2f\xfd", "this is zstd: unpack it first (gzip is read as it is)"),
        (b"BZh", "this is bzip2: unpack it first (gzip is read as it is)"),
    ];
    if let Some((_, words)) = kinds.iter().find(|(magic, _)| begin.starts_with(magic)) {
        return Some(Err((*words).to_owned()));
    }
    let lines = whole_lines(begin, is_all);
    if lines.iter().any(|line| matches!(line.first(), Some(b'{' | b'['))) {
        return Some(Ok(Form::Lines));
    }
    if !is_all && lines.len() < MOST_LINES {
        return None;
    }
    let has_cells = |line: &[u8]| line.iter().any(|byte| matches!(byte, b',' | b';' | b'\t'));
    Some(match lines[..] {
        [head, ..] if has_cells(head) => {
            Err("this is CSV: see `import` (`clickproof import --from csv`)".to_owned())
        }
        [] | [_] => Ok(Form::Lines),
        _ => Err(
            "this is neither NDJSON nor a JSON array; `clickproof import` reads exports of mail providers"
                .to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form, and that it is the same however little comes at once.
    fn form(wanted: Wanted, input: &[u8]) -> Result<Form, String> {
        let by_turns =
            (0..=input.len()).find_map(|end| wanted.form(&input[..end], end == input.len())).unwrap();
        assert_eq!(wanted.form(input, true), Some(by_turns.clone()));
        by_turns
    }

    #[test]
    fn the_form_is_seen_from_the_beginning() {
        for (begin, expected) in [
            ("{\"a\":1}\n{\"a\":2}\n", Form::Lines),
            ("[{\"a\":1},\n{\"a\":2}]", Form::Items),
            ("\n\n  [", Form::Items),
            ("{\n  \"a\": 1\n}", Form::Items),
            ("{\r\n\r\n  \"a\": 1\n}", Form::Items),
            ("{\"items\": [\n  \"a\"\n]}", Form::Items),
            // Lines that broke off.
            ("{\n{\"a\":1}\n", Form::Lines),
            ("{\"a\":\n{\"a\":1}\n", Form::Lines),
            ("{\"a\":1,\n", Form::Lines),
            ("{\"a\":1", Form::Lines),
            // Bad lines before good ones, a bad line alone, nothing.
            ("bad, bad\n{\"a\":1}\n", Form::Lines),
            ("bad\nbad\n\n[]\n", Form::Lines),
            ("bad\n", Form::Lines),
            ("\n \n", Form::Lines),
            ("", Form::Lines),
        ] {
            assert_eq!(form(Wanted::Objects, begin.as_bytes()), Ok(expected), "{begin}");
        }
        assert_eq!(form(Wanted::Values, b"192.0.2.1\n"), Ok(Form::Lines));
        assert_eq!(form(Wanted::Values, b"[\"192.0.2.1\"]"), Ok(Form::Items));
        assert_eq!(form(Wanted::Lines, b"[00"), Ok(Form::Lines));
    }

    #[test]
    fn an_answer_waits_for_no_more_than_its_line() {
        assert_eq!(Wanted::Objects.form(b"{\"a\":1}", false), None);
        assert_eq!(Wanted::Objects.form(b"{\"a\":1}\n", false), Some(Ok(Form::Lines)));
        assert_eq!(Wanted::Values.form(b"1", false), Some(Ok(Form::Lines)));
        assert_eq!(Wanted::Objects.form(&vec![b'x'; MOST_BYTES], false), Some(Ok(Form::Lines)));
    }

    #[test]
    fn what_is_neither_is_called_by_its_name() {
        for (begin, words) in [
            (&b"email,event,timestamp\nann@example.com,click,1795348860\n"[..], "this is CSV: see `import`"),
            (b"email;event\n", "this is CSV: see `import`"),
            (b"\"email\",\"event\"\n", "this is CSV: see `import`"),
            (b"PK\x03\x04rest", "zip archive"),
            (b"\xff\xfee\0", "UTF-16"),
            (b"Nov 22 12:00:00 mx postfix\nNov 22 12:00:01 mx postfix\n", "neither NDJSON nor a JSON array"),
        ] {
            let said = form(Wanted::Objects, begin).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
