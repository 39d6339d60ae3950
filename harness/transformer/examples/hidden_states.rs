//! Writes every hidden state of a model for given ids, for `scripts/check_shapes.py`:
//! `hidden_states bert|gpt2|t5 MODEL_FOLDER OUT ID,ID,..` writes (states, tokens, hidden) little-endian f32 to OUT.

use std::io::Write;
use std::path::Path;

use trailmark_transformer::checkpoint::{CheckpointError, Folder, Weights};
use trailmark_transformer::{BERT, Family, GPT2, Network, T5, Workspace};

fn load<C>(path: &str, family: &Family<C>, longest: usize) -> Result<Box<dyn Network>, CheckpointError> {
    let mut folder = Folder::open(Path::new(path))?;
    let config = (family.read)(&mut folder)?;
    (family.network)(&Weights::read(&mut folder)?, config, longest)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, folder, out, ids] = &arguments[..] else {
        return Err("usage: hidden_states bert|gpt2|t5 MODEL_FOLDER OUT ID,ID,..".into());
    };
    let ids: Vec<u32> = ids.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let network = match kind.as_str() {
        "gpt2" => load(folder, &GPT2, ids.len())?,
        "t5" => load(folder, &T5, ids.len())?,
        _ => load(folder, &BERT, ids.len())?,
    };
    let mut file = std::io::BufWriter::new(std::fs::File::create(out)?);
    let mut failed = Ok(());
    network.forward(&[&ids], network.n_layers(), &mut Workspace::default(), &mut |_, state| {
        for value in state {
            failed = std::mem::replace(&mut failed, Ok(())).and(file.write_all(&value.to_le_bytes()));
        }
    })?;
    failed?;
    file.flush()?;
    Ok(())
}
