//! The bytes of an input as they were meant: unpacked where they are gzipped, without the byte order mark that some programs
//! write before UTF-8. What they begin with says so, not the file's name: a pipe has none.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
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

    fn open(&mut self) -> io::Result<()> {
        let input = Peeked::at(std::mem::replace(&mut self.bytes, Box::new(io::empty())), &GZIP)?;
        let is_gzipped = input.begin == GZIP;
        let input: Box<dyn Read> =
            if is_gzipped { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        let mut input = Peeked::at(input, &BYTE_ORDER_MARK)?;
        if input.begin == BYTE_ORDER_MARK {
            input.begin.clear();
        }
        self.bytes = Box::new(input);
        self.is_open = true;
        Ok(())
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

/// Bytes of which the first were looked at.
struct Peeked {
    begin: Vec<u8>,
    rest: Box<dyn Read>,
}

impl Peeked {
    /// Looks at the first bytes as far as they are the wanted ones, and at the first that is not: whoever writes a line and
    /// waits for its answer is not kept waiting for the bytes behind it.
    fn at(mut rest: Box<dyn Read>, wanted: &[u8]) -> io::Result<Self> {
        let mut begin = Vec::new();
        while wanted.starts_with(&begin) && begin.len() < wanted.len() {
            if (&mut rest).take(1).read_to_end(&mut begin)? == 0 {
                break;
            }
        }
        Ok(Self { begin, rest })
    }
}

impl Read for Peeked {
    /// What was looked at comes together with what is behind it: the form of an input is seen from more than a byte.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let begin = self.begin.len().min(into.len());
        into[..begin].copy_from_slice(&self.begin[..begin]);
        self.begin.drain(..begin);
        match self.rest.read(&mut into[begin..]) {
            Ok(count) => Ok(begin + count),
            Err(error) if begin > 0 && error.kind() == ErrorKind::Interrupted => Ok(begin),
            Err(error) => Err(error),
        }
    }
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
