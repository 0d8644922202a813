//! Sums of rows of 32-bit words times small integers, which a key switch without a ring consists of.

use super::choice::Backend;

/// Rows that one pass over the outputs takes: 1 load and 1 store of an output word for so many products.
pub(crate) const ROWS_A_PASS: usize = 4;

/// output += sum_r digits[r] rows[r], for up to [`ROWS_A_PASS`] rows of the output's length, one after another.
#[allow(unsafe_code)] // docs/unsafe.md
pub(crate) fn add_rows(backend: Backend, output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    match backend {
        Backend::Portable => add_rows_portable(output, rows, digits),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => {
            // SAFETY: a backend is in use only after `Backend::checked`.
            unsafe { add_rows_avx2(output, rows, digits) }
        }
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 => {
            // SAFETY: as above.
            unsafe { add_rows_avx512(output, rows, digits) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Backend::Avx2 | Backend::Avx512 => add_rows_portable(output, rows, digits),
    }
}

/// Compiled once for each instruction set: the loop is what a compiler vectorises well.
#[inline(always)]
fn add_rows_portable(output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    let len = output.len();
    if rows.len() == ROWS_A_PASS * len {
        let (first, rest) = rows.split_at(len);
        let (second, rest) = rest.split_at(len);
        let (third, fourth) = rest.split_at(len);
        for j in 0..len {
            let sum = (first[j].wrapping_mul(digits[0])).wrapping_add(second[j].wrapping_mul(digits[1]));
            let more = (third[j].wrapping_mul(digits[2])).wrapping_add(fourth[j].wrapping_mul(digits[3]));
            output[j] = output[j].wrapping_add(sum.wrapping_add(more));
        }
    } else {
        for (row, digit) in rows.chunks_exact(len).zip(digits) {
            output.iter_mut().zip(row).for_each(|(x, &y)| *x = x.wrapping_add(y.wrapping_mul(digit)));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_rows_avx2(output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    add_rows_portable(output, rows, digits);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn add_rows_avx512(output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    add_rows_portable(output, rows, digits);
}
