//! Which vector unit to use. Loops are written once and compiled for each; all make the same roundings in the same
//! order, so that a fit does not depend on the machine.

/// The vector unit to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// 8 values at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 4 values at a time, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the target has without asking.
    Portable,
}

impl Width {
    /// The widest that this processor has.
    pub(crate) fn detect() -> Self {
        Self::available()[0]
    }

    /// All that this processor has, widest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut widths = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq");
            if avx2 && avx512 {
                widths.push(Self::Avx512);
            }
            if avx2 {
                widths.push(Self::Avx2);
            }
        }
        widths.push(Self::Portable);
        widths
    }
}

/// Defines a function of a [`Width`] whose body is compiled once per vector unit. Loops over fixed lanes in it become
/// vector instructions; nothing else may differ between the copies.
macro_rules! per_width {
    ($(#[$attribute:meta])* $vis:vis fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block) => {
        $(#[$attribute])*
        $vis fn $name(width: $crate::mixture::width::Width, $($argument: $kind),*) {
            #[inline(always)]
            fn body($($argument: $kind),*) $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
            fn avx512($($argument: $kind),*) {
                body($($argument),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $kind),*) {
                body($($argument),*);
            }
            match width {
                // SAFETY: a Width comes from `Width::available`, which asks the processor for these features.
                #[cfg(target_arch = "x86_64")]
                $crate::mixture::width::Width::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::mixture::width::Width::Avx2 => unsafe { avx2($($argument),*) },
                $crate::mixture::width::Width::Portable => body($($argument),*),
            }
        }
    };
}
pub(crate) use per_width;
