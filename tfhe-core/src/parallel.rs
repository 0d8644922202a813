//! Loops over rows and batches, on all threads of the current rayon pool, or on one without the feature `parallel`.

#[cfg(feature = "parallel")]
use rayon::prelude::*;

/// Threads that these loops run on.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    1
}

/// The items that `make` gives for the numbers below `count`, in their order.
pub(crate) fn flat_map<T: Send, I: IntoIterator<Item = T>>(
    count: usize,
    make: impl Fn(usize) -> I + Sync + Send,
) -> Vec<T> {
    #[cfg(feature = "parallel")]
    return (0..count).into_par_iter().flat_map_iter(make).collect();
    #[cfg(not(feature = "parallel"))]
    (0..count).flat_map(make).collect()
}

/// Calls `fill` with the number and the content of each chunk of `len` items.
pub(crate) fn for_each_chunk<T: Send>(
    items: &mut [T],
    len: usize,
    fill: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    #[cfg(feature = "parallel")]
    items.par_chunks_exact_mut(len).enumerate().for_each(|(number, chunk)| fill(number, chunk));
    #[cfg(not(feature = "parallel"))]
    items.chunks_exact_mut(len).enumerate().for_each(|(number, chunk)| fill(number, chunk));
}
