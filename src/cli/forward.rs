//! `palpate forward`: the bare network.

use super::progress::Bars;
use super::{AdapterOption, TuneOption, print, say};
use ndarray::{ArrayD, ArrayView4};
use ndarray_npy::WriteNpyExt;
use palpate::Size;
use palpate::lowlevel::io::OutputSet;
use palpate::lowlevel::io::npy::read_floats;
use palpate::lowlevel::nn::{self, Channels, Network, Unet, Weights};
use palpate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Run a trained network on images as they are
///
/// Reads images [N, 2, H, W] (real and imaginary part, float32 or float64) and writes what the U-Net makes of them,
/// [N, 1, H, W] in float32, with nothing scaled or masked before or after. A network that sees the surroundings of a
/// patch takes two more channels for each view, after those of the patch. The weights are a safetensors file of a
/// PyTorch state_dict; all that the network is made of is told by its tensors and its metadata: pool (max or avg;
/// max if it does not say) and up (transpose or bilinear; transpose).
///
/// Example: palpate forward --weights dime.safetensors --input x.npy --output y.npy
#[derive(clap::Args)]
pub struct Forward {
    /// The network's weights (.safetensors)
    #[arg(short, long, value_name = "FILE")]
    weights: PathBuf,
    /// Images, [N, 2, H, W] (.npy)
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,
    /// File the result is written to, [N, 1, H, W] (.npy)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Images computed at once, at most
    #[arg(long, value_name = "COUNT", default_value_t = 128, allow_hyphen_values = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Convolve on the GPU's matrix units, in half precision [experimental]
    #[arg(long)]
    matrix_units: bool,
    #[command(flatten)]
    adapter: AdapterOption,
    #[command(flatten)]
    tune: TuneOption,
    /// Overwrite the output if it exists
    #[arg(long)]
    force: bool,
}

impl Forward {
    pub fn run(self) -> Result<()> {
        let (mut set, name) = self.output()?;
        let weights = Weights::<Unet>::load(&self.weights)?;
        let images = read_floats(&self.input)?;
        let about = |error: Error| super::about(&self.input, error);
        let Channels { inputs, output } = weights.network.channels();
        let [n, channels, h, w] = shape(&images, inputs.iter().sum()).map_err(about)?;
        let size = Size::new(w, h);
        weights.network.check_size(size).map_err(about)?;
        let images = images.into_raw_vec_and_offset().0;
        check_finite(&images, [channels, h, w]).map_err(about)?;

        let forms = self.tune.open(&self.adapter, self.matrix_units)?;
        let bars = Bars::default();
        let batch = n.min(self.batch as usize);
        let chooser = forms.qualified(&|c| nn::Forward::specs(c, &weights, size, batch)).map_err(about)?;
        let network = bars
            .compiling(|progress| nn::Forward::new(&chooser, &weights, size, batch, progress))
            .map_err(about)?;
        let bar = bars.rate("images", n);
        let start = Instant::now();
        let result = network.run(&images, &|done| bar.set_position(done as u64));
        let seconds = start.elapsed().as_secs_f64();
        bar.finish_and_clear();
        let result = result?;

        set.add_bytes(&name, &encode(&result, [n, output, h, w]).map_err(|e| Error::file(&self.output, e))?)?;
        set.commit()?;
        let bad = result.iter().filter(|v| !v.is_finite()).count();
        if bad > 0 {
            say(format_args!("warning: {bad} of {} values of the result are not finite", result.len()));
        }
        print(&format!(
            "{}: {n} image{} of {size} through a {}, in {seconds:.2} s ({:.0} a second), {:.1} MiB on {} -> {}\n",
            self.input.display(),
            if n == 1 { "" } else { "s" },
            weights.network.describe(),
            n as f64 / seconds,
            network.memory() as f64 / f64::from(1 << 20),
            chooser.pipelines().device().caps().info.name,
            self.output.display()
        ))
    }

    /// The output's folder and the name in it. What stands there is looked at before anything is computed.
    fn output(&self) -> Result<(OutputSet, String)> {
        for input in [&self.input, &self.weights] {
            let same = input.canonicalize().is_ok_and(|a| self.output.canonicalize().is_ok_and(|b| a == b));
            if same {
                return Err(Error::Usage(format!(
                    "{} is an input and would be overwritten; choose another output with -o",
                    self.output.display()
                )));
            }
        }
        let name = self.output.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Error::Usage(format!(
                "'{}' cannot be the name of a file; choose another with -o",
                self.output.display()
            ))
        })?;
        let folder = self.output.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.exists() {
            return Err(Error::file(folder, "no such folder; make it first, or choose another with -o"));
        }
        let set = OutputSet::new(folder, self.force)?;
        set.check_free(&[name.to_string()])?;
        Ok((set, name.to_string()))
    }
}

/// The axes of `images`, if they are what a network with so many `channels` in takes.
fn shape(images: &ArrayD<f32>, channels: usize) -> Result<[usize; 4]> {
    let shape = images.shape();
    let text = format!("{shape:?}");
    let refuse = |what: String| Err(Error::Data(what));
    match *shape {
        [n, c, h, w] if c == channels => Ok([n, c, h, w]),
        [c, _, _] if c == channels => {
            refuse(format!("holds one image {text}, where [N, {channels}, H, W] is wanted; save x[None]"))
        }
        [_, _, _, c] if c == channels => refuse(format!(
            "holds {text}, where [N, {channels}, H, W] is wanted; if its channels are last, save \
             x.transpose(0, 3, 1, 2)"
        )),
        [_, c, _, _] => refuse(format!(
            "holds {text}, images of {c} channels, where these weights want {channels}: [N, {channels}, H, W]"
        )),
        _ => refuse(format!("holds {text}, {} axes, where [N, {channels}, H, W] is wanted", shape.len())),
    }
}

fn check_finite(images: &[f32], [c, h, w]: [usize; 3]) -> Result<()> {
    let Some(at) = images.iter().position(|v| !v.is_finite()) else { return Ok(()) };
    let count = images[at..].iter().filter(|v| !v.is_finite()).count();
    Err(Error::Data(format!(
        "holds {} (as float32) in image {}, channel {}, row {}, column {} (counted from 0){}; the network takes finite numbers \
         alone: put 0 there",
        images[at],
        at / (c * h * w),
        at / (h * w) % c,
        at / w % h,
        at % w,
        if count == 1 { String::new() } else { format!(", and so {} more", count - 1) }
    )))
}

/// A `.npy` file of `values`, the last axis fastest.
fn encode(values: &[f32], shape: [usize; 4]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let array = ArrayView4::from_shape(shape, values).map_err(|e| e.to_string())?;
    array.write_npy(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}
