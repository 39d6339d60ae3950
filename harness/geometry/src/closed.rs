//! Closed forms: the sum of squared Euclidean or of cosine distances to a cluster needs no pairs.
//!
//! With `c` the centroid of a cluster of `m` samples and `W` its sum of squared distances to `c`, the squared
//! distances of `x` to the members sum to `m |x - c|^2 + W`. Size, sum and sum of squares say the same in exact
//! arithmetic; this form never subtracts large numbers. Of unit vectors, the cosine distance is half the squared one.

use trailmark_core::Matrix;
use trailmark_core::contract::Points;

use crate::centroids::squared_distance;
use crate::grouping::Grouping;
use crate::ordered::{in_parallel, ordered};
use crate::sums::RowSums;
use crate::widths::per_width;

/// Rows and columns of one product.
const SIDE: usize = 192;

/// Centroids held at once, over all partitions; more partitions are taken in turn.
const CENTRES_AT_ONCE: usize = 4096;

/// A squared distance, or an inertia, below this share of the squared norms it is the difference of is made from
/// differences instead. What is kept is right to about 1e-12.
const SMALL: f64 = 1.0 / 1024.0;

/// Below this a cosine distance is rounding of the unit vectors, and 0.
const COSINE_ROUNDING: f64 = 1e-30;

/// The data in f64.
pub(crate) fn widen(points: Points<'_>) -> Matrix<f64> {
    match points {
        Points::F32(x) => x.cast(),
        Points::F64(x) => x.clone(),
    }
}

/// The data in f64, every row of length 1; the first row of zeros where there is one.
pub(crate) fn unit_rows(points: Points<'_>) -> Result<Matrix<f64>, usize> {
    let mut x = widen(points);
    for row in 0..x.rows() {
        let values = x.row_mut(row);
        // Largest magnitude first, so that squares neither overflow nor vanish.
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        if largest == 0.0 {
            return Err(row);
        }
        values.iter_mut().for_each(|value| *value /= largest);
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        values.iter_mut().for_each(|value| *value /= norm);
    }
    Ok(x)
}

/// The cosine distance of unit vectors at that squared distance.
pub(crate) fn cosine_of_squared(squared: f64) -> f64 {
    let cosine = 0.5 * squared;
    if cosine < COSINE_ROUNDING { 0.0 } else { cosine }
}

/// One partition with its centroids, each kept as its first member plus the mean difference from it: equal members have
/// themselves as centroid to the bit.
struct Part<'a> {
    index: usize,
    grouping: &'a Grouping,
    starts: Vec<usize>,         // (n_groups,) the first member
    shifts: Vec<f64>,           // (n_groups, n_features) mean of the members minus the first
    inertia: Vec<f64>,          // (n_groups,) sum of squared distances of the members to the centroid
    centres: usize,             // the column of the first centroid
    alone: Vec<(usize, usize)>, // (column, row) of the rows that are alone, ascending once columns are given
}

/// What a column of distances leads to.
#[derive(Clone, Copy)]
enum Column {
    Centre { part: usize, group: usize },
    Row(usize),
}

/// Centred rows.
struct Rows {
    x: Matrix<f64>,
    squared: Vec<f64>, // (rows,) squared norms
}

/// Squared distances of a block of rows.
struct Seen {
    squared: Vec<f64>, // (rows, centroids of all partitions)
    nearest: Vec<f64>, // (rows, partitions) to the nearest other row that is alone
}

/// What a thread needs.
#[derive(Default)]
struct Scratch {
    lhs: Vec<f64>,      // (SIDE, n_features)
    products: Vec<f64>, // (SIDE, SIDE)
    line: Vec<f64>,     // (SIDE,)
}

/// Everything that distances are made to, for some of the partitions.
struct Targets<'a> {
    parts: Vec<Part<'a>>,
    columns: Vec<Column>,
    centres: usize,    // how many of the columns, the first, are centroids
    values: Vec<f64>,  // (padded, n_features)
    squared: Vec<f64>, // (padded,) squared norms of `values`
}

/// Visits the sums of `of_squared(squared distance)`, which must be linear but for rounding. Every partition's samples
/// ascend; neither threads nor another partition move a bit.
pub(crate) fn sums(
    x: Matrix<f64>,
    groupings: &[Grouping],
    threads: usize,
    of_squared: impl Fn(f64) -> f64,
    visit: &mut dyn FnMut(RowSums<'_>),
) {
    let rows = Rows::new(x);
    let mut start = 0;
    while start < groupings.len() {
        let mut centres = 0;
        let mut end = start;
        while end < groupings.len() && (end == start || centres + groupings[end].sizes().len() <= CENTRES_AT_ONCE) {
            centres += groupings[end].sizes().len();
            end += 1;
        }
        let parts = in_parallel(end - start, threads, |at| Part::new(start + at, &groupings[start + at], &rows));
        let targets = Targets::new(parts, &rows);
        let blocks = rows.x.rows().div_ceil(SIDE);
        let see = |scratch: &mut Scratch, block| targets.seen_from(&rows, block, scratch);
        ordered(blocks, threads, Scratch::default, see, |block, seen| targets.show(block, &seen, &of_squared, visit));
        start = end;
    }
}

impl Rows {
    /// Takes the mean out, which moves no difference of rows.
    fn new(mut x: Matrix<f64>) -> Self {
        let mut mean = vec![0.0; x.cols()];
        x.iter_rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value));
        mean.iter_mut().for_each(|sum| *sum /= x.rows().max(1) as f64);
        for row in 0..x.rows() {
            x.row_mut(row).iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        let squared = x.iter_rows().map(squared_norm).collect();
        Self { x, squared }
    }
}

impl<'a> Part<'a> {
    fn new(index: usize, grouping: &'a Grouping, rows: &Rows) -> Self {
        let (groups, cols) = (grouping.sizes().len(), rows.x.cols());
        let mut starts = vec![usize::MAX; groups];
        let mut shifts = vec![0.0; groups * cols];
        let mut totals = vec![0.0; groups]; // sums of squared norms
        for (row, values) in rows.x.iter_rows().enumerate() {
            let Some(group) = grouping.group(row) else { continue };
            if starts[group] == usize::MAX {
                starts[group] = row;
            }
            add_difference(&mut shifts[group * cols..(group + 1) * cols], values, rows.x.row(starts[group]));
            totals[group] += rows.squared[row];
        }
        let alone = (0..rows.x.rows()).filter(|&row| grouping.group(row).is_none());
        let alone = alone.map(|row| (usize::MAX, row)).collect();
        let mut part = Self { index, grouping, starts, shifts, inertia: totals, centres: 0, alone };
        part.finish(rows);
        part
    }

    /// Turns sums into means, and sums of squared norms into inertia.
    fn finish(&mut self, rows: &Rows) {
        let cols = rows.x.cols();
        let mut small = vec![false; self.starts.len()];
        for (group, &size) in self.grouping.sizes().iter().enumerate() {
            self.shifts[group * cols..(group + 1) * cols].iter_mut().for_each(|shift| *shift /= size as f64);
            let total = self.inertia[group];
            self.inertia[group] = total - size as f64 * squared_norm(&self.centre(group, rows));
            small[group] = self.inertia[group] <= SMALL * total;
            if small[group] {
                self.inertia[group] = 0.0;
            }
        }
        if small.contains(&true) {
            for row in 0..rows.x.rows() {
                if let Some(group) = self.grouping.group(row).filter(|&group| small[group]) {
                    self.inertia[group] += self.squared_from(row, group, rows);
                }
            }
        }
    }

    /// Rows that are alone whose columns are in that range.
    fn alone_between(&self, first: usize, end: usize) -> &[(usize, usize)] {
        let at = |column| self.alone.partition_point(|&(have, _)| have < column);
        &self.alone[at(first)..at(end)]
    }

    fn shift(&self, group: usize, cols: usize) -> &[f64] {
        &self.shifts[group * cols..(group + 1) * cols]
    }

    fn centre(&self, group: usize, rows: &Rows) -> Vec<f64> {
        let start = rows.x.row(self.starts[group]);
        start.iter().zip(self.shift(group, rows.x.cols())).map(|(start, shift)| start + shift).collect()
    }

    /// Squared distance of a row to a centroid by differences.
    fn squared_from(&self, row: usize, group: usize, rows: &Rows) -> f64 {
        squared_from_centre(rows.x.row(row), rows.x.row(self.starts[group]), self.shift(group, rows.x.cols()))
    }
}

impl<'a> Targets<'a> {
    fn new(mut parts: Vec<Part<'a>>, rows: &Rows) -> Self {
        let cols = rows.x.cols();
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for (at, part) in parts.iter_mut().enumerate() {
            part.centres = columns.len();
            for group in 0..part.starts.len() {
                columns.push(Column::Centre { part: at, group });
                values.extend(part.centre(group, rows));
            }
        }
        let centres = columns.len();
        let mut places = vec![usize::MAX; rows.x.rows()];
        for (column, row) in parts.iter_mut().flat_map(|part| &mut part.alone) {
            if places[*row] == usize::MAX {
                places[*row] = columns.len();
                columns.push(Column::Row(*row));
                values.extend(rows.x.row(*row));
            }
            *column = places[*row];
        }
        parts.iter_mut().for_each(|part| part.alone.sort_unstable());
        let padded = columns.len().next_multiple_of(SIDE);
        values.resize(padded * cols, 0.0);
        let mut squared: Vec<f64> = values.chunks_exact(cols.max(1)).map(squared_norm).collect();
        squared.resize(padded, 0.0);
        Self { parts, columns, centres, values, squared }
    }

    /// What a block of rows sees.
    fn seen_from(&self, rows: &Rows, block: usize, scratch: &mut Scratch) -> Seen {
        let (cols, first) = (rows.x.cols(), block * SIDE);
        let real = SIDE.min(rows.x.rows() - first);
        let Scratch { lhs, products, line } = scratch;
        lhs.clear();
        lhs.extend_from_slice(&rows.x.as_slice()[first * cols..(first + real) * cols]);
        lhs.resize(SIDE * cols, 0.0);
        products.resize(SIDE * SIDE, 0.0);
        line.resize(SIDE, 0.0);
        let mut seen =
            Seen { squared: vec![0.0; real * self.centres], nearest: vec![f64::INFINITY; real * self.parts.len()] };
        for column in (0..self.squared.len()).step_by(SIDE) {
            multiply(lhs, &self.values[column * cols..(column + SIDE) * cols], cols, products);
            let others = &self.squared[column..column + SIDE];
            let centres = column.min(self.centres)..self.centres.min(column + SIDE);
            for (at, products) in products.chunks_exact(SIDE).take(real).enumerate() {
                if finish(rows.squared[first + at], others, products, line) {
                    self.mend(rows, first + at, column, products, line);
                }
                let to = &mut seen.squared[at * self.centres..][centres.clone()];
                to.copy_from_slice(&line[..centres.len()]);
                if self.columns.len() > self.centres {
                    let nearest = &mut seen.nearest[at * self.parts.len()..][..self.parts.len()];
                    for (part, nearest) in self.parts.iter().zip(nearest) {
                        let others = part.alone_between(column, column + SIDE).iter();
                        let others = others.filter(|(_, row)| *row != first + at);
                        *nearest = others.map(|(at, _)| line[at - column]).fold(*nearest, f64::min);
                    }
                }
            }
        }
        seen
    }

    #[cold]
    fn mend(&self, rows: &Rows, row: usize, column: usize, products: &[f64], line: &mut [f64]) {
        let columns = self.columns.iter().zip(&self.squared).skip(column);
        for (((column, other), product), out) in columns.zip(products).zip(line) {
            let norms = rows.squared[row] + other;
            if norms - 2.0 * product <= SMALL * norms {
                *out = match *column {
                    Column::Centre { part, group } => self.parts[part].squared_from(row, group, rows),
                    Column::Row(other) => squared_distance(rows.x.row(row), rows.x.row(other)),
                };
            }
        }
    }

    fn show(&self, block: usize, seen: &Seen, of_squared: &impl Fn(f64) -> f64, visit: &mut dyn FnMut(RowSums<'_>)) {
        let mut row_sums = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            let sizes = part.grouping.sizes();
            for (row, nearest) in seen.nearest.chunks_exact(self.parts.len()).enumerate() {
                let squared = &seen.squared[row * self.centres + part.centres..][..sizes.len()];
                row_sums.clear();
                row_sums.extend(squared.iter().zip(sizes).zip(&part.inertia).map(|((squared, &size), inertia)| {
                    let size = size as f64;
                    size * of_squared(squared + inertia / size)
                }));
                visit(RowSums {
                    partition: part.index,
                    row: block * SIDE + row,
                    sums: &row_sums,
                    nearest_alone: of_squared(nearest[at]),
                });
            }
        }
    }
}

/// (SIDE, SIDE) products of the rows of two blocks of (SIDE, cols).
fn multiply(lhs: &[f64], rhs: &[f64], cols: usize, products: &mut [f64]) {
    assert_eq!(
        (lhs.len(), rhs.len(), products.len()),
        (SIDE * cols, SIDE * cols, SIDE * SIDE),
        "operands fill their shapes"
    );
    let (row, side) = (cols.cast_signed(), SIDE.cast_signed());
    // SAFETY: the shapes were checked just above; `rhs` is read transposed, and `products` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            SIDE,
            SIDE,
            cols,
            products.as_mut_ptr(),
            1,
            side,
            false,
            lhs.as_ptr(),
            1,
            row,
            rhs.as_ptr(),
            row,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Squared length in eight fixed lanes.
fn squared_norm(row: &[f64]) -> f64 {
    let (head, tail) = row.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for values in head {
        lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane += value * value);
    }
    lanes.iter_mut().zip(tail).for_each(|(lane, value)| *lane += value * value);
    lanes.iter().sum()
}

per_width! {
    /// Squared distances of one row to SIDE columns; true when some are too small to be taken from products.
    fn finish(own: f64, others: &[f64], products: &[f64], line: &mut [f64]) -> bool {
        let mut small = 0_u32;
        for ((out, &product), &other) in line.iter_mut().zip(products).zip(others) {
            let norms = own + other;
            *out = norms - 2.0 * product;
            small |= u32::from(*out <= SMALL * norms);
        }
        small != 0
    }
}

per_width! {
    fn add_difference(sums: &mut [f64], row: &[f64], start: &[f64]) {
        sums.iter_mut().zip(row).zip(start).for_each(|((sum, value), start)| *sum += value - start);
    }
}

per_width! {
    /// Squared distance of a row to `start + shift`, in eight fixed lanes.
    fn squared_from_centre(row: &[f64], start: &[f64], shift: &[f64]) -> f64 {
        let mut lanes = [0.0_f64; 8];
        for ((row, start), shift) in row.chunks(8).zip(start.chunks(8)).zip(shift.chunks(8)) {
            for (((lane, value), start), shift) in lanes.iter_mut().zip(row).zip(start).zip(shift) {
                let difference = (value - start) - shift;
                *lane += difference * difference;
            }
        }
        lanes.iter().sum()
    }
}
