//! `palpate simulate`: phantoms and their waves.

use super::progress::Bars;
use super::{phrase, print, say};
use clap::ValueEnum;
use palpate::lowlevel::phantom::set::{MOST, Set, SetEvent, SetFolder, SetKind, Shard};
use palpate::lowlevel::phantom::{FILES, Phantom, PhantomImages, Quality, Simulated};
use palpate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Compute the waves of a phantom, or of a whole set
///
/// Finite elements in three dimensions, on the CPU; no GPU is needed. Writes displacement.npy (complex64, metres),
/// modulus.npy (storage modulus, kPa), damping.npy, mask.npy, phantom.json and preview.png. docs/phantoms.md has the
/// model; examples/phantoms has a file of each kind.
///
/// With --set, draws a set of phantoms instead, each in a folder of its own: table1 has the seven families of the DIME
/// paper in its proportions, cylinders those of them that networks for bulk tissue learn from, livers has slabs of
/// liver-like outline, bodies has prisms of any outline, driven at their face and their wall, slabs has slabs of any
/// outline and structure, squares has those of the paper, on which no network is trained. A set that was interrupted goes
/// on where it stopped; --shard lets several machines share one.
///
/// Example: palpate simulate phantom.toml -o phantom
///
/// Example: palpate simulate --set table1 --count 900 --seed 1 -o phantoms
#[derive(clap::Args)]
pub struct Simulate {
    /// Description of the phantom (.toml)
    #[arg(value_name = "PHANTOM", required_unless_present = "set", conflicts_with = "set")]
    phantom: Option<PathBuf>,
    /// Folder the results are written to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Draw a set of phantoms
    #[arg(long, value_enum)]
    set: Option<SetOption>,
    /// Phantoms in the set
    #[arg(long, value_name = "N", allow_hyphen_values = true, required_if_eq_any = [("set", "table1"), ("set", "cylinders"), ("set", "livers"), ("set", "bodies")])]
    count: Option<usize>,
    /// Seed the set is drawn by [default: 1]
    #[arg(long, value_name = "SEED", allow_hyphen_values = true)]
    seed: Option<u64>,
    /// Part of the set to compute: 3/8 is the third of eight parts [default: all]
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    shard: Option<Shard>,
    /// Phantoms computed at a time [default: one for each core]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    jobs: Option<usize>,
    /// Nodes of the mesh in the shortest wavelength at each place
    #[arg(long, value_name = "N", default_value_t = Quality::default().nodes_per_wavelength, allow_hyphen_values = true)]
    nodes_per_wavelength: f64,
    /// Also write the driven component as complex NIfTI, ready for `palpate invert`
    #[arg(long)]
    nifti: bool,
    /// Overwrite files that exist
    #[arg(long, conflicts_with = "set")]
    force: bool,
}

/// The driven component of a single phantom.
const NIFTI: &str = "wave.nii.gz";

#[derive(Clone, Copy, ValueEnum)]
enum SetOption {
    Table1,
    Cylinders,
    Livers,
    Bodies,
    Slabs,
    Squares,
}

impl Simulate {
    pub fn run(self) -> Result<()> {
        let nodes = self.nodes_per_wavelength;
        if !(4.0..=60.0).contains(&nodes) {
            return Err(Error::Usage(format!(
                "--nodes-per-wavelength is {nodes}; give a number from 4 to 60 ({} is the default)",
                Quality::default().nodes_per_wavelength
            )));
        }
        let quality = Quality { nodes_per_wavelength: nodes, ..Quality::default() };
        match (&self.phantom, self.set) {
            (Some(path), _) => self.one(path, &quality),
            (None, Some(set)) => self.many(set, &quality),
            (None, None) => Err(Error::Usage("name a phantom's file, or a --set".into())),
        }
    }

    fn one(&self, path: &Path, quality: &Quality) -> Result<()> {
        // clap would let these pass where a phantom's file keeps it from asking for --set.
        if self.count.is_some() || self.seed.is_some() || self.shard.is_some() || self.jobs.is_some() {
            return Err(Error::Usage(
                "--count, --seed, --shard and --jobs are of a --set, not of one phantom".into(),
            ));
        }
        let phantom = Phantom::read(path)?;
        let names: Vec<String> =
            FILES.iter().copied().chain(self.nifti.then_some(NIFTI)).map(String::from).collect();
        palpate::lowlevel::io::OutputSet::new(&self.output, self.force)?.check_free(&names)?;
        let spinner = Bars::default().spinner("computing waves");
        let images = phantom.simulate(quality);
        spinner.finish_and_clear();
        let images = images?;
        let about = serde_json::json!({ "input": path.display().to_string() });
        let simulated = Simulated { phantom: &phantom, quality, images: &images, about, lean: false };
        simulated.write(&self.output, self.nifti.then_some(NIFTI), self.force)?;
        if let Some(what) = warning(&phantom, &images) {
            say(format_args!("warning: {what}"));
        }
        print(&format!("{}\n{}\n", report(&phantom, &images), self.output.join("preview.png").display()))
    }

    fn many(&self, set: SetOption, quality: &Quality) -> Result<()> {
        let kind = match set {
            SetOption::Table1 => SetKind::Table1,
            SetOption::Cylinders => SetKind::Cylinders,
            SetOption::Livers => SetKind::Livers,
            SetOption::Bodies => SetKind::Bodies,
            SetOption::Slabs => SetKind::Slabs,
            SetOption::Squares => SetKind::Squares,
        };
        let count = self.count.unwrap_or(0);
        if !(1..=MOST).contains(&count) {
            return Err(Error::Usage(format!(
                "a set cannot have {count} phantoms; give a --count from 1 to {MOST}"
            )));
        }
        let set = Set::new(kind, count, self.seed.unwrap_or(1))?;
        let shard = self.shard.unwrap_or(Shard::ALL);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.unwrap_or(cores);
        if !(1..=1024).contains(&jobs) {
            return Err(Error::Usage(format!("--jobs is {jobs}; give a number from 1 to 1024")));
        }
        let folder = SetFolder::open(&self.output, set, quality, self.nifti)?;
        let bars = Bars::default();
        let share = (0..set.count).filter(|i| shard.has(*i)).count();
        let bar = bars.bar("phantoms", share);
        // Phantoms kept, done and failed, and the most memory of one.
        let tally = Mutex::new((0, 0, 0, 0));
        let result = folder.run(shard, jobs, &|event| {
            let mut tally = tally.lock().unwrap_or_else(|e| e.into_inner());
            match event {
                SetEvent::Kept(n) => {
                    tally.0 = n;
                    // What was there already says nothing about the time that is left.
                    bar.set_length((share - n) as u64);
                }
                SetEvent::Done { memory, .. } => {
                    tally.1 += 1;
                    tally.3 = tally.3.max(memory);
                    bar.inc(1);
                }
                SetEvent::Failed { folder, error } => {
                    tally.2 += 1;
                    bars.aside(|| say(format_args!("error: {folder}: {}", phrase(error))));
                    bar.inc(1);
                }
                _ => {}
            }
        });
        bar.finish_and_clear();
        let (kept, done, failed, memory) = tally.into_inner().unwrap_or_else(|e| e.into_inner());
        let manifest = folder.manifest();
        print(&format!(
            "{done} phantoms computed, {kept} kept, {failed} failed; {} of the set's {} are finished.\n",
            manifest.finished, set.count
        ))?;
        if memory > 0 {
            print(&format!(
                "The largest took {} MiB for its equations and waves.\n",
                memory.div_ceil(1 << 20)
            ))?;
        }
        let sheet = self.output.join("contact-sheet.png");
        if sheet.is_file() {
            print(&format!("{}\n", sheet.display()))?;
        }
        result
    }
}

fn report(phantom: &Phantom, images: &PhantomImages) -> String {
    let work = &images.work;
    format!(
        "{}\n{}: {} triangles, {} unknowns, {} solved, largest residual {:.0e}; {:.1} s, {} MiB",
        phantom.summary(),
        images.method,
        work.triangles,
        work.unknowns,
        if work.systems == 1 { "1 system".into() } else { format!("{} systems", work.systems) },
        work.residual,
        images.seconds,
        work.memory.div_ceil(1 << 20)
    )
}

/// What the images do not show.
fn warning(phantom: &Phantom, images: &PhantomImages) -> Option<String> {
    let n = images.size;
    let border = (0..n).flat_map(|k| [k, (n - 1) * n + k, k * n, k * n + n - 1]);
    border.into_iter().any(|i| images.mask[i]).then(|| {
        format!(
            "the body reaches the border of the image of {n} x {n} pixels of {} mm; a larger size_px shows all of it",
            phantom.pixel_mm
        )
    })
}
