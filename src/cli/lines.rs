//! Reading NDJSON, line by line and numbered; a JSON array is read as its items, each under the number of the line where it
//! begins. Neither is ever held as a whole.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use indicatif::ProgressBar;

use crate::complaints::Complaints;
use crate::form::{Form, Wanted};
use crate::plain::{Plain, look};
use crate::stop::Stop;

/// The longest line, bytes: the API's limit on a body, and far above any record. It bounds the memory that input
/// without line ends can take.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;

const BUFFER_BYTES: usize = 1 << 16;

/// The lines of the input.
pub(crate) struct Lines {
    source: BufReader<Plain>,
    wanted: Wanted,
    form: Option<Form>,
    /// The longest line, bytes.
    max: usize,
    line: Vec<u8>,
    /// The number of the line that is read, and of the one where what was read last begins.
    at: u64,
    number: u64,
    items: Items,
    complaints: Complaints,
    /// How many bytes of a file are read.
    bytes: Option<Rc<Cell<u64>>>,
}

/// Where in arrays the reading is.
#[derive(Default)]
struct Items {
    in_array: bool,
    /// An item was read, and no comma since.
    needs_comma: bool,
}

impl Lines {
    pub(crate) fn new(
        source: Box<dyn Read>,
        name: String,
        bar: ProgressBar,
        by_bytes: bool,
        wanted: Wanted,
    ) -> Self {
        let (source, bytes) = Plain::new(source);
        Self {
            source: BufReader::with_capacity(BUFFER_BYTES, source),
            wanted,
            form: None,
            max: MAX_LINE_BYTES,
            line: Vec::new(),
            at: 0,
            number: 0,
            items: Items::default(),
            complaints: Complaints::new(name, bar),
            bytes: by_bytes.then_some(bytes),
        }
    }

    /// Reads lines of up to so many bytes.
    pub(crate) fn up_to(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// The bytes of the input, and where to complain of them: for what is parted otherwise than by lines.
    pub(crate) fn into_bytes(self) -> (BufReader<Plain>, Complaints) {
        (self.source, self.complaints)
    }

    /// Whether the next line may be long in coming: it is not wholly here yet.
    pub(crate) fn may_wait(&self) -> bool {
        !self.source.buffer().contains(&b'\n')
    }

    /// The next line that is not blank, or what is wrong with it; nothing at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<Result<&str, String>>, Stop> {
        if self.may_wait() {
            self.complaints.progress(self.bytes.as_ref().map_or(self.at, |bytes| bytes.get()));
        }
        let form = if let Some(form) = self.form {
            form
        } else {
            let form = self.begin()?;
            *self.form.insert(form)
        };
        let read = match form {
            Form::Lines => self.next_line()?,
            Form::Items => self.next_item()?,
        };
        match read {
            None => return Ok(None),
            Some(Err(problem)) => return Ok(Some(Err(problem))),
            Some(Ok(())) => {}
        }
        Ok(Some(std::str::from_utf8(self.line.trim_ascii()).map_err(|error| {
            format!("not UTF-8 at byte {}; write the file as UTF-8", error.valid_up_to() + 1)
        })))
    }

    /// The number of the line where what was read last begins, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Tells of the last line on stderr that it is bad and why.
    pub(crate) fn complain(&mut self, problem: &str) {
        self.complaints.add(self.number, problem);
    }

    /// Where to complain of lines that were read before.
    pub(crate) fn complaints(&mut self) -> &mut Complaints {
        &mut self.complaints
    }

    /// How many lines were bad.
    pub(crate) fn bad(&self) -> usize {
        self.complaints.bad()
    }

    /// Takes the progress bar away: the input is read.
    pub(crate) fn finish(&self) {
        self.complaints.finish();
    }

    /// Sees how the input is parted.
    fn begin(&mut self) -> Result<Form, Stop> {
        let wanted = self.wanted;
        let form = look(&mut self.source, |begin, is_all| wanted.form(begin, is_all));
        let form = form.map_err(|error| unreadable(&self.complaints, self.at, &error))?;
        form.map_err(|words| Stop::Refused(format!("{}: {words}", self.complaints.input())))
    }

    fn next_line(&mut self) -> Result<Option<Result<(), String>>, Stop> {
        loop {
            self.line.clear();
            if self.read()? == 0 {
                return Ok(None);
            }
            self.at += 1;
            self.number = self.at;
            if self.line.len() > self.max {
                self.skip_rest()?;
                return Ok(Some(Err(format!("longer than {} bytes; split it", self.max))));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(Ok(())));
            }
        }
    }

    /// Reads up to the end of the line, its end left out, or one byte further than a line may be long.
    fn read(&mut self) -> Result<usize, Stop> {
        let most = self.max as u64 + 1;
        let count = self.source.by_ref().take(most).read_until(b'\n', &mut self.line);
        let count = count.map_err(|error| unreadable(&self.complaints, self.at, &error))?;
        self.line.pop_if(|last| *last == b'\n');
        Ok(count)
    }

    fn skip_rest(&mut self) -> Result<(), Stop> {
        let skipped = self.source.skip_until(b'\n');
        skipped.map_err(|error| unreadable(&self.complaints, self.at, &error))?;
        Ok(())
    }

    /// Reads the next item, its line ends as blanks.
    fn next_item(&mut self) -> Result<Option<Result<(), String>>, Stop> {
        self.line.clear();
        loop {
            let next = self.peek()?;
            self.number = self.at + 1;
            match next {
                None if self.items.in_array => {
                    self.items.in_array = false;
                    return Ok(Some(Err("the array does not end: get the whole of it".to_owned())));
                }
                None => return Ok(None),
                Some(b'[') if !self.items.in_array => {
                    self.items = Items { in_array: true, needs_comma: false };
                    self.source.consume(1);
                }
                Some(b']') if self.items.in_array => {
                    self.items = Items::default();
                    self.source.consume(1);
                }
                Some(b',') if self.items.needs_comma => {
                    self.items.needs_comma = false;
                    self.source.consume(1);
                }
                Some(_) => break,
            }
        }
        let follows = std::mem::replace(&mut self.items.needs_comma, self.items.in_array);
        let ended = self.item()?;
        Ok(Some(if !ended {
            Err("a value does not end: get the whole of it".to_owned())
        } else if self.line.len() > self.max {
            Err(format!("longer than {} bytes; split it", self.max))
        } else if follows {
            Err("no comma before it: expected `,` or `]`".to_owned())
        } else {
            Ok(())
        }))
    }

    /// The byte that is next behind white space, left where it is.
    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            let buffer = filled(&mut self.source, &self.complaints, self.at)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = buffer.len() - buffer.trim_ascii_start().len();
            let next = buffer.get(blank).copied();
            self.at += newlines(&buffer[..blank]);
            self.source.consume(blank);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Takes a value up to its end, of what is too long only the beginning; says whether it has an end. What stands in it, its
    /// reader checks: only strings and brackets matter here.
    fn item(&mut self) -> Result<bool, Stop> {
        let mut scan = Scan::default();
        loop {
            let buffer = filled(&mut self.source, &self.complaints, self.at)?;
            if buffer.is_empty() {
                // A number or a word ends where the input does.
                return Ok(scan.depth == 0 && !scan.in_string);
            }
            let end = scan.end(buffer);
            let taken = end.unwrap_or(buffer.len());
            let part = &buffer[..taken];
            self.at += newlines(part);
            let room = (self.max + 1).saturating_sub(self.line.len()).min(part.len());
            self.line.extend(part[..room].iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
            self.source.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// How far a value is seen.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// It is a number or a word, which ends before the next sign.
    is_bare: bool,
}

impl Scan {
    /// Where in these bytes, the next of it, the value ends.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' if self.is_bare => return Some(at),
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                // A comma where a value is due is read as one, and is none.
                b',' if self.depth == 0 => return Some(at + 1),
                _ => self.is_bare |= self.depth == 0,
            }
        }
        None
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn filled<'a>(
    source: &'a mut BufReader<Plain>,
    complaints: &Complaints,
    line: u64,
) -> Result<&'a [u8], Stop> {
    loop {
        match source.fill_buf() {
            // Asked again below: the borrow would outlive the loop.
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(complaints, line, &error)),
        }
    }
    Ok(source.buffer())
}

fn unreadable(complaints: &Complaints, line: u64, error: &io::Error) -> Stop {
    Stop::Refused(format!(
        "{} cannot be read after line {line}: {error}; start again from a readable copy",
        complaints.input()
    ))
}
