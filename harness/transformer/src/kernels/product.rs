//! Matrix products on one thread, against factors packed beforehand.
//!
//! The right factor (weights once at load, keys and values per sequence) is stored in panels of [`PANEL`] columns, so
//! that a product never copies it; the left one, tokens row by row, is read in place. Every element of a product is
//! one chain of fused multiply-adds over the inner dimension in ascending order, starting from its bias, on every
//! kind of processor. So a row's bits depend on that row and the packed factor alone: not on the rows beside it, not
//! on their number, not on the width of the vector unit. A general-purpose gemm promises none of that, since it
//! chooses its blocking by the whole shape, and it packs the weights anew for each call.

use super::Width;

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;

/// Rows of a tile: 12 x 32 results stay in 24 vector registers of AVX-512.
pub(crate) const TILE: usize = 12;

/// Values of the left factor that go through all panels together. They are read once per panel and have to come from
/// the second-level cache, of which they leave half to the panels.
const LEFT_VALUES: usize = 1 << 18;

/// Right factors of more bytes do not stay in the cache between two products, and are called in a panel ahead.
const CALLED_BYTES: u64 = 1 << 18;

/// Steps of the inner dimension between two calls.
#[cfg(target_arch = "x86_64")]
const CALL_STEPS: usize = 16;

/// Bytes that one call brings.
#[cfg(target_arch = "x86_64")]
const CACHE_LINE: usize = 64;

/// One step of the inner dimension in a panel.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(128))]
pub(crate) struct Line(pub(crate) [f32; PANEL]);

impl Line {
    pub(crate) const ZERO: Self = Self([0.0; PANEL]);
}

/// A packed right factor, (inner, columns): per panel, one line per step of the inner dimension. Columns past the
/// last one are zeros.
#[derive(Debug, Clone, Default)]
pub(crate) struct Panels {
    lines: Vec<Line>, // (panels, inner)
    inner: usize,
    columns: usize,
}

impl Panels {
    /// Packs `at(inner, column)`.
    pub(crate) fn pack(inner: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let mut panels = Self::default();
        panels.resize(inner, columns);
        for panel in 0..columns.div_ceil(PANEL) {
            let first = panel * PANEL;
            let width = PANEL.min(columns - first);
            for (step, line) in panels.panel_mut(panel).iter_mut().enumerate() {
                line.0[..width].iter_mut().enumerate().for_each(|(column, value)| *value = at(step, first + column));
            }
        }
        panels
    }

    /// Takes another shape, all zeros, without giving memory back.
    pub(crate) fn resize(&mut self, inner: usize, columns: usize) {
        self.lines.clear();
        self.lines.reserve_exact(inner * columns.div_ceil(PANEL));
        self.lines.resize(inner * columns.div_ceil(PANEL), Line::ZERO);
        (self.inner, self.columns) = (inner, columns);
    }

    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn bytes(&self) -> u64 {
        size_of_val(self.lines.as_slice()) as u64
    }

    /// The lines of a panel, (inner,).
    pub(crate) fn panel(&self, panel: usize) -> &[Line] {
        &self.lines[panel * self.inner..(panel + 1) * self.inner]
    }

    /// The lines of a panel, (inner,).
    pub(crate) fn panel_mut(&mut self, panel: usize) -> &mut [Line] {
        &mut self.lines[panel * self.inner..(panel + 1) * self.inner]
    }
}

/// A left factor inside a slice: rows at a fixed distance, values of a row side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) stride: usize,
}

/// `out[row][column] = start[column] + sum(a[row][..inner] * b[..inner][column])` for `rows` rows and the columns of
/// the panels up to `columns`; `inner` may stop short of the packed one. `start` has one line per panel, none is zero.
#[expect(clippy::too_many_arguments, reason = "the three matrices of a product and their extents")]
pub(crate) fn multiply(
    width: Width,
    rows: usize,
    inner: usize,
    columns: usize,
    a: Rows<'_>,
    b: &Panels,
    start: &[Line],
    out: &mut [f32],
    out_stride: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(inner <= b.inner && columns <= b.columns && columns <= out_stride, "a product fits its packed factor");
    assert!((rows - 1) * a.stride + inner <= a.data.len(), "the left factor is inside its slice");
    assert!((rows - 1) * out_stride + columns <= out.len(), "the result is inside its slice");
    assert!(start.is_empty() || start.len() * PANEL >= columns, "there is a start for every column");
    let called = b.bytes() > CALLED_BYTES;
    let groups = (rows * inner).div_ceil(LEFT_VALUES).max(1);
    let group = rows.div_ceil(groups).next_multiple_of(TILE);
    let panels = columns.div_ceil(PANEL);
    let mut spill = [Line::ZERO; TILE];
    for first_row in (0..rows).step_by(group) {
        let last_row = rows.min(first_row + group);
        for panel in 0..panels {
            let first = panel * PANEL;
            let tail = columns - first;
            let lines = &b.panel(panel)[..inner];
            let start = start.get(panel).unwrap_or(&Line::ZERO);
            let mut ahead = match panel + 1 {
                _ if !called => Ahead::NONE,
                next if next < panels => Ahead::new(&b.panel(next)[..inner], last_row - first_row),
                _ if last_row < rows => Ahead::new(&b.panel(0)[..inner], last_row - first_row),
                _ => Ahead::NONE,
            };
            for row in (first_row..last_row).step_by(TILE) {
                let height = TILE.min(last_row - row);
                let from = a.data[row * a.stride..].as_ptr();
                if tail >= PANEL {
                    let to = out[row * out_stride + first..].as_mut_ptr();
                    // SAFETY: by the assertions above, `height` rows of `inner` values start at `from` and `height`
                    // rows of PANEL values at `to`, each at its stride; `out` is borrowed mutably and so overlaps
                    // neither.
                    unsafe { tile(width, height, from, a.stride, lines, start, to, out_stride, ahead) };
                } else {
                    let to = spill.as_mut_ptr().cast();
                    // SAFETY: as above for `from`; `spill` holds TILE rows of PANEL values side by side.
                    unsafe { tile(width, height, from, a.stride, lines, start, to, PANEL, ahead) };
                    for (at, line) in spill[..height].iter().enumerate() {
                        let to = (row + at) * out_stride + first;
                        out[to..to + tail].copy_from_slice(&line.0[..tail]);
                    }
                }
                ahead.advance(inner);
            }
        }
    }
}

/// What a tile calls into the cache while it computes: a share of the panel that comes next. Without it the first tile
/// of every panel waits for memory, which costs a tenth to a fifth of the time at the sizes of MiniLM and GPT-2.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    #[cfg(target_arch = "x86_64")]
    from: *const u8,
    #[cfg(target_arch = "x86_64")]
    lines_per_call: usize,
}

#[cfg(target_arch = "x86_64")]
impl Ahead {
    const NONE: Self = Self { from: std::ptr::null(), lines_per_call: 0 };

    /// Spreads the lines of a panel over the tiles of `rows` rows.
    fn new(panel: &[Line], rows: usize) -> Self {
        let calls = rows.div_ceil(TILE) * panel.len().div_ceil(CALL_STEPS);
        let lines_per_call = size_of_val(panel).div_ceil(CACHE_LINE).div_ceil(calls.max(1));
        Self { from: panel.as_ptr().cast(), lines_per_call }
    }

    /// The share of the next tile.
    fn advance(&mut self, steps: usize) {
        self.from = self.from.wrapping_add(steps.div_ceil(CALL_STEPS) * self.lines_per_call * CACHE_LINE);
    }

    /// Brings the next lines into the second-level cache. An address past the panel is no fault, only of no use.
    #[inline(always)]
    fn call(&mut self) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        for _ in 0..self.lines_per_call {
            // SAFETY: every x86-64 processor has the instruction, and it may name any address.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(self.from.cast()) };
            self.from = self.from.wrapping_add(CACHE_LINE);
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Ahead {
    const NONE: Self = Self {};

    fn new(_panel: &[Line], _rows: usize) -> Self {
        Self::NONE
    }

    fn advance(&mut self, _steps: usize) {}
}

/// Calls a kernel with its number of rows as a constant, so that its sums stay in registers.
macro_rules! with_rows {
    ($rows:expr, $kernel:ident, $($argument:expr),+) => {
        match $rows {
            1 => $kernel::<1>($($argument),+),
            2 => $kernel::<2>($($argument),+),
            3 => $kernel::<3>($($argument),+),
            4 => $kernel::<4>($($argument),+),
            5 => $kernel::<5>($($argument),+),
            6 => $kernel::<6>($($argument),+),
            7 => $kernel::<7>($($argument),+),
            8 => $kernel::<8>($($argument),+),
            9 => $kernel::<9>($($argument),+),
            10 => $kernel::<10>($($argument),+),
            11 => $kernel::<11>($($argument),+),
            _ => $kernel::<12>($($argument),+),
        }
    };
}

/// One tile of a product, `rows <= TILE` by PANEL.
///
/// # Safety
/// `rows` rows of `b.len()` values start at `a`, `a_stride` apart, and `rows` rows of PANEL values at `out`,
/// `out_stride` apart. The processor has what `width` stands for.
#[expect(clippy::too_many_arguments, reason = "the three matrices of a product and their extents")]
#[inline]
unsafe fn tile(
    width: Width,
    rows: usize,
    a: *const f32,
    a_stride: usize,
    b: &[Line],
    start: &Line,
    out: *mut f32,
    out_stride: usize,
    ahead: Ahead,
) {
    // SAFETY: the caller's promise is each kernel's.
    unsafe {
        match width {
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => with_rows!(rows, tile_avx512, a, a_stride, b, start, out, out_stride, ahead),
            #[cfg(target_arch = "x86_64")]
            Width::Avx2 => {
                // 16 registers hold 6 rows of half a panel.
                for row in (0..rows).step_by(6) {
                    let (a, out) = (a.add(row * a_stride), out.add(row * out_stride));
                    for half in [0, PANEL / 2] {
                        let ahead = if row + half == 0 { ahead } else { Ahead::NONE };
                        match rows - row {
                            1 => tile_avx2::<1>(a, a_stride, b, start, half, out, out_stride, ahead),
                            2 => tile_avx2::<2>(a, a_stride, b, start, half, out, out_stride, ahead),
                            3 => tile_avx2::<3>(a, a_stride, b, start, half, out, out_stride, ahead),
                            4 => tile_avx2::<4>(a, a_stride, b, start, half, out, out_stride, ahead),
                            5 => tile_avx2::<5>(a, a_stride, b, start, half, out, out_stride, ahead),
                            _ => tile_avx2::<6>(a, a_stride, b, start, half, out, out_stride, ahead),
                        }
                    }
                }
            }
            Width::Portable => tile_portable(rows, a, a_stride, b, start, out, out_stride),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn tile_avx512<const ROWS: usize>(
    a: *const f32,
    a_stride: usize,
    b: &[Line],
    start: &Line,
    out: *mut f32,
    out_stride: usize,
    mut ahead: Ahead,
) {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_load_ps, _mm512_set1_ps, _mm512_storeu_ps};
    // SAFETY: lines are aligned to 128 bytes; rows are where the caller says.
    unsafe {
        let load = |line: &Line| (_mm512_load_ps(line.0.as_ptr()), _mm512_load_ps(line.0.as_ptr().add(16)));
        let (left, right) = load(start);
        let mut sums = [(left, right); ROWS];
        let mut a = a;
        for lines in b.chunks(CALL_STEPS) {
            ahead.call();
            for line in lines {
                let (left, right) = load(line);
                for (row, sum) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_ps(*a.add(row * a_stride));
                    *sum = (_mm512_fmadd_ps(x, left, sum.0), _mm512_fmadd_ps(x, right, sum.1));
                }
                a = a.add(1);
            }
        }
        for (row, sum) in sums.iter().enumerate() {
            _mm512_storeu_ps(out.add(row * out_stride), sum.0);
            _mm512_storeu_ps(out.add(row * out_stride + 16), sum.1);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[expect(clippy::too_many_arguments, reason = "the three matrices of a product and their extents")]
unsafe fn tile_avx2<const ROWS: usize>(
    a: *const f32,
    a_stride: usize,
    b: &[Line],
    start: &Line,
    half: usize,
    out: *mut f32,
    out_stride: usize,
    mut ahead: Ahead,
) {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_load_ps, _mm256_set1_ps, _mm256_storeu_ps};
    // SAFETY: lines are aligned to 128 bytes and `half` is 0 or 16; rows are where the caller says.
    unsafe {
        let load = |line: &Line| {
            let from = line.0.as_ptr().add(half);
            (_mm256_load_ps(from), _mm256_load_ps(from.add(8)))
        };
        let (left, right) = load(start);
        let mut sums = [(left, right); ROWS];
        let mut a = a;
        for lines in b.chunks(CALL_STEPS) {
            ahead.call();
            for line in lines {
                let (left, right) = load(line);
                for (row, sum) in sums.iter_mut().enumerate() {
                    let x = _mm256_set1_ps(*a.add(row * a_stride));
                    *sum = (_mm256_fmadd_ps(x, left, sum.0), _mm256_fmadd_ps(x, right, sum.1));
                }
                a = a.add(1);
            }
        }
        for (row, sum) in sums.iter().enumerate() {
            _mm256_storeu_ps(out.add(row * out_stride + half), sum.0);
            _mm256_storeu_ps(out.add(row * out_stride + half + 8), sum.1);
        }
    }
}

/// For other processors; `mul_add` rounds once, as the vector instructions do.
unsafe fn tile_portable(
    rows: usize,
    a: *const f32,
    a_stride: usize,
    b: &[Line],
    start: &Line,
    out: *mut f32,
    out_stride: usize,
) {
    for row in 0..rows {
        // SAFETY: rows are where the caller says.
        let (x, to) = unsafe {
            let x = std::slice::from_raw_parts(a.add(row * a_stride), b.len());
            (x, std::slice::from_raw_parts_mut(out.add(row * out_stride), PANEL))
        };
        let mut sums = start.0;
        for (&x, line) in x.iter().zip(b) {
            sums.iter_mut().zip(&line.0).for_each(|(sum, &b)| *sum = x.mul_add(b, *sum));
        }
        to.copy_from_slice(&sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(at: usize) -> f32 {
        ((at * 2_654_435_761) % 1_000_003) as f32 / 500_000.0 - 1.0
    }

    fn product(width: Width, rows: usize, inner: usize, columns: usize) -> Vec<f32> {
        let a: Vec<f32> = (0..rows * inner).map(value).collect();
        let b = Panels::pack(inner, columns, |step, column| value(7 + step * columns + column));
        let start: Vec<Line> = (0..columns.div_ceil(PANEL)).map(|p| Line([p as f32 + 0.5; PANEL])).collect();
        let mut out = vec![f32::NAN; rows * columns];
        multiply(width, rows, inner, columns, Rows { data: &a, stride: inner }, &b, &start, &mut out, columns);
        out
    }

    #[test]
    fn products_of_every_tail_agree_with_double_precision_and_between_vector_widths_to_the_bit() {
        for rows in [1, 2, 5, 6, 7, 11, 12, 13, 25] {
            for (inner, columns) in [(1, 1), (7, 8), (32, 31), (33, 32), (64, 33), (100, 96)] {
                let portable = product(Width::Portable, rows, inner, columns);
                for (at, &actual) in portable.iter().enumerate() {
                    let (row, column) = (at / columns, at % columns);
                    let mut expected = (column / PANEL) as f64 + 0.5;
                    for step in 0..inner {
                        let (a, b) = (value(row * inner + step), value(7 + step * columns + column));
                        expected += f64::from(a) * f64::from(b);
                    }
                    assert!((f64::from(actual) - expected).abs() < 1e-5, "{rows}x{inner}x{columns} at {at}");
                }
                for width in Width::available() {
                    assert_eq!(product(width, rows, inner, columns), portable, "{width:?} {rows}x{inner}x{columns}");
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_whatever_stands_beside_it() {
        let many = product(Width::detect(), 40, 96, 64);
        for rows in 1..40 {
            assert_eq!(product(Width::detect(), rows, 96, 64), many[..rows * 64], "{rows} rows");
        }
    }
}
