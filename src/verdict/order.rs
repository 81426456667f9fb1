//! The one sort that serves everything that has to be put in order. Each type that is sorted by itself brings a sort of its own
//! into the wasm, some kilobytes each.

/// Brings positions into the order of a key, each group in the order that it had: the sort is stable.
pub(crate) fn arrange(positions: &mut [usize], key: &dyn Fn(usize) -> (u128, u128)) {
    positions.sort_by_key(|&at| key(at));
}

/// Brings items into the order of a key.
pub(crate) fn arranged<T: Clone>(items: &[T], key: &dyn Fn(&T) -> (u128, u128)) -> Vec<T> {
    let mut positions: Vec<usize> = (0..items.len()).collect();
    arrange(&mut positions, &|at| key(&items[at]));
    positions.into_iter().map(|at| items[at].clone()).collect()
}

/// Numbers in their order, each once.
pub(crate) fn ascending(numbers: &[u64]) -> Vec<u64> {
    let mut numbers = arranged(numbers, &|number| (0, u128::from(*number)));
    numbers.dedup();
    numbers
}
