//! Times silhouettes of up to 36 partitions of the same vectors for `scripts/peers/silhouette.py`, which times
//! scikit-learn on the same bytes in turn with it. It writes the vectors and partitions to a folder, says `ready`, and for
//! every line `<distance> <number of partitions>` on its input answers with the seconds and the scores.
//!
//! `silhouettes <folder> [n_samples] [n_features] [threads]`

use std::io::BufRead;
use std::path::PathBuf;
use std::time::Instant;

use trailmark_core::contract::{Distance, Points};
use trailmark_core::{Labels, Matrix, Stream};
use trailmark_metrics::silhouette_score::silhouette_scores_on;

const PARTITIONS: usize = 36;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name a folder to write to")?);
    let n: usize = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let cols: usize = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let threads: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;

    let mut stream = Stream::new(1);
    let centres: Vec<f64> = (0..20 * cols).map(|_| stream.normal()).collect();
    let groups: Vec<usize> = (0..n).map(|_| stream.below(20)).collect();
    let mut x = Matrix::<f32>::zeros(n, cols);
    for (row, &group) in groups.iter().enumerate() {
        for (at, value) in x.row_mut(row).iter_mut().enumerate() {
            *value = (centres[group * cols + at] + stream.normal()) as f32;
        }
    }
    // 12 values of n_clusters, each with three shares of redrawn labels.
    let partitions: Vec<Labels> = (0..PARTITIONS)
        .map(|at| {
            let (k, redrawn) = (2 + at / 3 * 2, (at % 3) as f64 * 0.3);
            let draw = |&group: &usize| if stream.chance(redrawn) { stream.below(k) } else { group % k };
            Labels::from_ids(groups.iter().map(draw).map(|label| label as u32).collect::<Vec<_>>())
        })
        .collect();

    let bytes: Vec<u8> = x.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(folder.join("x.f32"), bytes)?;
    let bytes: Vec<u8> =
        partitions.iter().flat_map(|labels| &labels.0).flat_map(|label| label.unwrap_or(0).to_le_bytes()).collect();
    std::fs::write(folder.join("labels.u32"), bytes)?;

    let all: Vec<&Labels> = partitions.iter().collect();
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (name, partitions) = line.split_once(' ').ok_or("say a distance and a number of partitions")?;
        let distances = [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Cosine];
        let distance = distances.into_iter().find(|distance| distance.name() == name).ok_or("no such distance")?;
        let chosen = all.get(..partitions.parse()?).ok_or("there are 36 partitions")?;
        let (took, scores) = seconds(|| silhouette_scores_on(threads, Points::F32(&x), chosen, distance));
        print!("{took}");
        for score in scores {
            print!(" {}", score.map_err(|reason| reason.explain())?);
        }
        println!();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]
fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}
