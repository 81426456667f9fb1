//! Reads JSON. `serde_json` writes it here, and reads it in tests; its reader is six times the size of this one, which counts
//! where a program is started by its first request.

use std::borrow::Cow;
use std::fmt;

/// Among so many names of an object one that stands twice is looked for: each is compared with all before it.
const MAX_NAMES: usize = 256;

/// How deep values may stand in each other.
const MAX_DEPTH: usize = 128;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number as it is written: who wants one says which.
    Number(&'a str),
    /// Text.
    Text(Cow<'a, str>),
    /// A string that is no text: it has half of a surrogate pair.
    Broken,
    /// A list.
    List(Vec<Self>),
    /// An object's names and values in their order.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// What is wrong with a text that is no JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    what: &'static str,
    at: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl<'a> Json<'a> {
    /// Reads a text that holds one value and nothing else.
    ///
    /// # Errors
    /// What is wrong with the first byte that is none of JSON's.
    pub fn parse(text: &'a str) -> Result<Self, Problem> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.end(value)
    }

    /// Reads a text that holds one object, and hands over its fields in their order: a million records are no place for a
    /// tree of each. Says whether it is an object at all.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn each(text: &'a str, field: &mut dyn FnMut(Cow<'a, str>, Self)) -> Result<bool, Problem> {
        let mut reader = Reader { text, at: 0 };
        let is_object = reader.peek() == Some(b'{');
        if is_object {
            reader.members(0, field)?;
        } else {
            reader.value(0)?;
        }
        reader.end(is_object)
    }

    /// A field of an object, `Null` where it has none. Of a name that stands twice, the last counts.
    #[must_use]
    pub fn get(&self, name: &str) -> &Self {
        let fields = self.fields().unwrap_or_default();
        fields.iter().rev().find(|(known, _)| known == name).map_or(&Self::Null, |(_, value)| value)
    }

    /// An object's fields.
    #[must_use]
    pub fn fields(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }

    /// Refuses fields of other names, and a name that stands twice: a slip in a name would be a choice that nobody sees is missing, and
    /// which of two values counts is for nobody to guess. `path` stands before the names, with its point.
    ///
    /// # Errors
    /// The first such name, and those that there are.
    pub fn only(&self, path: &str, known: &[&str]) -> Result<(), String> {
        let fields = self.fields().unwrap_or_default();
        if let Some((name, _)) = fields.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            return Err(format!("{path}{name}: no such field; there are {}", known.join(", ")));
        }
        self.once(path)
    }

    /// Refuses a name that stands twice among the first [`MAX_NAMES`]: no object that is known here has so many.
    ///
    /// # Errors
    /// The first such name.
    pub fn once(&self, path: &str) -> Result<(), String> {
        let fields = self.fields().unwrap_or_default();
        for (at, (name, _)) in fields.iter().enumerate().take(MAX_NAMES) {
            if fields[..at].iter().any(|(other, _)| other == name) {
                return Err(format!("{path}{name}: stands twice; leave one"));
            }
        }
        Ok(())
    }

    /// A list's values.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// A text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number.
    #[must_use]
    pub fn integer<T: std::str::FromStr>(&self) -> Option<T> {
        if let Self::Number(digits) = self { digits.parse().ok() } else { None }
    }
}

/// A text, and how far it is read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The byte that is next, behind white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                next => return next,
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads a byte if it is next, behind white space.
    fn takes(&mut self, byte: u8) -> bool {
        let takes = self.peek() == Some(byte);
        self.at += usize::from(takes);
        takes
    }

    /// What was read, where nothing stands behind it.
    fn end<T>(&mut self, read: T) -> Result<T, Problem> {
        match self.peek() {
            None => Ok(read),
            Some(_) => self.fail("trailing characters"),
        }
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Problem> {
        Err(Problem { what, at: self.text.len().min(self.at + 1) })
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Problem> {
        if depth > MAX_DEPTH {
            return self.fail("values stand too deep in each other");
        }
        match self.peek() {
            None => self.fail("EOF while parsing a value"),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(self.string()?.map_or(Json::Broken, Json::Text)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                for (word, value) in
                    [("null", Json::Null), ("true", Json::Boolean(true)), ("false", Json::Boolean(false))]
                {
                    if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                self.fail("expected value")
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Problem> {
        let mut fields = Vec::new();
        self.members(depth, &mut |name, value| fields.push((name, value)))?;
        Ok(Json::Object(fields))
    }

    fn members(&mut self, depth: usize, each: &mut dyn FnMut(Cow<'a, str>, Json<'a>)) -> Result<(), Problem> {
        self.at += 1;
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            match self.peek() {
                Some(b'"') => {}
                None => return self.fail("EOF while parsing an object"),
                Some(_) => return self.fail("key must be a string"),
            }
            let name = self.string()?.unwrap_or(Cow::Borrowed("\u{fffd}"));
            if !self.takes(b':') {
                return self.fail(if self.byte().is_none() {
                    "EOF while parsing an object"
                } else {
                    "expected `:`"
                });
            }
            each(name, self.value(depth + 1)?);
            if self.takes(b'}') {
                return Ok(());
            }
            if !self.takes(b',') {
                return self.fail(if self.byte().is_none() {
                    "EOF while parsing an object"
                } else {
                    "expected `,` or `}`"
                });
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Problem> {
        self.at += 1;
        let mut values = Vec::new();
        if self.takes(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Json::List(values));
            }
            if !self.takes(b',') {
                return self.fail(if self.byte().is_none() {
                    "EOF while parsing a list"
                } else {
                    "expected `,` or `]`"
                });
            }
        }
    }

    fn number(&mut self) -> Result<Json<'a>, Problem> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'0'..=b'9')) {
            return self.fail("invalid number");
        }
        Ok(Json::Number(self.since(start)))
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.fail("invalid number") } else { Ok(()) }
    }

    /// A string, copied only where something in it is escaped; `None` where it is no text.
    fn string(&mut self) -> Result<Option<Cow<'a, str>>, Problem> {
        self.at += 1;
        let (mut start, mut copied, mut is_text) = (self.at, None::<String>, true);
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += plain(rest);
            match self.byte() {
                None => return self.fail("EOF while parsing a string"),
                Some(b'"') => {
                    let rest = self.since(start);
                    self.at += 1;
                    let whole = match copied {
                        None => Cow::Borrowed(rest),
                        Some(copied) => Cow::Owned(copied + rest),
                    };
                    return Ok(is_text.then_some(whole));
                }
                Some(b'\\') => {
                    let copied = copied.get_or_insert_default();
                    copied.push_str(self.since(start));
                    match self.escape()? {
                        Some(escaped) => copied.push(escaped),
                        None => is_text = false,
                    }
                    start = self.at;
                }
                Some(_) => {
                    return self.fail("control character (\\u0000-\\u001F) found while parsing a string");
                }
            }
        }
    }

    /// What is escaped; `None` for half of a surrogate pair.
    fn escape(&mut self) -> Result<Option<char>, Problem> {
        self.at += 1;
        let escaped = match self.byte() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.fail("invalid escape"),
        };
        self.at += 1;
        Ok(Some(escaped))
    }

    fn unicode(&mut self) -> Result<Option<char>, Problem> {
        let high = self.hex()?;
        let is_pair = (0xd800..0xdc00).contains(&high)
            && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"));
        if !is_pair {
            return Ok(char::from_u32(high));
        }
        let before = self.at;
        self.at += 1;
        let low = self.hex()?;
        if !(0xdc00..0xe000).contains(&low) {
            // The second is another character's.
            self.at = before;
            return Ok(None);
        }
        Ok(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
    }

    /// The four digits behind a `u`.
    fn hex(&mut self) -> Result<u32, Problem> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let is_hex = digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) if is_hex => {
                self.at += 5;
                Ok(code)
            }
            _ => self.fail("invalid escape"),
        }
    }
}

/// How many bytes stand before the first that is a quote, a backslash or a control character: most of a text, so eight at
/// once (Bit Twiddling Hacks, "Determine if a word has a byte less than n").
fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = EACH << 7;
    let has_below = |word: u64, bound: u8| word.wrapping_sub(EACH * u64::from(bound)) & !word & HIGH != 0;
    let has = |word: u64, byte: u8| has_below(word ^ (EACH * u64::from(byte)), 1);
    let (words, _) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_ne_bytes(*word));
    let whole =
        8 * words.take_while(|&word| !(has_below(word, 0x20) || has(word, b'"') || has(word, b'\\'))).count();
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The same value by the library that the world reads JSON with; `None` where a string is broken.
    fn same(json: &Json) -> Option<Value> {
        Some(match json {
            Json::Null => Value::Null,
            Json::Boolean(boolean) => (*boolean).into(),
            Json::Number(digits) => serde_json::from_str(digits).ok()?,
            Json::Text(text) => text.as_ref().into(),
            Json::Broken => return None,
            Json::List(values) => values.iter().map(same).collect::<Option<Vec<_>>>()?.into(),
            Json::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| Some((name.to_string(), same(value)?)));
                Value::Object(fields.collect::<Option<_>>()?)
            }
        })
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_goes_wrong() {
        for (text, problem) in [
            ("", "EOF while parsing a value at byte 0"),
            (" ", "EOF while parsing a value at byte 1"),
            ("{", "EOF while parsing an object at byte 1"),
            ("{\"a\"", "EOF while parsing an object at byte 4"),
            ("{\"a\":", "EOF while parsing a value at byte 5"),
            ("{\"a\":1", "EOF while parsing an object at byte 6"),
            ("[1", "EOF while parsing a list at byte 2"),
            ("\"a", "EOF while parsing a string at byte 2"),
            ("{a}", "key must be a string at byte 2"),
            ("{\"a\" 1}", "expected `:` at byte 6"),
            ("{\"a\":1 2}", "expected `,` or `}` at byte 8"),
            ("[1 2]", "expected `,` or `]` at byte 4"),
            ("[1,]", "expected value at byte 4"),
            ("{\"a\":1,}", "key must be a string at byte 8"),
            ("nul", "expected value at byte 1"),
            ("{} x", "trailing characters at byte 4"),
            ("01", "invalid number at byte 2"),
            ("1.", "invalid number at byte 2"),
            ("-", "invalid number at byte 1"),
            ("1e+", "invalid number at byte 3"),
            ("\"\\x\"", "invalid escape at byte 3"),
            ("\"\\u12g4\"", "invalid escape at byte 3"),
            ("\"\\u+123\"", "invalid escape at byte 3"),
            ("\"\n\"", "control character (\\u0000-\\u001F) found while parsing a string at byte 2"),
        ] {
            assert_eq!(
                Json::parse(text).map_err(|problem| problem.to_string()),
                Err(problem.to_owned()),
                "{text}"
            );
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(128)).is_ok());
        assert!(Json::parse(&nested(100_000)).is_err());
    }

    #[test]
    fn a_value_is_what_it_is_and_nothing_else() {
        let json =
            Json::parse(r#"{"a":7,"b":-7,"c":1.5,"d":"7","e":[1],"f":"\ud800","a":8,"g":1e3}"#).unwrap();
        assert_eq!(json.get("a").integer::<u64>(), Some(8), "the last of a name counts");
        assert_eq!((json.get("b").integer::<i64>(), json.get("b").integer::<u64>()), (Some(-7), None));
        for name in ["c", "d", "e", "f", "g", "h"] {
            assert_eq!(json.get(name).integer::<i64>(), None, "{name}");
        }
        assert_eq!((json.get("d").text(), json.get("f").text()), (Some("7"), None));
        assert_eq!(json.get("e").list().map(<[_]>::len), Some(1));
        assert_eq!((json.get("h"), json.get("a").get("x")), (&Json::Null, &Json::Null));
    }

    #[test]
    fn half_a_pair_is_no_text_and_breaks_nothing_beside_it() {
        for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\ud800""#, r#""\ud800\u0041""#, r#""\ud800\n""#]
        {
            assert_eq!(Json::parse(text), Ok(Json::Broken), "{text}");
        }
        assert_eq!(Json::parse(r#""\ud83d\ude00""#).unwrap().text(), Some("😀"));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>()
                .prop_filter_map("finite", |number| serde_json::Number::from_f64(number).map(Value::from)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_others_write_is_read(value in values()) {
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let theirs: Value = serde_json::from_str(&text).unwrap();
                let json = Json::parse(&text).unwrap();
                prop_assert_eq!(same(&json), Some(theirs));
                let mut fields = Vec::new();
                let is_object = Json::each(&text, &mut |name, value| fields.push((name, value)));
                prop_assert_eq!(is_object, Ok(json.fields().is_some()));
                prop_assert_eq!(&fields[..], json.fields().unwrap_or_default());
            }
        }

        #[test]
        fn what_others_refuse_is_refused(text in r#"[\[\]{}:,"\\ uetrns0-9.+eE-]{0,12}"#) {
            let theirs = serde_json::from_str::<Value>(&text);
            prop_assert_eq!(Json::each(&text, &mut |_, _| {}).err(), Json::parse(&text).err());
            match Json::parse(&text) {
                Ok(json) => match same(&json) {
                    Some(value) => prop_assert_eq!(theirs.ok(), Some(value)),
                    None => prop_assert!(theirs.is_err()),
                },
                Err(_) => prop_assert!(theirs.is_err()),
            }
        }
    }
}
