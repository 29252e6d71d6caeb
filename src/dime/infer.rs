//! Inference: from a wave image to a map of stiffness, entirely on the GPU.

use super::batch::{self, Scenes};
use super::lattice::{Lattice, Spread};
use super::model::Model;
use super::settings::DimeSettings;
use crate::embed::Host;
use crate::error::{Error, Result};
use crate::kernel::core::{clear, gate, increment};
use crate::kernel::form::Chooser;
use crate::kernel::signal::harmonic;
use crate::kernel::signal::resample;
use crate::kernel::signal::resample::Grids;
use crate::kernel::tiles::cut::{LatticeBuffers, Scene};
use crate::kernel::tiles::overlap::Overlap;
use crate::kernel::tiles::overlap::OverlapSettings;
use crate::kernel::tiles::{lattice as placing, mask, overlap};
use crate::nn::{Network, Weights};
use crate::plan::{Buf, Plan, Recorder, Spec};
use crate::size::Size;
use crate::tape::Leaves;

/// Maximum distance from an input pixel to a pixel of the network's grid with a value, in pixels of the coarser
/// grid.
const REACH: usize = 3;

/// A plane of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DimeMap {
    /// Storage modulus, kPa.
    Modulus,
    /// Uncertainty of the modulus, kPa: see [`Calibration`](super::Calibration).
    Uncertainty,
    /// The prediction without surroundings minus that with them, kPa; 0 for a network that sees the patch alone. Where it is
    /// far from 0, the body is unlike those of the training.
    Disagreement,
}

impl DimeMap {
    /// All planes, in their order in memory.
    pub const ALL: [Self; mask::PLANES] = [Self::Modulus, Self::Uncertainty, Self::Disagreement];

    /// Selects this plane from the result of [`Dime::invert`].
    pub fn of(self, maps: &[f32]) -> &[f32] {
        let n = maps.len() / mask::PLANES;
        &maps[self as usize * n..(self as usize + 1) * n]
    }
}

impl From<DimeMap> for usize {
    fn from(plane: DimeMap) -> Self {
        plane as Self
    }
}

/// A network compiled for images of one size.
pub struct Dime {
    settings: DimeSettings,
    model: Model,
    grids: Grids,
    spread: Spread,
    batch: usize,
    plan: Plan,
    frames: Buf,
    mask: Buf,
    maps: Buf,
    /// The patches and their lattice, if the host places them.
    placed: Option<[Buf; 2]>,
}

impl Dime {
    /// Compiles the network of `weights` for the images described by `settings`. The batch is halved until it
    /// fits into the device. `progress` receives the number of compiled kernels and the total.
    ///
    /// # Errors
    /// - [`Error::Setting`] or [`Error::Usage`] if a setting is invalid.
    /// - [`Error::Data`] if the weights do not state how their input is made, or are not a network of the inputs that they
    ///   state, with 1 channel out.
    /// - [`Error::OutOfMemory`] if not even one patch fits.
    pub fn new(
        chooser: &Chooser,
        weights: &Weights,
        settings: &DimeSettings,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let device = chooser.pipelines().device();
        let mut batch = settings.batch;
        loop {
            let recorded = Recorded::new(chooser, weights, settings, batch, None)?;
            batch = recorded.batch;
            let [all, largest] = recorded.rec.memory();
            let fits = largest <= device.caps().max_binding() || batch == 1;
            let room = || {
                let size = settings.size;
                device.check_memory(&format!("{batch} patches of an image of {size} px"), all)
            };
            if fits {
                match room().and_then(|()| recorded.compile(chooser, settings, progress)) {
                    Err(Error::OutOfMemory { .. }) if batch > 1 => {}
                    dime => return dime,
                }
            }
            batch = batch.div_ceil(2);
        }
    }

    /// The specialisations that [`Dime::new`] would run, to qualify them; nothing is compiled.
    ///
    /// # Errors
    /// As [`Dime::new`].
    pub fn specs(chooser: &Chooser, weights: &Weights, settings: &DimeSettings) -> Result<Vec<Spec>> {
        Ok(Recorded::new(chooser, weights, settings, settings.batch, None)?.rec.specs())
    }

    /// Compiles the network for a host's buffers. `encode` of [`Dime::plan`] then records the inversion into the host's
    /// encoder. Patches are placed on the mask on the device. Nothing is submitted, mapped or read back.
    ///
    /// # Errors
    /// The errors of [`Dime::new`], and [`Error::Usage`] if a buffer or texture is too small, not for storage, or used
    /// twice, or if the colour range is invalid.
    pub fn embedded(
        chooser: &Chooser,
        weights: &Weights,
        settings: &DimeSettings,
        host: Host<DimeMap>,
    ) -> Result<Self> {
        let recorded = Recorded::new(chooser, weights, settings, settings.batch, Some(host))?;
        recorded.compile(chooser, settings, &|_, _| {})
    }

    /// Inverts one slice. `frames` is `[frames][ny][nx]`, finite inside the mask; `mask` is `[ny][nx]`. Returns
    /// the maps `[plane][ny][nx]`, 0 outside the mask; [`DimeMap::of`] selects one.
    ///
    /// # Errors
    /// [`Error::Data`] if the lengths of the slices do not fit the settings, and all errors of the device.
    pub fn invert(&mut self, frames: &[f32], mask: &[bool]) -> Result<Vec<f32>> {
        self.start(frames, mask)?;
        Ok(self.planes(self.plan.read(self.maps)?))
    }

    /// The same without blocking, as a browser needs it; see [`Device::read_async`](crate::Device::read_async).
    ///
    /// # Errors
    /// The errors of [`Dime::invert`].
    pub async fn invert_async(&mut self, frames: &[f32], mask: &[bool]) -> Result<Vec<f32>> {
        self.start(frames, mask)?;
        Ok(self.planes(self.plan.read_async(self.maps).await?))
    }

    /// Drops what a buffer holds beyond the maps, because its length is a multiple of four values.
    fn planes(&self, mut maps: Vec<f32>) -> Vec<f32> {
        maps.truncate(mask::PLANES * self.settings.size.pixels());
        maps
    }

    /// Uploads a slice and submits its inversion.
    fn start(&mut self, frames: &[f32], mask: &[bool]) -> Result<()> {
        self.prepare(mask)?;
        let n = mask.len();
        let count = self.settings.frames.count();
        if frames.len() != n * count {
            return Err(Error::Data(format!(
                "{count} frames of {} px need {} values, not {}",
                self.settings.size,
                n * count,
                frames.len()
            )));
        }
        self.plan.write(self.frames, frames)?;
        self.plan.run()
    }

    /// Places patches on `mask`, `[ny][nx]`, for the following runs.
    ///
    /// # Errors
    /// [`Error::Data`] if the mask does not have the size in the settings, [`Error::Usage`] if the mask is a host's own
    /// buffer, and all errors of the device.
    pub fn prepare(&mut self, mask: &[bool]) -> Result<()> {
        let Some([patches, table]) = self.placed else {
            return Err(Error::Usage("the mask is the host's; write it to the host's buffer".into()));
        };
        let size = self.settings.size;
        if mask.len() != size.pixels() {
            return Err(Error::Data(format!(
                "the mask has {} values, which does not fit an image of {size} px",
                mask.len()
            )));
        }
        let lattice = Lattice::new(&self.coarse(mask), self.grids.to, self.spread);
        let inside: Vec<f32> = mask.iter().map(|m| f32::from(u8::from(*m))).collect();
        self.plan.write(self.mask, &inside)?;
        self.plan.write(patches, &lattice.patches)?;
        self.plan.write(table, &lattice.table)?;
        self.plan.repeat(lattice.patches.len().div_ceil(self.batch));
        Ok(())
    }

    /// Returns the mask on the network's grid, by the nearest pixel, as in `kernels/signal/resample.wgsl`.
    fn coarse(&self, mask: &[bool]) -> Vec<bool> {
        let Grids { from: Size { nx: mx, ny: my }, to: Size { nx, ny }, step, .. } = self.grids;
        let nearest = |i: usize, n: usize, m: usize, step: f64| {
            let at = (i as f64 - (n as f64 - 1.0) / 2.0) * step + (m as f64 - 1.0) / 2.0;
            let at = (at + 0.5).floor();
            (0.0..m as f64).contains(&at).then_some(at as usize)
        };
        (0..nx * ny)
            .map(|i| {
                let [x, y] = [nearest(i % nx, nx, mx, step[0]), nearest(i / nx, ny, my, step[1])];
                x.zip(y).is_some_and(|(x, y)| mask[y * mx + x])
            })
            .collect()
    }

    /// The metadata of the network.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Number of patches in a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The plan: it can be encoded and timed, and it reports its memory.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The mutable plan, to rebind a host's buffers.
    pub fn plan_mut(&mut self) -> &mut Plan {
        &mut self.plan
    }

    /// The buffers of the plan: frames, mask, maps.
    pub fn buffers(&self) -> [Buf; 3] {
        [self.frames, self.mask, self.maps]
    }
}

/// Returns the weights of a patch's rows, and of its columns. They fall toward the edges, where the network
/// sees only one side.
fn window(side: usize) -> Vec<f32> {
    let half = side as f32 / 2.0;
    (0..side).map(|i| 1.0 - ((i as f32 + 0.5 - half).abs() / half).powi(2) * 0.9).collect()
}

struct Recorded {
    rec: Recorder,
    model: Model,
    spread: Spread,
    batch: usize,
    /// Frames, mask, maps.
    buffers: [Buf; 3],
    placed: Option<[Buf; 2]>,
    /// The most batches that a mask can need.
    batches: usize,
}

impl Recorded {
    fn new(
        chooser: &Chooser,
        weights: &Weights,
        settings: &DimeSettings,
        batch: usize,
        host: Option<Host<DimeMap>>,
    ) -> Result<Self> {
        let model = Model::from_metadata(&weights.metadata)
            .map_err(|what| Error::Data(format!("the network's file {what}")))?;
        settings.check(&model)?;
        batch::check(weights, &model)?;
        weights.network.check_size(Size::square(settings.patch(&model)))?;
        let n = settings.size.pixels();
        let grids = settings.grids(&model);
        let pixels = grids.to.pixels();
        let (side, stride) = (settings.patch(&model), settings.stride);
        let spread = Spread { side, stride, views: model.views };
        let [most, points] = Lattice::most(grids.to, spread);
        let batch = batch.clamp(1, most);
        let mut rec = Recorder::new();
        let lent = host.map(|host| host.lend(&mut rec, settings.size, settings.frames.count(), mask::PLANES));
        let lent = lent.transpose()?;
        let [frames, inside, maps] = match &lent {
            Some(lent) => [lent.frames, lent.mask, lent.maps],
            None => [
                rec.input::<f32>("frames", n * settings.frames.count()),
                rec.input::<f32>("mask", n),
                rec.output::<f32>("maps", mask::PLANES * n),
            ],
        };
        // A host's mask is known only on the device, which then places the patches.
        let [patches, lattice] = if lent.is_some() {
            [rec.scratch::<[f32; 4]>("patches", most), rec.scratch::<i32>("lattice", points)]
        } else {
            [rec.input::<[f32; 4]>("patches", most), rec.input::<i32>("lattice", points)]
        };
        let placed = lent.is_none().then_some([patches, lattice]);
        let leaves = Leaves {
            parameters: rec.constant("parameters", &weights.parameters),
            state: rec.constant("running statistics", &weights.state),
            step: rec.constant("step", &[0u32; 8]),
        };

        rec.stage("wave");
        let wave = harmonic::record(&mut rec, frames, settings.frames, n);
        let field = mask::apply(&mut rec, [wave, inside], settings.conjugated, n);
        let image = resample::record(&mut rec, field, grids);
        let scene = Scene { image, size: grids.to, scale: 1 };
        let scenes = Scenes::new(&mut rec, scene, &model, batch, side);
        let counter = rec.scratch::<u32>("counter", 1);
        let state = |_| rec.scratch::<[f32; 4]>("overlapping predictions", pixels);
        let states: Vec<_> = (0..scenes.answers()).map(state).collect();
        clear::record(&mut rec, counter, 1);
        for state in &states {
            clear::record(&mut rec, *state, 4 * pixels);
        }
        let buffers = LatticeBuffers { patches, lattice, counter, most: [most, points] };
        if lent.is_some() {
            rec.stage("placing");
            placing::record(&mut rec, image, &spread.placing(grids.to), buffers);
        }

        rec.repeat_from_here();
        let answers = scenes.record(&mut rec, chooser, weights, leaves, buffers)?;
        rec.stage("overlap");
        let window = rec.constant("window", &window(spread.side));
        let over = Overlap { size: grids.to, stride: spread.stride, image, window, lattice: buffers };
        for (answer, state) in answers.into_iter().zip(&states) {
            overlap::record(&mut rec, over, answer, *state);
        }
        increment::record(&mut rec, counter, batch);
        rec.repeat_to_here();
        if lent.is_some() {
            gate::record(&mut rec, counter, lattice);
        }

        rec.stage("map");
        // Without a calibration, the uncertainty is the spread.
        let (floor, slope, doubt) =
            model.calibration.map_or((0.0, 1.0, 0.0), |c| (c.floor, c.slope, c.doubt));
        // The network measures lengths in pixels. The modulus is proportional to their square, and to the
        // density.
        let lengths = settings.grid_mm(&model) / settings.natural_mm(&model);
        let scale = lengths * lengths * settings.density / model.density;
        let how = OverlapSettings { scale, floor, slope, doubt, mixing: model.mixing };
        let settled = overlap::record_statistics(&mut rec, states[0], states.get(1).copied(), how, pixels);
        let back = resample::record(&mut rec, settled, grids.back(REACH));
        mask::unstack(&mut rec, [back, inside, maps], n);
        if let Some(lent) = lent {
            lent.colour(&mut rec, settings.size);
        }
        let batches = most.div_ceil(batch);
        Ok(Self { rec, model, spread, batch, buffers: [frames, inside, maps], placed, batches })
    }

    fn compile(
        self,
        chooser: &Chooser,
        settings: &DimeSettings,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Dime> {
        let Self { rec, model, spread, batch, buffers: [frames, mask, maps], placed, batches } = self;
        let mut plan = Plan::compile(rec, chooser.pipelines(), progress)?;
        if placed.is_none() {
            plan.repeat(batches);
        }
        let (grids, settings) = (settings.grids(&model), settings.clone());
        Ok(Dime { settings, model, grids, spread, batch, plan, frames, mask, maps, placed })
    }
}
