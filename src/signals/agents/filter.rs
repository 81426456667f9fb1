//! Which bit of a table's filter a word sets: the build script sets it, the Worker asks for it.

/// One of 256 bits by the word's first, second and last letter, the same for both cases; `None` for no word.
pub(crate) fn filter_bit(word: &[u8]) -> Option<usize> {
    let lower = |byte: &u8| usize::from(byte | 0x20);
    let (first, last) = (lower(word.first()?), lower(word.last()?));
    let second = word.get(1).map_or(0, lower);
    Some((first * 5 + second * 23 + last * 71) % 256)
}
