//! Times a clusterer that finds the number of clusters on the vectors of a `.npy` file (f4, C order), for
//! `scripts/peers/hdbscan.py`, which times other implementations on the same bytes in the same sitting.
//!
//! `fit_npy <clusterer> <x.npy> <labels.i32> <threads> [parameter=whole number ..]`

use std::time::Instant;

use trailmark_core::contract::{Context, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, Params, Space};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, input, output, threads, rest @ ..] = arguments.as_slice() else {
        return Err(
            "name the clusterer, the .npy file to read, the file of labels to write, and how many threads".into()
        );
    };
    let x = read_npy(&std::fs::read(input)?)?;
    let entry = trailmark_cluster::registry().into_iter().find(|entry| entry.spec.name == name);
    let entry = entry.ok_or_else(|| format!("there is no clusterer {name}"))?;
    let mut params = Params::defaults(entry.spec);
    for word in rest {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("{word} is not parameter=value"))?;
        params.set(name, ParamValue::Integer(value.parse()?));
    }
    let clusterer = (entry.build)(&params)?;
    let ctx = Context { seed: 0, threads: threads.parse()?, memory_bytes: 16 << 30 };
    let (seconds, fits) =
        seconds(|| clusterer.fit_sweep(&Space::of(&x), &[SweepPoint { n_clusters: None, seed: 0 }], &ctx));
    let partition = fits.into_iter().next().ok_or("no fit")??;
    let labels = partition.labels();
    println!("fit_s {seconds}\nn_clusters {}\nn_noise {}", labels.n_clusters(), labels.n_noise());
    let id = |label: &Option<u32>| label.and_then(|label| i32::try_from(label).ok()).unwrap_or(-1);
    let bytes: Vec<u8> = labels.0.iter().flat_map(|label| id(label).to_le_bytes()).collect();
    std::fs::write(output, bytes)?;
    Ok(())
}

/// A matrix in version 1 of the format: magic, length of the header, a Python dictionary, values.
fn read_npy(bytes: &[u8]) -> Result<Matrix<f32>, Box<dyn std::error::Error>> {
    let length = bytes.get(8..10).ok_or("the file is no .npy file")?;
    let start = 10 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    let header = std::str::from_utf8(bytes.get(10..start).ok_or("the header is cut short")?)?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!("the values are not f4 in C order: {header}").into());
    }
    let shape = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).ok_or("there is no shape")?.0;
    let shape: Vec<usize> = shape.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    let [rows, cols] = shape[..] else { return Err(format!("the shape {shape:?} is no matrix").into()) };
    let (values, _) = bytes[start..].as_chunks::<4>();
    Ok(Matrix::from_vec(rows, cols, values.iter().map(|&value| f32::from_le_bytes(value)).collect())?)
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]
fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}
