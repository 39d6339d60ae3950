//! Functions compiled once per vector unit, chosen at run time. Every copy does the same roundings in the same order,
//! so results do not depend on the processor.

/// The vector unit to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// 64 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 32 bytes at a time, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the target has without asking.
    Portable,
}

impl Width {
    /// The widest that this processor has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() {
                return Self::Avx512;
            }
            if has_avx2() {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// All that this processor has, widest first.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Self> {
        let mut widths = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() {
                widths.push(Self::Avx512);
            }
            if has_avx2() {
                widths.push(Self::Avx2);
            }
        }
        widths.push(Self::Portable);
        widths
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
}

/// Defines a function of a [`Width`] whose body is compiled once per vector unit. Generic parameters, where there are
/// any, stand in brackets before the name: `[T: Element]`.
macro_rules! per_width {
    (
        $(#[$attribute:meta])*
        $vis:vis fn [$($generic:ident: $bound:path),*] $name:ident($($argument:ident: $kind:ty),* $(,)?)
            $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $vis fn $name<$($generic: $bound),*>(width: $crate::width::Width, $($argument: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn body<$($generic: $bound),*>($($argument: $kind),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
            fn avx512<$($generic: $bound),*>($($argument: $kind),*) $(-> $result)? {
                body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$($generic: $bound),*>($($argument: $kind),*) $(-> $result)? {
                body($($argument),*)
            }
            match width {
                // SAFETY: a Width is made by `Width::detect` or `available`, which ask the processor.
                #[cfg(target_arch = "x86_64")]
                $crate::width::Width::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::width::Width::Avx2 => unsafe { avx2($($argument),*) },
                $crate::width::Width::Portable => body($($argument),*),
            }
        }
    };
}
pub(crate) use per_width;
