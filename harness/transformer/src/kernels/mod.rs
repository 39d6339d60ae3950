//! The arithmetic of transformer layers on packed tokens, one thread each: products, functions of rows, attention.
//!
//! Each kernel is written once and compiled for AVX-512, for AVX2 with FMA, and plainly; the processor decides at run
//! time. All three do the same roundings in the same order, so that vectors do not depend on the machine.

pub(crate) mod attention;
pub(crate) mod product;
pub(crate) mod rows;

use product::{Line, PANEL, Panels, Rows, multiply};

/// The vector unit to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// 16 values at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 8 values at a time, with fused multiply-add.
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
                && is_x86_feature_detected!("avx512bw")
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
        $vis fn $name(width: $crate::kernels::Width, $($argument: $kind),*) {
            #[inline(always)]
            fn body($($argument: $kind),*) $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
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
                $crate::kernels::Width::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::Width::Avx2 => unsafe { avx2($($argument),*) },
                $crate::kernels::Width::Portable => body($($argument),*),
            }
        }
    };
}
pub(crate) use per_width;

/// `x W + b`, packed.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Panels,  // (inputs, outputs)
    bias: Vec<Line>, // one line per panel, or none
}

impl Linear {
    /// From a weight (outputs, inputs), as torch's `Linear` keeps it, and a bias (outputs,) that may be empty.
    pub(crate) fn new(outputs: usize, inputs: usize, weight: &[f32], bias: &[f32]) -> Self {
        Self { weight: Panels::pack(inputs, outputs, |i, o| weight[o * inputs + i]), bias: lines(bias) }
    }

    /// From a weight (inputs, outputs), as GPT-2's `Conv1D` keeps it.
    pub(crate) fn from_conv1d(outputs: usize, inputs: usize, weight: &[f32], bias: &[f32]) -> Self {
        Self { weight: Panels::pack(inputs, outputs, |i, o| weight[i * outputs + o]), bias: lines(bias) }
    }

    /// Outputs per row.
    pub(crate) fn outputs(&self) -> usize {
        self.weight.columns()
    }

    /// Bytes of its weights.
    pub(crate) fn bytes(&self) -> u64 {
        self.weight.bytes()
    }

    /// `x`: (rows, inputs). Writes (rows, outputs).
    pub(crate) fn apply(&self, width: Width, x: &[f32], out: &mut [f32]) {
        let (inputs, outputs) = (self.weight.inner(), self.weight.columns());
        let rows = x.len() / inputs;
        let x = Rows { data: x, stride: inputs };
        multiply(width, rows, inputs, outputs, x, &self.weight, &self.bias, out, outputs);
    }
}

fn lines(values: &[f32]) -> Vec<Line> {
    let pad = |chunk: &[f32]| {
        let mut line = Line::ZERO;
        line.0[..chunk.len()].copy_from_slice(chunk);
        line
    };
    values.chunks(PANEL).map(pad).collect()
}
