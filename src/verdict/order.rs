//! The one sort that serves all groupings of clicks.

/// Brings positions into the order of a key, each group in the order of time: the sort is stable. There is one for all
/// keys, because each would be some kilobytes of wasm.
pub(crate) fn arrange(positions: &mut [usize], key: &dyn Fn(usize) -> (u128, u128)) {
    positions.sort_by_key(|&at| key(at));
}
