//! Times agglomerative clustering of a `.npy` file, for `scripts/peers/agglomerative.py`: one linkage with one cut, and
//! a sweep of twelve cuts. Prints seconds and, per cut, the labels.
//!
//! `agglomerative <x.npy: f32, C order> <n_features> <linkage> [threads]`

use std::time::Instant;

use trailmark_core::contract::{Context, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, Params, Space};

const SWEEP: [usize; 12] = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name| arguments.next().ok_or(format!("name {name}"));
    let (file, width, linkage) = (next("a file")?, next("n_features")?.parse::<usize>()?, next("a linkage")?);
    let threads = arguments.next().map_or(Ok(2), |threads| threads.parse())?;

    let bytes = std::fs::read(file)?;
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values: Vec<f32> =
        bytes[10 + header..].as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
    let x = Matrix::from_vec(values.len() / width, width, values)?;

    let entry = trailmark_cluster::registry()
        .into_iter()
        .find(|entry| entry.spec.name == "agglomerative")
        .ok_or("agglomerative is not registered")?;
    let params = Params::defaults(entry.spec).with("linkage", ParamValue::Text(linkage));
    let clusterer = (entry.build)(&params)?;
    let ctx = Context { seed: 1, threads, memory_bytes: 16 << 30 };

    for (name, sweep) in [("one_s", &SWEEP[6..7]), ("sweep_s", &SWEEP[..])] {
        let points: Vec<SweepPoint> = sweep.iter().map(|&k| SweepPoint { n_clusters: Some(k), seed: 1 }).collect();
        #[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]
        let start = Instant::now();
        let partitions = clusterer.fit_sweep(&Space::of(&x), &points, &ctx);
        println!("{name} {}", start.elapsed().as_secs_f64());
        if sweep.len() > 1 {
            for (k, partition) in sweep.iter().zip(partitions) {
                let partition = partition?;
                let names: Vec<String> =
                    partition.labels().0.iter().map(|label| label.unwrap_or_default().to_string()).collect();
                println!("labels {k} {}", names.join(" "));
            }
        }
    }
    Ok(())
}
