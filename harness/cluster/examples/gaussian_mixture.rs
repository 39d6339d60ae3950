//! Times EM from a given start, for `scripts/peers/gaussian_mixture.py`, which times scikit-learn on the same files in
//! turns.
//!
//! `gaussian_mixture <folder> <covariance_type> <iterations> <threads>`; the folder holds `x.npy` (n_samples,
//! n_features), `weights.npy`, `means.npy` and `covariances.npy`, all f64 in C order, and takes `labels.csv`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use trailmark_cluster::{CovarianceType, MixtureParameters, MixtureStop, gaussian_mixture_from};
use trailmark_core::Matrix;
use trailmark_core::contract::{ModelValue, Points};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, covariance_type, iterations, threads] = arguments.as_slice() else {
        return Err("gaussian_mixture <folder> <covariance_type> <iterations> <threads>".into());
    };
    let folder = PathBuf::from(folder);
    let covariance_type = match covariance_type.as_str() {
        "full" => CovarianceType::Full,
        "tied" => CovarianceType::Tied,
        "diag" => CovarianceType::Diag,
        "spherical" => CovarianceType::Spherical,
        other => return Err(format!("{other} is none of full, tied, diag, spherical").into()),
    };
    let x = table(&folder.join("x.npy"))?;
    let start = MixtureParameters {
        covariance_type,
        weights: npy(&folder.join("weights.npy"))?.1,
        means: table(&folder.join("means.npy"))?,
        covariances: npy(&folder.join("covariances.npy"))?.1,
    };
    let stop = MixtureStop { reg_covar: 1e-6, max_iter: iterations.parse()?, tol: 0.0 };
    let (seconds, fitted) =
        timed(|| gaussian_mixture_from(Points::F64(&x), &start, stop, threads.parse().unwrap_or(1)));
    let fitted = fitted?;
    let labels = fitted.labels().0.iter().map(|label| format!("{}\n", label.map_or(-1, i64::from)));
    std::fs::write(folder.join("labels.csv"), labels.collect::<String>())?;
    println!("wall_s {seconds}");
    for (name, value) in fitted.model() {
        if let ("log_likelihood" | "lower_bound", ModelValue::Number(value)) = (name, value) {
            println!("{name} {value:?}");
        }
    }
    Ok(())
}

fn table(path: &Path) -> Result<Matrix<f64>, Failure> {
    let (shape, values) = npy(path)?;
    let [rows, cols] = shape[..] else { return Err(format!("{} is not a table", path.display()).into()) };
    Ok(Matrix::from_vec(rows, cols, values)?)
}

/// Shape and values of an array as `numpy.save` writes it.
fn npy(path: &Path) -> Result<(Vec<usize>, Vec<f64>), Failure> {
    let bytes = std::fs::read(path)?;
    let not_so = || format!("{} is not an npy file of f64 in C order", path.display());
    let length = usize::from(u16::from_le_bytes(bytes.get(8..10).ok_or_else(not_so)?.try_into()?));
    let header = std::str::from_utf8(bytes.get(10..10 + length).ok_or_else(not_so)?)?;
    if !header.contains("'<f8'") || !header.contains("'fortran_order': False") {
        return Err(not_so().into());
    }
    let shape = header.split(['(', ')']).nth(1).ok_or_else(not_so)?;
    let shape =
        shape.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
    let values = bytes[10 + length..].chunks_exact(8).map(|value| Ok(f64::from_le_bytes(value.try_into()?)));
    Ok((shape, values.collect::<Result<_, Failure>>()?))
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}
