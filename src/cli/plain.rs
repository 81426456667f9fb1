//! The bytes of an input as they were meant: unpacked where they are gzipped, without the byte order mark that some programs
//! write before UTF-8. What they begin with says so, not the file's name: a pipe has none.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

/// What gzipped bytes begin with (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// An input's bytes. Nothing is read before somebody asks for them.
pub(crate) struct Plain {
    bytes: Box<dyn Read>,
    is_open: bool,
}

impl Plain {
    /// Also tells how many bytes of the input are read so far, unpacked or not.
    pub(crate) fn new(input: Box<dyn Read>) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        let bytes = Box::new(Counted { input, count: Rc::clone(&count) });
        (Self { bytes, is_open: false }, count)
    }

    /// Takes bytes back: they come again, before all others.
    fn give_back(&mut self, begin: Vec<u8>) {
        let rest = std::mem::replace(&mut self.bytes, Box::new(io::empty()));
        self.bytes = Box::new(Cursor::new(begin).chain(rest));
    }

    fn open(&mut self) -> io::Result<()> {
        let mut input = std::mem::replace(&mut self.bytes, Box::new(io::empty()));
        let begin = beginning(&mut *input, &GZIP)?;
        let is_gzipped = begin == GZIP;
        let whole = Cursor::new(begin).chain(input);
        let mut input: Box<dyn Read> =
            if is_gzipped { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        let begin = beginning(&mut *input, &BYTE_ORDER_MARK)?;
        let is_marked = begin == BYTE_ORDER_MARK;
        self.bytes = if is_marked { input } else { Box::new(Cursor::new(begin).chain(input)) };
        self.is_open = true;
        Ok(())
    }
}

/// Sees how an input begins: reads as much of it as `seen` needs to say something, which is also told whether there is no
/// more, and gives it back.
pub(crate) fn look<T>(
    source: &mut BufReader<Plain>,
    seen: impl Fn(&[u8], bool) -> Option<T>,
) -> io::Result<T> {
    let mut begin = Vec::new();
    loop {
        let before = begin.len();
        match source.fill_buf() {
            Ok(more) => begin.extend_from_slice(more),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        source.consume(begin.len() - before);
        if let Some(seen) = seen(&begin, begin.len() == before) {
            source.get_mut().give_back(begin);
            return Ok(seen);
        }
    }
}

impl Read for Plain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.is_open {
            self.open()?;
        }
        self.bytes.read(into)
    }
}

/// The first bytes as far as they are the wanted ones, and the first that is not: whoever writes a line and waits for its
/// answer is not kept waiting for the bytes behind it.
fn beginning(mut input: &mut dyn Read, wanted: &[u8]) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    while wanted.starts_with(&begin) && begin.len() < wanted.len() {
        if (&mut input).take(1).read_to_end(&mut begin)? == 0 {
            break;
        }
    }
    Ok(begin)
}

/// Counts what goes by.
struct Counted {
    input: Box<dyn Read>,
    count: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}
