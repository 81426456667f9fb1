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

impl Wanted {
    /// The form of an input that begins so; what it is instead where it has none. `begin` are the bytes that are here by now,
    /// from the first on that is not blank; there is at least one.
    pub(crate) fn form(self, begin: &[u8]) -> Result<Form, String> {
        let first = begin.first().copied();
        if self == Self::Lines {
            return Ok(Form::Lines);
        }
        if first == Some(b'[') || first == Some(b'{') && is_spread(begin) {
            return Ok(Form::Items);
        }
        if self == Self::Objects {
            return foreign(begin).map_or(Ok(Form::Lines), Err);
        }
        Ok(Form::Lines)
    }
}

/// Whether an object goes on behind its first line, as programs write it for people. A line that broke off is no such
/// object: the next one then begins anew.
fn is_spread(begin: &[u8]) -> bool {
    let mut lines =
        begin.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let head = lines.next().unwrap_or_default();
    matches!(head, [b'{'] | [b'{', .., b'{' | b'[' | b','])
        && lines.next().is_some_and(|line| line.starts_with(b"\""))
}

/// What an input is that has no JSON at its beginning. A single bad line may still be followed by good ones, so it is only
/// called something else when it looks like that.
fn foreign(begin: &[u8]) -> Option<String> {
    let kinds: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "this is a zip archive: unpack it first"),
        (b"PAR1", "this is Parquet: write it as NDJSON first"),
        (b"\xff\xfe", "this is UTF-16: write it as UTF-8"),
        (b"\xfe\xff", "this is UTF-16: write it as UTF-8"),
        (b"\x28\xb5\x2f\xfd", "this is zstd: unpack it first (gzip is read as it is)"),
        (b"BZh", "this is bzip2: unpack it first (gzip is read as it is)"),
    ];
    if let Some((_, words)) = kinds.iter().find(|(magic, _)| begin.starts_with(magic)) {
        return Some((*words).to_owned());
    }
    let lines: Vec<&[u8]> = begin
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(20)
        .collect();
    if lines.iter().any(|line| matches!(line.first(), Some(b'{' | b'['))) {
        return None;
    }
    let separators = |line: &&[u8]| line.iter().filter(|byte| matches!(byte, b',' | b';' | b'\t')).count();
    match lines[..] {
        [] => None,
        [head, ..] if separators(&head) > 0 => {
            Some("this is CSV: see `import` (`clickproof import --from csv`)".to_owned())
        }
        [_] => None,
        _ => Some(
            "this is neither NDJSON nor a JSON array; `clickproof import` reads exports of mail providers"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_seen_from_the_beginning() {
        for (begin, form) in [
            ("{\"a\":1}\n{\"a\":2}\n", Form::Lines),
            ("[{\"a\":1},\n{\"a\":2}]", Form::Items),
            ("{\n  \"a\": 1\n}", Form::Items),
            ("{\"items\": [\n  \"a\"\n]}", Form::Items),
            // Lines that broke off.
            ("{\n{\"a\":1}\n", Form::Lines),
            ("{\"a\":\n{\"a\":1}\n", Form::Lines),
            ("{\"a\":1,\n", Form::Lines),
            // A bad line before good ones, and a bad line alone.
            ("bad, bad\n{\"a\":1}\n", Form::Lines),
            ("bad\n", Form::Lines),
        ] {
            assert_eq!(Wanted::Objects.form(begin.as_bytes()), Ok(form), "{begin}");
        }
        assert_eq!(Wanted::Values.form(b"192.0.2.1\n"), Ok(Form::Lines));
        assert_eq!(Wanted::Values.form(b"[\"192.0.2.1\"]"), Ok(Form::Items));
        assert_eq!(Wanted::Lines.form(b"[00"), Ok(Form::Lines));
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
            let said = Wanted::Objects.form(begin).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
