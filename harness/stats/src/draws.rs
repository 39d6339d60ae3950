//! Unbiased indices from raw bits.

/// Uniform in 0..n without bias (Lemire's rejection), as the workspace's own stream draws it.
pub(crate) fn below(n: usize, next: &mut dyn FnMut() -> u64) -> usize {
    let n = n as u64;
    let threshold = n.wrapping_neg() % n;
    loop {
        let wide = u128::from(next()) * u128::from(n);
        if wide as u64 >= threshold {
            return (wide >> 64) as usize;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    /// SplitMix64: short enough to be written again in the script that makes the oracle tables.
    pub(crate) fn splitmix(mut state: u64) -> impl FnMut() -> u64 {
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    #[test]
    fn indices_are_uniform() {
        let mut next = splitmix(1);
        let mut counts = [0_u32; 5];
        for _ in 0..50_000 {
            counts[super::below(5, &mut next)] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    }
}
