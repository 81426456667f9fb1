//! Columns of texts and whole numbers as bytes: what many rows have in common is written once.
//!
//! A column is a byte that says its form, then its values:
//!
//! | form | values |
//! | --- | --- |
//! | 0 | none: no row has one |
//! | 1 | one, which all rows have |
//! | 2 | one for each row |
//! | 3 | numbers alone: for each row a byte 1 and one, or a byte 0 |
//!
//! Numbers are LEB128. A whole number is written as its step from the one before it in its column (0 before the first), zigzag. A
//! text is 0 for none, *k* + 2 for the *k*th text that its column has written before, or 1 and a new one: its length times
//! eight plus a form, then so many bytes:
//!
//! | form | the bytes are |
//! | --- | --- |
//! | 0 | the text |
//! | 1 | what it says in hexadecimal digits, lower case |
//! | 2 | an IPv4 address |
//! | 3 | a UUID, lower case |
//! | 4 | what follows a beginning that the new text before it has, too; how long that is stands before them |

use std::net::Ipv4Addr;

use super::hex::{from_hex, push_hex};

/// All that is written of a column in which no row has a value.
pub(super) const NONE: u8 = 0;
const SAME: u8 = 1;
const EACH: u8 = 2;
const SOME: u8 = 3;

const PLAIN: u64 = 0;
const HEX: u64 = 1;
const IPV4: u64 = 2;
const UUID: u64 = 3;
const SHARED: u64 = 4;

/// A shorter beginning is not worth sharing.
const LEAST_SHARED: usize = 4;

/// Where a UUID has its dashes.
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// What is not as it was written: damaged, or a later version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Writes columns.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// A number.
    pub fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A whole number, as its step from another.
    pub fn step(&mut self, from: i64, to: i64) {
        let step = to.wrapping_sub(from);
        self.number((step << 1 ^ step >> 63).cast_unsigned());
    }

    /// A column of whole numbers.
    pub fn integers(&mut self, count: usize, value: &dyn Fn(usize) -> Option<i64>) {
        let first = if count > 0 { value(0) } else { None };
        let form = match first {
            _ if (1..count).all(|at| value(at) == first) => first.map_or(NONE, |_| SAME),
            _ if (0..count).all(|at| value(at).is_some()) => EACH,
            _ => SOME,
        };
        self.0.push(form);
        let rows = if form == SAME { 1 } else { count };
        let mut last = 0;
        for at in (0..rows).filter(|_| form != NONE) {
            if form == SOME {
                self.0.push(u8::from(value(at).is_some()));
            }
            if let Some(number) = value(at) {
                self.step(last, number);
                last = number;
            }
        }
    }

    /// A column of texts; an empty one counts as none.
    pub fn texts<'a>(&mut self, count: usize, value: &dyn Fn(usize) -> Option<&'a str>) {
        let value = |at| value(at).filter(|text| !text.is_empty());
        let first = if count > 0 { value(0) } else { None };
        let is_same = (1..count).all(|at| value(at) == first);
        self.0.push(if is_same { first.map_or(NONE, |_| SAME) } else { EACH });
        let rows = if is_same { usize::from(first.is_some()) } else { count };
        // In the order of the texts: a tree of them would be eight kilobytes of wasm.
        let mut known: Vec<(&str, u64)> = Vec::new();
        let mut last = "";
        for at in 0..rows {
            match value(at).map(|text| (text, known.binary_search_by(|(other, _)| (*other).cmp(text)))) {
                None => self.number(0),
                Some((_, Ok(found))) => self.number(known[found].1 + 2),
                Some((text, Err(place))) => {
                    known.insert(place, (text, known.len() as u64));
                    self.number(1);
                    self.literal(text, last);
                    last = text;
                }
            }
        }
    }

    fn literal(&mut self, text: &str, last: &str) {
        let compact = compact(text);
        let (form, shared, bytes) = if let Some((form, bytes)) = &compact {
            (*form, 0, &bytes[..])
        } else {
            let shared = text.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
            let shared = text.floor_char_boundary(shared);
            let (form, from) = if shared >= LEAST_SHARED { (SHARED, shared) } else { (PLAIN, 0) };
            (form, shared, &text.as_bytes()[from..])
        };
        self.number((bytes.len() as u64) << 3 | form);
        if form == SHARED {
            self.number(shared as u64);
        }
        self.0.extend_from_slice(bytes);
    }
}

/// A text in fewer bytes, where it is of a kind that has a form.
fn compact(text: &str) -> Option<(u64, Vec<u8>)> {
    // One address is read from one text alone: no part of it may begin with a 0.
    if text.len() <= 15
        && let Ok(address) = text.parse::<Ipv4Addr>()
    {
        return Some((IPV4, address.octets().to_vec()));
    }
    if text.len() == 36 && DASHES.iter().all(|at| text.as_bytes()[*at] == b'-') {
        return Some((UUID, from_hex(text.bytes().filter(|byte| *byte != b'-'))?))
            .filter(|(_, all)| all.len() == 16);
    }
    Some((HEX, from_hex(text.bytes())?))
}

/// Reads columns.
pub struct Reader<'a>(pub &'a [u8]);

/// A text as it stands in the bytes: to build all those that nobody asks for would cost most of reading.
struct Literal<'a> {
    form: u64,
    shared: usize,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next byte.
    ///
    /// # Errors
    /// When there is none.
    pub fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number.
    ///
    /// # Errors
    /// When it does not end, or is too great.
    pub fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Damaged);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// A number that counts things in memory.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub fn count(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.number()?).map_err(|_| Damaged)
    }

    /// So many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Bytes behind their length.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let count = self.count()?;
        self.take(count)
    }

    /// A whole number, by its step from another.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub fn step(&mut self, from: i64) -> Result<i64, Damaged> {
        let zigzag = self.number()?;
        Ok(from.wrapping_add((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()))
    }

    /// A column of whole numbers: hands over each row's, where there is one.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn integers(&mut self, count: usize, each: &mut dyn FnMut(usize, i64)) -> Result<(), Damaged> {
        let mut last = 0;
        match self.byte()? {
            NONE => {}
            SAME => {
                let number = self.step(0)?;
                (0..count).for_each(|at| each(at, number));
            }
            form @ (EACH | SOME) => {
                for at in 0..count {
                    if form == EACH || self.byte()? == 1 {
                        last = self.step(last)?;
                        each(at, last);
                    }
                }
            }
            _ => return Err(Damaged),
        }
        Ok(())
    }

    /// A column of texts: hands over those of the rows that are wanted, where there is one.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn texts(
        &mut self,
        count: usize,
        wanted: &dyn Fn(usize) -> bool,
        each: &mut dyn FnMut(usize, String),
    ) -> Result<(), Damaged> {
        let form = self.byte()?;
        let rows = match form {
            NONE => 0,
            SAME => 1,
            EACH => count,
            _ => return Err(Damaged),
        };
        let mut known: Vec<Literal> = Vec::new();
        for at in 0..rows {
            let place = match self.count()? {
                0 => continue,
                1 => {
                    known.push(self.literal()?);
                    known.len() - 1
                }
                place => place - 2,
            };
            if form == SAME {
                for at in (0..count).filter(|at| wanted(*at)) {
                    each(at, text(&known, place)?);
                }
            } else if wanted(at) {
                each(at, text(&known, place)?);
            } else if place >= known.len() {
                return Err(Damaged);
            }
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<Literal<'a>, Damaged> {
        let head = self.number()?;
        let (form, length) = (head & 7, usize::try_from(head >> 3).map_err(|_| Damaged)?);
        let shared = if form == SHARED { self.count()? } else { 0 };
        Ok(Literal { form, shared, bytes: self.take(length)? })
    }
}

/// The text at a place.
fn text(known: &[Literal], place: usize) -> Result<String, Damaged> {
    let literal = known.get(place).ok_or(Damaged)?;
    let hex = |bytes: &[u8], dashes: &[usize]| {
        let mut text = String::with_capacity(36);
        for byte in bytes {
            if dashes.contains(&text.len()) {
                text.push('-');
            }
            push_hex(&mut text, &[*byte]);
        }
        text
    };
    match literal.form {
        HEX => Ok(hex(literal.bytes, &[])),
        UUID => Ok(hex(literal.bytes, &DASHES)),
        IPV4 => {
            let octets: [u8; 4] = literal.bytes.try_into().map_err(|_| Damaged)?;
            Ok(Ipv4Addr::from(octets).to_string())
        }
        PLAIN => plain(literal.bytes.to_vec()),
        SHARED => {
            // Its beginning is the one before's, whose own may be the one before that's.
            let mut bytes = vec![0; literal.shared.min(1 << 20)];
            let mut missing = literal.shared;
            let mut before = known.get(..place).unwrap_or_default().iter().enumerate().rev();
            while missing > 0 {
                let (at, other) = before.next().ok_or(Damaged)?;
                let whole;
                let (from, tail) = match other.form {
                    SHARED | PLAIN => (other.shared, other.bytes),
                    _ => {
                        whole = text(known, at)?;
                        (0, whole.as_bytes())
                    }
                };
                if missing > from {
                    let part = tail.get(..missing - from).ok_or(Damaged)?;
                    bytes.get_mut(from..missing).ok_or(Damaged)?.copy_from_slice(part);
                    missing = from;
                }
            }
            bytes.extend_from_slice(literal.bytes);
            plain(bytes)
        }
        _ => Err(Damaged),
    }
}

fn plain(bytes: Vec<u8>) -> Result<String, Damaged> {
    String::from_utf8(bytes).map_err(|_| Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts_of(values: &[Option<&str>]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.texts(values.len(), &|at| values[at]);
        writer.0
    }

    fn read_texts(
        bytes: &[u8],
        count: usize,
        wanted: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Option<String>>, Damaged> {
        let mut found = vec![None; count];
        let mut reader = Reader(bytes);
        reader.texts(count, wanted, &mut |at, text| found[at] = Some(text))?;
        if reader.0.is_empty() { Ok(found) } else { Err(Damaged) }
    }

    /// Frozen: rows and messages of the queue hold these bytes.
    #[test]
    fn the_bytes_are_frozen() {
        for (values, bytes) in [
            (vec![None, None], vec![0]),
            (vec![Some("GET"), Some("GET")], [&[1, 1, 3 << 3][..], b"GET"].concat()),
            (vec![Some("a!"), None, Some("a!")], [&[2, 1, 2 << 3][..], b"a!", &[0, 2]].concat()),
            (vec![Some("0a1b"), Some("x")], [&[2, 1, 2 << 3 | 1, 0x0a, 0x1b, 1, 1 << 3][..], b"x"].concat()),
            (vec![Some("192.0.2.1")], vec![1, 1, 4 << 3 | 2, 192, 0, 2, 1]),
            (
                vec![Some("01a20320-a200-7000-8000-0000000000ff")],
                [&[1, 1, 0x83, 1, 1, 0xa2, 3, 0x20, 0xa2, 0, 0x70, 0, 0x80][..], &[0; 6], &[0xff]].concat(),
            ),
            (
                vec![Some("https://a"), Some("https://b")],
                [&[2, 1, 9 << 3][..], b"https://a", &[1, 1 << 3 | 4, 8], b"b"].concat(),
            ),
        ] {
            assert_eq!(texts_of(&values), bytes, "{values:?}");
        }
        for (values, bytes) in [
            (vec![None, None], vec![0]),
            (vec![Some(-1), Some(-1)], vec![1, 1]),
            (vec![Some(100), Some(99)], vec![2, 200, 1, 1]),
            (vec![None, Some(3), Some(5)], vec![3, 0, 1, 6, 1, 4]),
        ] {
            let mut writer = Writer::default();
            writer.integers(values.len(), &|at| values[at]);
            assert_eq!(writer.0, bytes, "{values:?}");
        }
    }

    fn word() -> impl Strategy<Value = Option<String>> {
        prop_oneof![
            Just(None),
            "[a-f0-9]{1,8}".prop_map(Some),
            "(https://shop/|https://)[a-zé]{0,6}".prop_map(Some),
            "[0-9]{1,3}\\.[0-9]{1,3}\\.0?[0-9]\\.[0-9]".prop_map(Some),
            "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(Some),
        ]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            words in prop::collection::vec(word(), 0..40),
            numbers in prop::collection::vec(prop::option::of(any::<i64>()), 0..40),
        ) {
            let values: Vec<Option<&str>> = words.iter().map(Option::as_deref).collect();
            let bytes = texts_of(&values);
            prop_assert_eq!(read_texts(&bytes, words.len(), &|_| true), Ok(words.clone()));
            let odd: Vec<_> =
                words.iter().enumerate().map(|(at, word)| word.clone().filter(|_| at % 2 == 1)).collect();
            prop_assert_eq!(read_texts(&bytes, words.len(), &|at| at % 2 == 1), Ok(odd));

            let mut writer = Writer::default();
            writer.integers(numbers.len(), &|at| numbers[at]);
            let mut found = vec![None; numbers.len()];
            let mut reader = Reader(&writer.0);
            prop_assert_eq!(reader.integers(numbers.len(), &mut |at, number| found[at] = Some(number)), Ok(()));
            prop_assert!(reader.0.is_empty());
            prop_assert_eq!(found, numbers);
        }

        #[test]
        fn whatever_the_bytes_are_reading_ends(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read_texts(&bytes, 5, &|_| true);
            let _ = Reader(&bytes).integers(5, &mut |_, _| {});
        }
    }
}
