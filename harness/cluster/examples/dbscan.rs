//! Times DBSCAN on vectors that `scripts/peers/dbscan.py` wrote, turn by turn: for every line on its input it fits once
//! and answers with the seconds that took. The labels of the last turn go to a file.
//!
//! `dbscan <x.f32> <n_samples> <n_features> <eps> <min_samples> <threads> <labels.i32>`

use std::io::BufRead;
use std::time::Instant;

use trailmark_core::contract::{Context, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, Params, Space};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, n, cols, eps, min_samples, threads, to] = arguments.as_slice() else {
        return Err("give x.f32, n_samples, n_features, eps, min_samples, threads, labels.i32".into());
    };
    let (n, cols) = (n.parse()?, cols.parse()?);
    let bytes = std::fs::read(from)?;
    let x =
        Matrix::from_vec(n, cols, bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
            .map_err(|error| error.to_string())?;

    let entries = trailmark_cluster::registry();
    let entry = entries.iter().find(|entry| entry.spec.name == "dbscan").ok_or("dbscan is in the registry")?;
    let mut params = Params::defaults(entry.spec).with("min_samples", ParamValue::Integer(min_samples.parse()?));
    if eps != "knee" {
        params.set("eps", ParamValue::Number(eps.parse()?));
    }
    let clusterer = (entry.build)(&params).map_err(|error| error.to_string())?;
    let context = Context { seed: 1, threads: threads.parse()?, memory_bytes: 4 << 30 };
    for line in std::io::stdin().lock().lines() {
        line?;
        let point = SweepPoint { n_clusters: None, seed: 1 };
        let (seconds, mut fitted) = seconds(|| clusterer.fit_sweep(&Space::of(&x), &[point], &context));
        let partition = fitted.pop().ok_or("one point has one result")??;
        println!("{seconds}");
        let labels = partition.labels().0.iter().map(|label| label.map_or(-1, u32::cast_signed));
        std::fs::write(to, labels.flat_map(i32::to_le_bytes).collect::<Vec<u8>>())?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]
fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}
