//! Loops compiled for several vector units, the widest chosen at run time. Only elementwise arithmetic and whole-number
//! sums go through here, so that the choice moves no bit.

/// Defines a function whose body is compiled once per vector unit. Nothing in it may depend on the order of additions of
/// floating point numbers within a vector.
macro_rules! per_width {
    (
        $(#[$attribute:meta])*
        $vis:vis fn $name:ident $(<$V:ident: $bound:path>)? ($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        #[inline]
        $vis fn $name $(<$V: $bound>)? ($($argument: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn body $(<$V: $bound>)? ($($argument: $kind),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2")]
                fn avx512 $(<$V: $bound>)? ($($argument: $kind),*) $(-> $result)? {
                    body($($argument),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2 $(<$V: $bound>)? ($($argument: $kind),*) $(-> $result)? {
                    body($($argument),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx2")
                {
                    // SAFETY: the processor was just asked for these features.
                    return unsafe { avx512($($argument),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: as above.
                    return unsafe { avx2($($argument),*) };
                }
            }
            body($($argument),*)
        }
    };
}
pub(crate) use per_width;
