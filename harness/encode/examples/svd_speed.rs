//! Times TF-IDF with truncated SVD on made-up texts for `scripts/peers/svd.py`, which times scikit-learn on the same texts
//! in the same sitting.
//!
//! `svd_speed <folder> make <n_texts>` writes `texts.txt` (one text per line); `svd_speed <folder> <svd_dim> <threads>`
//! fits character n-grams of 2 to 5, prints the seconds of TF-IDF alone and with the SVD, and writes `vectors.txt`
//! (the first thousand texts).
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use trailmark_core::contract::{Assets, Context};
use trailmark_core::{ParamValue, Params, SequenceView, Sequences, Stream};

const TOPICS: usize = 300;
const WORDS: usize = 20_000;

struct NoAssets;

impl Assets for NoAssets {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        Err(format!("there is no model {name}"))
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

/// Texts of 6 to 20 words of 3 to 9 letters; half of a text's words are those of its topic, and all follow power laws.
fn make(folder: &Path, n_texts: usize) -> std::io::Result<()> {
    let mut draws = Stream::new(1);
    let of_letters: Vec<f64> = (1..=26).map(|rank| 1.0 / f64::from(rank)).collect();
    let words: Vec<String> = (0..WORDS)
        .map(|_| (0..3 + draws.below(7)).map(|_| char::from(b'a' + draws.weighted(&of_letters) as u8)).collect())
        .collect();
    let power = |draws: &mut Stream, n: usize| ((n as f64).powf(draws.uniform()) - 1.0) as usize;
    let mut texts = String::new();
    for _ in 0..n_texts {
        let topic = power(&mut draws, TOPICS);
        for at in 0..6 + draws.below(15) {
            let word = power(&mut draws, WORDS);
            let word = if draws.chance(0.5) { (topic * 61 + word % 61) % WORDS } else { word };
            let blank = if at == 0 { "" } else { " " };
            let _ = write!(texts, "{blank}{}", words[word]);
        }
        texts.push('\n');
    }
    std::fs::write(folder.join("texts.txt"), texts)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, first, second] = &arguments[..] else { return Err("name a folder and two more arguments".into()) };
    let folder = PathBuf::from(folder);
    if first == "make" {
        return Ok(make(&folder, second.parse()?)?);
    }
    let text = std::fs::read_to_string(folder.join("texts.txt"))?;
    let texts: Vec<String> = text.lines().map(str::to_owned).collect();
    let sequences = Sequences {
        ids: (0..texts.len()).map(|i| i.to_string()).collect(),
        tokens: vec![Vec::new(); texts.len()],
        token_names: Vec::new(),
        events: trailmark_core::dataset::Events::default(),
        texts,
    };
    let rows: Vec<usize> = (0..sequences.ids.len()).collect();
    let entry = trailmark_encode::registry().into_iter().find(|entry| entry.spec.name == "tfidf").ok_or("no tfidf")?;
    let grams = Params::defaults(entry.spec)
        .with("analyzer", ParamValue::Text("characters".to_owned()))
        .with("ngram_min", ParamValue::Integer(2))
        .with("ngram_max", ParamValue::Integer(5))
        .with("min_df", ParamValue::Integer(2))
        .with("sublinear_tf", ParamValue::Flag(true));
    let ctx = Context { seed: 1, threads: second.parse()?, memory_bytes: 8 << 30 };
    let all = SequenceView::new(&sequences, &rows);
    let weighed = (entry.build)(&grams.clone().with("max_features", ParamValue::Integer(i64::MAX)), &NoAssets)?;
    let start = Instant::now();
    drop(weighed.fit(all, &ctx)?);
    let seconds_alone = start.elapsed().as_secs_f64();
    let reduced = (entry.build)(&grams.with("svd_dim", ParamValue::Integer(first.parse()?)), &NoAssets)?;
    let start = Instant::now();
    let fitted = reduced.fit(all, &ctx)?;
    println!("{seconds_alone:.4} {:.4}", start.elapsed().as_secs_f64());
    let x = fitted.transform(SequenceView::new(&sequences, &rows[..rows.len().min(1000)]), &ctx)?.into_matrix();
    fitted.warnings().iter().for_each(|warning| eprintln!("{warning}"));
    let mut vectors = String::new();
    for row in x.iter_rows() {
        vectors.extend(row.iter().map(|value| format!("{value} ")));
        vectors.push('\n');
    }
    Ok(std::fs::write(folder.join("vectors.txt"), vectors)?)
}
