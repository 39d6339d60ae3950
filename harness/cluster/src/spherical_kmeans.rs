//! Spherical k-means: directions instead of places. Rows and centres have length 1, and a row goes to the centre of the
//! greatest cosine.
//!
//! On the unit sphere the greatest cosine is the least distance, so this is Lloyd's iteration of `kmeans` with centres
//! stretched to length 1. Nothing is centred: an offset common to all rows is part of their direction.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, Labels, Matrix, ParamKind, ParamSpec, Params, Space, Spec};

use crate::centred::Centred;
use crate::centroids::{assign_rows, close_up, inertia_of, means};
use crate::element::Element;
use crate::input::check_rows;
use crate::kernel::squared_length;
use crate::kmeans::{Best, Starts, check, fit_points, init_of};
use crate::lloyd::Stop;
use crate::packed::Packed;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "spherical_kmeans",
    summary: "k-means on directions: least sum of 1 - cosine; new users go to the centroid of the greatest cosine",
    reference: "Dhillon and Modha 2001, Machine Learning 42; Hornik, Feinerer, Kober and Buchta 2012, J. Stat. Softw. 50 \
                (R package skmeans)",
    revision: 1,
    cost: Cost {
        time: "n_init * iterations * n_samples * n_clusters * n_features at most",
        memory: "n_samples * (12 * n_features + 512)",
    },
    params: &[
        ParamSpec {
            name: "n_init",
            summary: "number of starts, the one of the least sum of 1 - cosine is kept",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(10),
        },
        ParamSpec {
            name: "max_iter",
            summary: "iterations of one start at most; not converging is a warning",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(300),
        },
        ParamSpec {
            name: "tol",
            summary: "stop when the sum of squared moves of the centres is less than this; 0 waits until no user moves",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamSpec {
            name: "init",
            summary: "first centres: greedy k-means++ on the sphere, or rows drawn uniformly",
            kind: ParamKind::Choice(&["k-means++", "random"]),
            default: ParamDefault::Text("k-means++"),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(SphericalKMeans {
        starts: Starts {
            what: SPEC.name,
            n_init: params.size("n_init"),
            init: init_of(params.text("init")),
            nested: false,
        },
        max_iter: params.size("max_iter"),
        tol: params.number("tol"),
    }))
}

struct SphericalKMeans {
    starts: Starts,
    max_iter: usize,
    tol: f64,
}

impl Clusterer for SphericalKMeans {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        match space.points {
            Points::F32(x) => self.sweep(x, points, ctx),
            Points::F64(x) => self.sweep(x, points, ctx),
        }
    }
}

impl SphericalKMeans {
    fn sweep<T: Element>(
        &self,
        x: &Matrix<T>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>>
    where
        for<'a> Points<'a>: From<&'a Matrix<T>>,
    {
        let directions = match check(SPEC.name, x, ctx).and_then(|()| directions(x)) {
            Ok(directions) => directions,
            Err(failure) => return points.iter().map(|_| Err(failure.clone())).collect(),
        };
        fit_points(x.rows(), points, |asked| {
            let data = Centred::around(&directions, vec![0.0; x.cols()].into(), ctx.threads);
            let packed = Packed::new(&data, ctx.threads);
            let stop = Stop { max_iter: self.max_iter, tol: self.tol, unit: true };
            let best = self.starts.best(&packed, asked, stop, ctx);
            best.into_iter().map(|best| self.partition(x, &best)).collect()
        })
    }

    fn partition<T: Element>(&self, x: &Matrix<T>, best: &Best) -> Box<dyn Partition> {
        let asked = best.end.centres.rows();
        let (labels, living) = close_up(&best.end.labels, asked);
        let mut warnings = self.starts.warnings(&best.end);
        if living.len() < asked {
            warnings.push(format!(
                "{} clusters instead of {asked}: the others would be empty (fewer distinct directions than clusters?)",
                living.len()
            ));
        }
        // Distances in the space of the input, so that inertia means what it means for the other clusterers.
        let inertia = inertia_of(x, &labels, &means(x, &labels, living.len()));
        Box::new(SphericalPartition {
            labels: Labels::from_ids(labels),
            centres: best.end.centres.select_rows(&living),
            inertia,
            // Squared chords are twice 1 - cosine.
            objective: 0.5 * best.inertia,
            n_iter: best.end.n_iter as u64,
            precise: size_of::<T>() == 8,
            warnings,
        })
    }
}

/// Rows stretched to length 1; a row without direction is refused.
fn directions<T: Element>(x: &Matrix<T>) -> Result<Matrix<T>, Failure> {
    let mut directions = x.clone();
    for row in 0..x.rows() {
        let length = squared_length(x.row(row)).sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return Err(Failure::new(
                FailureClass::BadInput,
                format!(
                    "the vector of row {row} has length {length} and so no direction; leave such users out or use \
                     kmeans"
                ),
            ));
        }
        for value in directions.row_mut(row) {
            *value = T::from_f64(value.to_f64() / length);
        }
    }
    Ok(directions)
}

struct SphericalPartition {
    labels: Labels,
    centres: Matrix<f64>, // (n_clusters, n_features), of length 1
    inertia: f64,
    objective: f64,
    n_iter: u64,
    precise: bool, // fitted on f64
    warnings: Vec<String>,
}

impl SphericalPartition {
    fn assign_directions<T: Element>(&self, rows: &Matrix<T>) -> Result<Labels, Failure>
    where
        for<'a> Points<'a>: From<&'a Matrix<T>>,
    {
        check_rows(self.centres.cols(), rows)?;
        Ok(assign_rows(&directions(rows)?, &vec![0.0; rows.cols()].into(), &self.centres))
    }
}

impl Partition for SphericalPartition {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        if self.precise { self.assign_directions(&*rows.to_f64()) } else { self.assign_directions(&*rows.to_f32()) }
    }

    fn assignment_rule(&self) -> &'static str {
        "centroid of greatest cosine"
    }

    fn inertia(&self) -> Option<f64> {
        Some(self.inertia)
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        vec![
            ("cluster_centers", ModelValue::Table(self.centres.clone())),
            ("cosine_objective", ModelValue::Number(self.objective)),
            ("inertia", ModelValue::Number(self.inertia)),
            ("n_iter", ModelValue::Count(self.n_iter)),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centroids::inertia_of;
    use crate::lloyd::lloyd_all;
    use trailmark_kit::{labels, number, oracle, rows};

    #[test]
    fn the_same_start_ends_where_the_definition_ends() {
        let table = oracle("cluster", "spherical_kmeans");
        for case in &table.case {
            let name = case["name"].as_str().unwrap();
            let x = directions(&Matrix::<f64>::from_rows(&rows(case, "x")).unwrap()).unwrap();
            let data = Centred::around(&x, vec![0.0; x.cols()].into(), 1);
            let start = x.select_rows(&(0..number(case, "n_clusters") as usize).collect::<Vec<_>>());
            let stop = Stop { max_iter: 1000, tol: 0.0, unit: true };
            let mut found = None;
            lloyd_all(&Packed::new(&data, 1), vec![start], stop, 1, |_, end| found = Some(end));
            let end = found.unwrap();
            let names: Vec<Option<u32>> = end.labels.iter().copied().map(Some).collect();
            assert_eq!(names, labels(case, "labels_from_first_rows"), "{name}");
            table.assert_close(name, 0.5 * inertia_of(&x, &end.labels, &end.centres), number(case, "objective"));
            for (centre, expected) in end.centres.iter_rows().zip(rows(case, "centers")) {
                centre.iter().zip(expected).for_each(|(value, expected)| table.assert_close(name, *value, expected));
            }
        }
    }
}
