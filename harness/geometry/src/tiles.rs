//! What a tile of distances is: fixed blocks of rows against fixed blocks of rows, in one of three ways of computing.

use std::borrow::Cow;

use trailmark_core::Matrix;
use trailmark_core::contract::{Distance, Points};

use crate::closed::{unit_rows, widen};
use crate::differences::DifferenceTiles;
use crate::error::GeometryError;
use crate::products::ProductTiles;

/// Rows of a tile. Like TARGETS a multiple of what the kernels of the product take at a time (6 by 64), and so large
/// that copying the operands costs little beside multiplying them, while all of it stays in the second-level cache.
/// More rows than columns, because sums per group are kept for the columns. A multiple of `TARGETS`.
pub(crate) const SOURCES: usize = 384;
/// Columns of a tile.
pub(crate) const TARGETS: usize = 192;

/// Up to this many features differences cost no more than a product, and are exact: points on a lattice keep their
/// ties, which linkage and neighbours order by.
const NARROW: usize = 16;

/// A distance in the precision of the points it was made from: f32 or f64.
pub trait Value: Copy + PartialOrd + Send + Sync + std::fmt::Debug + 'static {
    /// Farther than anything.
    const INFINITY: Self;

    /// The value of this type nearest to a number.
    fn of(value: f64) -> Self;

    /// Exactly the same number.
    fn to_f64(self) -> f64;
}

impl Value for f32 {
    const INFINITY: Self = f32::INFINITY;

    #[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is what it is for")]
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Value for f64 {
    const INFINITY: Self = f64::INFINITY;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// What a thread needs for filling tiles. Belongs to one `Tiles`.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) products: Vec<f32>,    // (SOURCES, TARGETS)
    pub(crate) targets: Vec<f64>,     // (cols, TARGETS), a target block transposed
    pub(crate) loaded: Option<usize>, // the target block that `targets` holds
    pub(crate) squared: Vec<f64>,     // (SOURCES, TARGETS)
}

/// Fills tiles of distances.
pub(crate) trait Tiles: Sync {
    /// Precision of the distances.
    type Value: Value;

    /// Number of source rows.
    fn sources(&self) -> usize;

    /// Number of target rows.
    fn targets(&self) -> usize;

    /// Writes the distances between source rows `source..` and target rows `target..`, (SOURCES, TARGETS) row-major.
    /// Entries beyond the last row have no meaning. A pair of rows has the same bits in either order and in every tile.
    fn fill(&self, scratch: &mut Scratch, source: usize, target: usize, tile: &mut [Self::Value]);
}

/// The way of computing that suits the points.
pub(crate) enum Prepared<'a> {
    /// f32 points of many features: products of centred blocks.
    Products(ProductTiles<'a>),
    /// f32 points of few features: differences, rounded to f32.
    Narrow(DifferenceTiles<'a, f32>),
    /// f64 points: differences.
    Exact(DifferenceTiles<'a, f64>),
}

impl<'a> Prepared<'a> {
    /// All rows against all rows.
    pub(crate) fn square(points: Points<'a>, distance: Distance) -> Result<Self, GeometryError> {
        Self::new(None, points, distance)
    }

    /// Rows of `sources` against rows of `targets`, which have the same number of columns.
    pub(crate) fn between(sources: Points<'a>, targets: Points<'a>, distance: Distance) -> Result<Self, GeometryError> {
        Self::new(Some(sources), targets, distance)
    }

    fn new(sources: Option<Points<'a>>, targets: Points<'a>, distance: Distance) -> Result<Self, GeometryError> {
        match (sources, targets) {
            (None, Points::F32(x)) if x.cols() > NARROW => Ok(Self::Products(ProductTiles::new(None, x, distance)?)),
            (Some(Points::F32(sources)), Points::F32(x)) if x.cols() > NARROW => {
                Ok(Self::Products(ProductTiles::new(Some(sources), x, distance)?))
            }
            (None | Some(Points::F32(_)), Points::F32(_)) => {
                let sources = sources.map(|points| exact(points, distance)).transpose()?;
                Ok(Self::Narrow(DifferenceTiles::new(sources, exact(targets, distance)?, distance)))
            }
            (sources, targets) => {
                let sources = sources.map(|points| exact(points, distance)).transpose()?;
                Ok(Self::Exact(DifferenceTiles::new(sources, exact(targets, distance)?, distance)))
            }
        }
    }
}

/// The rows in f64; of length 1 under cosine distance.
fn exact(points: Points<'_>, distance: Distance) -> Result<Cow<'_, Matrix<f64>>, GeometryError> {
    match (distance, points) {
        (Distance::Cosine, points) => {
            unit_rows(points).map(Cow::Owned).map_err(|row| GeometryError::ZeroVector { row })
        }
        (_, Points::F64(x)) => Ok(Cow::Borrowed(x)),
        (_, points) => Ok(Cow::Owned(widen(points))),
    }
}
