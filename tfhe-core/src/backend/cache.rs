//! The size of the second-level cache, which decides how large a batch is.

/// Bytes taken for the second-level cache where the CPU does not tell.
const USUAL_BYTES: usize = 1 << 20;

/// Bytes of one core's second-level cache.
pub(crate) fn second_level_bytes() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        let caches = raw_cpuid::CpuId::new().get_cache_parameters();
        let second = caches.into_iter().flatten().find(|cache| cache.level() == 2);
        if let Some(cache) = second {
            return cache.associativity()
                * cache.physical_line_partitions()
                * cache.coherency_line_size()
                * cache.sets();
        }
    }
    USUAL_BYTES
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_cache_has_a_plausible_size() {
        let bytes = super::second_level_bytes();
        assert!((64 << 10..=64 << 20).contains(&bytes), "{bytes} bytes");
    }
}
