//! Memory that may not be there. An allocation of the standard library that fails ends the process; so what is large asks here
//! first, and gets an error.

use std::hint::black_box;

use bytemuck::Zeroable;

use crate::error::{Error, Result};

/// Bytes that are to be left beside what is large: for what the threads need while they fill it, and for what is said of it.
const ROOM: usize = 32 << 20;

/// So many items of zero bytes.
///
/// # Errors
/// [`Error::Memory`] where there is no memory for them, or for little else.
pub(crate) fn zeroed<T: Zeroable>(len: usize) -> Result<Vec<T>> {
    let bytes = len.saturating_mul(size_of::<T>());
    let items = bytemuck::allocation::try_zeroed_vec(len).map_err(|()| Error::Memory { bytes })?;
    check(0).map_err(|_| Error::Memory { bytes })?;
    Ok(items)
}

/// Refuses work that will need so many bytes where they are not there now.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn check(bytes: usize) -> Result<()> {
    let mut trial: Vec<u8> = Vec::new();
    let tried = trial.try_reserve_exact(bytes.saturating_add(ROOM));
    // A compiler may leave out what nobody looks at.
    black_box(&trial);
    tried.map_err(|_| Error::Memory { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_an_error() {
        const BYTES: usize = isize::MAX as usize - ROOM;
        assert!(matches!(check(BYTES), Err(Error::Memory { bytes: BYTES })));
        assert!(matches!(zeroed::<u64>(1 << 59), Err(Error::Memory { bytes: 0x4000_0000_0000_0000 })));
        assert!(matches!(zeroed::<u64>(usize::MAX), Err(Error::Memory { bytes: usize::MAX })));
        check(1).unwrap();
        assert_eq!(zeroed::<u64>(3).unwrap(), [0; 3]);
    }
}
