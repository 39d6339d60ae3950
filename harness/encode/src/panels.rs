//! Dense and sparse products for the SVD: matrices in panels of eight columns, in f64.
//!
//! A panel of tens of thousands of rows stays in a core's cache while the sparse matrix streams by. Panels are also what
//! threads share out: each is computed in one fixed order by one thread, so the number of threads moves no bit. Nothing
//! fuses a multiplication with an addition, so neither does the processor.

use std::sync::{Mutex, PoisonError};

use crate::lanes::Level;

/// Columns of a panel.
pub(crate) const PANEL: usize = 8;

/// Eight numbers of a row, or eight columns by eight.
pub(crate) type Row = [f64; PANEL];
pub(crate) type Square = [Row; PANEL];

/// A sparse matrix by rows, (n_rows, n_cols).
#[derive(Debug)]
pub(crate) struct Sparse {
    n_cols: usize,
    starts: Vec<usize>, // (n_rows + 1)
    entries: Vec<(u32, f64)>,
}

impl Sparse {
    /// Without rows.
    pub(crate) fn new(n_cols: usize) -> Self {
        Self { n_cols, starts: vec![0], entries: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<(u32, f64)>) {
        self.entries.extend(row);
        self.starts.push(self.entries.len());
    }

    /// Number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub(crate) fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Bytes of the entries and row bounds, here as in the transpose (but for its number of rows).
    pub(crate) fn bytes(&self) -> u64 {
        (16 * self.entries.len() + 8 * (self.n_rows() + self.n_cols)) as u64
    }

    /// One row.
    #[cfg(test)]
    pub(crate) fn row(&self, at: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[at]..self.starts[at + 1]]
    }

    fn rows(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        self.starts.windows(2).map(|ends| &self.entries[ends[0]..ends[1]])
    }

    /// Columns as rows.
    #[expect(clippy::cast_possible_truncation, reason = "a matrix of fewer than 2^32 samples")]
    pub(crate) fn transposed(&self) -> Self {
        let mut starts = vec![0; self.n_cols + 1];
        for (column, _) in &self.entries {
            starts[*column as usize + 1] += 1;
        }
        for column in 0..self.n_cols {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for (at, row) in self.rows().enumerate() {
            for &(column, value) in row {
                entries[next[column as usize]] = (at as u32, value);
                next[column as usize] += 1;
            }
        }
        Self { n_cols: self.n_rows(), starts, entries }
    }
}

/// Defines a function that is compiled for each level of instructions from one body, which gives the same bits in all.
macro_rules! at_every_level {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $out:ty $body:block) => {
        $(#[$doc])*
        pub(crate) fn $name(level: Level, $($argument: $type),*) -> $out {
            #[inline(always)]
            fn plain($($argument: $type),*) -> $out $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($argument: $type),*) -> $out {
                plain($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2")]
            fn avx512($($argument: $type),*) -> $out {
                plain($($argument),*)
            }

            match level {
                Level::Portable => plain($($argument),*),
                // SAFETY: the level exists only on processors that have the instructions.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}

at_every_level! {
    /// `XᵀX` times a panel of n_cols rows.
    fn normal_product(x: &Sparse, q: &[Row]) -> Vec<Row> {
        let mut product = vec![[0.0; PANEL]; q.len()];
        for row in x.rows() {
            let mut image = [0.0; PANEL];
            for &(column, value) in row {
                let from = &q[column as usize];
                for lane in 0..PANEL {
                    image[lane] += value * from[lane];
                }
            }
            for &(column, value) in row {
                let to = &mut product[column as usize];
                for lane in 0..PANEL {
                    to[lane] += value * image[lane];
                }
            }
        }
        product
    }
}

at_every_level! {
    /// `X` times a panel of n_cols rows.
    fn image(x: &Sparse, q: &[Row]) -> Vec<Row> {
        let mut images = Vec::with_capacity(x.n_rows());
        for row in x.rows() {
            let mut image = [0.0; PANEL];
            for &(column, value) in row {
                let from = &q[column as usize];
                for lane in 0..PANEL {
                    image[lane] += value * from[lane];
                }
            }
            images.push(image);
        }
        images
    }
}

at_every_level! {
    /// The inner products of the columns of two panels.
    fn gram(a: &[Row], b: &[Row]) -> Square {
        let mut sums = [[0.0; PANEL]; PANEL];
        for (a, b) in a.iter().zip(b) {
            for i in 0..PANEL {
                for j in 0..PANEL {
                    sums[i][j] += a[i] * b[j];
                }
            }
        }
        sums
    }
}

at_every_level! {
    /// `to += from * square`.
    fn add_product(to: &mut [Row], from: &[Row], square: &Square) -> () {
        for (to, from) in to.iter_mut().zip(from) {
            let mut sum = *to;
            for i in 0..PANEL {
                for j in 0..PANEL {
                    sum[j] += from[i] * square[i][j];
                }
            }
            *to = sum;
        }
    }
}

at_every_level! {
    /// Makes the columns of a panel orthonormal by modified Gram-Schmidt; one that is no longer than a share of 1e-12 of
    /// its length in `starts` depends on those before and becomes zero.
    fn orthonormalise_within(panel: &mut [Row], starts: &Row) -> () {
        for column in 0..PANEL {
            let mut along = [0.0; PANEL];
            for row in panel.iter() {
                for lane in 0..PANEL {
                    along[lane] += row[column] * row[lane];
                }
            }
            let length = along[column].sqrt();
            let scale = if length > 1e-12 * starts[column] { 1.0 / length } else { 0.0 };
            let mut shares = [0.0; PANEL];
            for lane in column + 1..PANEL {
                shares[lane] = along[lane] * scale;
            }
            for row in panel.iter_mut() {
                let value = row[column] * scale;
                for lane in 0..PANEL {
                    row[lane] -= value * shares[lane];
                }
                row[column] = value;
            }
        }
    }
}

/// Does something with every item, on as many threads as there are, and returns the answers in order.
pub(crate) fn each<T: Send, R: Send>(
    threads: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    if threads <= 1 {
        return items.map(work).collect();
    }
    let queue = Mutex::new(items.enumerate());
    let take = || {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some((at, item)) => done.push((at, work(item))),
                None => return done,
            }
        }
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            // A panic of a thread is a bug of ours and goes on in the caller.
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use trailmark_core::Stream;

    use super::*;

    #[test]
    fn every_level_gives_the_same_bits() {
        let mut draws = Stream::new(8);
        let mut x = Sparse::new(9);
        for _ in 0..30 {
            let all: Vec<(u32, f64)> = (0..9).map(|column| (column, draws.uniform())).collect();
            x.push(all.into_iter().filter(|(_, value)| *value > 0.6).collect());
        }
        let mut draws = Stream::new(9);
        let mut panel = |n: usize| -> Vec<Row> { (0..n).map(|_| std::array::from_fn(|_| draws.normal())).collect() };
        let (q, other) = (panel(9), panel(9));
        let results: Vec<Vec<u64>> = Level::all()
            .into_iter()
            .map(|level| {
                let square = gram(level, &q, &other);
                let (mut sum, mut within) = (q.clone(), q.clone());
                add_product(level, &mut sum, &other, &square);
                orthonormalise_within(level, &mut within, &[1.0; PANEL]);
                let products = [normal_product(level, &x, &q), image(level, &x, &q), square.to_vec(), sum, within];
                products.iter().flatten().flatten().map(|value| value.to_bits()).collect()
            })
            .collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", Level::all());
    }
}
