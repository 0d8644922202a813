//! The memory that a reader takes, counted by the allocator.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// One mebibyte.
pub const MIB: usize = 1 << 20;

/// What a reader of a cloud key asks for beside the key and gives back at once, untouched, to know that memory is left
/// (`memory.rs` of `tfhe_core`).
pub const ROOM: usize = 32 * MIB;

/// Runs `read` and checks that it never held more than `bound` bytes beyond what was held before, results and temporaries
/// together. Nothing else may run meanwhile: the count is the process's.
///
/// # Panics
/// If it held more.
pub fn bounded<T>(bound: usize, read: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = read();
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(taken <= bound, "{taken} bytes of memory, where {bound} is the bound");
    result
}
