//! MMDI: multimodel direct inversion of a shear wave image, entirely on the GPU.
//!
//! The wave is split into four directions. In each, local least-squares polynomials of several sizes give the
//! wave and its Laplacian. Their products are summed over the directions and a small box. The sums give the
//! squared wavenumber, and from it the modulus. No single polynomial is best for all wavelengths and noise
//! levels. The models are therefore weighted, per pixel, by their predicted error.
//!
//! Sources: Oliphant et al. 2001 (algebraic inversion), Manduca et al. 2003 (directional filters), Papoulis
//! 1975 and Gerchberg 1974 (continuation). The multimodel selection and its calibration were developed in this
//! project; the constants of the clinical software are not public.

mod filter;
mod model;
mod multifrequency;
mod polynomial;
mod settings;

pub use filter::{DIRECTIONS, directional, low_pass};
pub use model::models;
pub use multifrequency::multifrequency;
pub use polynomial::{Fit, polynomial_fit};
pub use settings::{MmdiMode, MmdiSettings};

use crate::device::Device;
use crate::embed::Host;
use crate::error::{Error, Result};
use crate::kernel::mre::planes::MmdiMap;
use crate::kernel::mre::window::Span;
use crate::kernel::mre::{combine, confidence, fit, normalise, restore, window};
use crate::kernel::signal::fft::{Fft, FftDirection};
use crate::kernel::signal::{harmonic, spectral};
use crate::plan::{Buf, Pipelines, Plan, Recorder};

/// The planes of the maps that hold the wave.
const WAVE: [MmdiMap; 3] = [MmdiMap::Amplitude, MmdiMap::Real, MmdiMap::Imaginary];

/// Number of iterations that continue the field beyond the mask.
pub const CONTINUATIONS: usize = 8;

/// Records the inversion of one slice. `frames` is f32 `[frames][directions][ny][nx]` as described by `settings`; `mask`
/// is f32 `[ny][nx]`, inside where above 0. The result goes into `maps`, f32 `[plane][ny][nx]` ([`MmdiMap`]). The planes
/// of the wave go into `waves`, f32 `[plane][directions][ny][nx]`, which is `maps` if there is one direction.
pub fn record(rec: &mut Recorder, settings: &MmdiSettings, [frames, mask, maps, waves]: [Buf; 4]) {
    let size = settings.size;
    let n = size.pixels();
    let fields = settings.directions;
    let mut fft = Fft::new();

    rec.stage("harmonic");
    let wave = harmonic::record(rec, frames, settings.frames, fields * n);
    let under_mask = normalise::record_moments(rec, wave, mask, [fields, n]);
    let sums = normalise::record_total(rec, under_mask, fields * n);
    let mut field = normalise::record(rec, [wave, mask, sums], waves, settings.zero_lost, [fields, n]);

    if settings.mode == MmdiMode::Corrected {
        rec.stage("continuation");
        let weights = narrow(&low_pass(settings));
        let weights = rec.constant("low pass", &weights);
        let known = field;
        for _ in 0..CONTINUATIONS {
            let spectrum = fft.image(rec, field, fields, size, FftDirection::Forward);
            let smooth = spectral::record(rec, spectrum, weights, [fields, 1], n);
            let smooth = fft.image(rec, smooth, fields, size, FftDirection::Inverse);
            field = restore::record(rec, [known, mask, smooth], [fields, n]);
        }
    }

    rec.stage("directional filter");
    let weights = narrow(&directional(settings));
    let weights = rec.constant("directional filters", &weights);
    let spectrum = fft.image(rec, field, fields, size, FftDirection::Forward);
    let split = spectral::record(rec, spectrum, weights, [fields, DIRECTIONS], n);
    // Directions of motion are summed as directions of travel are.
    let filtered = fields * DIRECTIONS;
    let waves = fft.image(rec, split, filtered, size, FftDirection::Inverse);

    rec.stage("polynomial fits");
    let model = models(settings);
    let noise = fit::record_residual(rec, waves, (size, filtered), &model.reference.value);
    let fits: Vec<_> =
        model.fits.iter().map(|f| fit::record(rec, waves, (size, filtered), &f.columns())).collect();

    rec.stage("box means");
    let planes = rec.scratch::<[f32; 4]>("weighed products", 4 * window::MODEL_PLANES * n);
    let trust = trusts(rec, settings, mask, &model.fits);
    for (i, &trust) in trust.iter().enumerate() {
        // The fourth group is the selector: the first model, averaged over a wider box.
        let products = fits[i % fits.len()];
        window::record_weigh(rec, [products, noise, trust], planes, i * window::MODEL_PLANES, n);
    }
    let radius = settings.box_radius();
    let span = |first, planes, radius| Span { first, planes, radius };
    let boxed = window::record(rec, planes, size, &[span(0, 9, radius), span(9, 3, radius + 2)]);

    rec.stage("combination");
    let trace = combine::record(rec, [boxed, mask, maps], &model.combined, n);
    confidence::record(rec, trace, mask, maps, size, radius);
}

/// Returns the trust maps that weight the products of each model, and of the selector, before they are
/// averaged.
fn trusts(rec: &mut Recorder, settings: &MmdiSettings, mask: Buf, fits: &[Fit]) -> [Buf; 4] {
    match settings.mode {
        MmdiMode::Clinical => {
            let all = rec.constant("trust", &vec![1f32; settings.size.pixels()]);
            // A host's mask may hold any numbers. Erosion by 0 pixels converts it to 0 and 1.
            [all, all, all, window::record_erode(rec, mask, settings.size, 0)]
        }
        MmdiMode::Corrected => {
            let [a, b, c] =
                [0, 1, 2].map(|i| window::record_erode(rec, mask, settings.size, fits[i].window() / 2));
            [a, b, c, a]
        }
    }
}

fn narrow<D: ndarray::Dimension>(values: &ndarray::Array<f64, D>) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

/// Checks that the device can bind the largest buffer of the recording. This is done before the host computes
/// tables of the image's size.
fn fits(device: &Device, settings: &MmdiSettings) -> Result<()> {
    let size = settings.size;
    // The size may be too large for a product in u64.
    // The weighed products, and with several directions of motion the row moments of the waves.
    let products = 4 * window::MODEL_PLANES * size_of::<[f32; 4]>();
    let moments = fit::WINDOWS.map(|(_, powers)| powers).into_iter().max().unwrap_or(0)
        * DIRECTIONS
        * settings.directions
        * size_of::<[f32; 2]>();
    let need = size.nx as f64 * size.ny as f64 * products.max(moments) as f64;
    let most = device.caps().max_binding();
    if need <= most as f64 {
        return Ok(());
    }
    let what = format!("an image of {size} px in one buffer on {}", device.caps().info.name);
    Err(Error::OutOfMemory { what, needed: Some(need as u64), available: Some(most) })
}

/// A compiled inversion for slices of one size on one device; it can be run many times.
pub struct Mmdi {
    settings: MmdiSettings,
    plan: Plan,
    frames: Buf,
    mask: Buf,
    maps: Buf,
    /// The planes of the wave, `[plane][directions][ny][nx]`: `maps`, or a buffer of their own.
    waves: Buf,
}

impl Mmdi {
    /// Compiles the inversion that `settings` describe, with its own buffers. `progress` receives the number of
    /// compiled kernels and the total.
    ///
    /// # Errors
    /// - [`Error::Setting`] or [`Error::Data`] if a setting is invalid; see [`MmdiSettings::check`].
    /// - [`Error::OutOfMemory`] if the image is too large for the device.
    pub fn new(
        pipelines: &Pipelines,
        settings: &MmdiSettings,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        settings.check()?;
        fits(pipelines.device(), settings)?;
        let n = settings.size.pixels();
        let mut rec = Recorder::new();
        let frames = rec.input::<f32>("frames", n * settings.frames.count() * settings.directions);
        let mask = rec.input::<f32>("mask", n);
        let maps = rec.output::<f32>("maps", MmdiMap::ALL.len() * n);
        let waves = match settings.directions {
            1 => maps,
            several => rec.output::<f32>("waves", MmdiMap::ALL.len() * several * n),
        };
        record(&mut rec, settings, [frames, mask, maps, waves]);
        let plan = Plan::compile(rec, pipelines, progress)?;
        Ok(Self { settings: settings.clone(), plan, frames, mask, maps, waves })
    }

    /// Compiles the inversion for a host's buffers. `encode` of [`Mmdi::plan`] then records it into the host's
    /// encoder. Nothing is submitted, mapped or read back.
    ///
    /// # Errors
    /// The errors of [`Mmdi::new`], and [`Error::Usage`] if a buffer or texture is too small, not for storage,
    /// or used twice, or if the colour range is invalid.
    pub fn embedded(pipelines: &Pipelines, settings: &MmdiSettings, host: Host<MmdiMap>) -> Result<Self> {
        settings.check()?;
        fits(pipelines.device(), settings)?;
        if settings.directions > 1 {
            let what = "a host's buffers hold one direction of motion; set directions to 1";
            return Err(Error::Usage(what.into()));
        }
        let mut rec = Recorder::new();
        let lent = host.lend(&mut rec, settings.size, settings.frames.count(), MmdiMap::ALL.len())?;
        let [frames, mask, maps] = [lent.frames, lent.mask, lent.maps];
        record(&mut rec, settings, [frames, mask, maps, maps]);
        lent.colour(&mut rec, settings.size);
        let plan = Plan::compile(rec, pipelines, &|_, _| {})?;
        Ok(Self { settings: settings.clone(), plan, frames, mask, maps, waves: maps })
    }

    /// Inverts one slice. `frames` is `[frames][directions][ny][nx]`, finite inside the mask; `mask` is `[ny][nx]`. Returns
    /// the maps, `[plane][ny][nx]`, 0 outside the mask; [`MmdiMap::of`] selects one. Of several directions of motion, the
    /// amplitude is the root of the sum of their squares, and the wave is that of the first; see [`Mmdi::waves`].
    ///
    /// # Errors
    /// [`Error::Data`] if the lengths of the slices do not fit the settings; [`Error::DeviceLost`] if the
    /// device is lost.
    pub fn invert(&self, frames: &[f32], mask: &[bool]) -> Result<Vec<f32>> {
        self.start(frames, mask)?;
        let maps = self.plan.read(self.maps)?;
        if self.settings.directions == 1 { Ok(maps) } else { Ok(self.with_waves(maps, &self.waves()?)) }
    }

    /// The waves of the last inversion, `[direction]`, each with the planes of the maps, `[plane][ny][nx]`: the amplitude,
    /// the real and the imaginary part. The other planes are 0.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] if the device is lost.
    pub fn waves(&self) -> Result<Vec<Vec<f32>>> {
        let (n, directions) = (self.settings.size.pixels(), self.settings.directions);
        let all: Vec<f32> = self.plan.read(self.waves)?;
        let of = |direction: usize| {
            let mut planes = vec![0.0; MmdiMap::ALL.len() * n];
            for plane in WAVE {
                let (to, from) = (plane as usize * n, (plane as usize * directions + direction) * n);
                planes[to..to + n].copy_from_slice(&all[from..from + n]);
            }
            planes
        };
        Ok((0..directions).map(of).collect())
    }

    /// The maps with the planes of the wave filled in.
    fn with_waves(&self, mut maps: Vec<f32>, waves: &[Vec<f32>]) -> Vec<f32> {
        let n = self.settings.size.pixels();
        let amplitude = MmdiMap::Amplitude as usize * n;
        for i in 0..n {
            maps[amplitude + i] = waves.iter().map(|w| w[amplitude + i].powi(2)).sum::<f32>().sqrt();
        }
        for plane in [MmdiMap::Real, MmdiMap::Imaginary] {
            let at = plane as usize * n;
            maps[at..at + n].copy_from_slice(&waves[0][at..at + n]);
        }
        maps
    }

    /// The same without blocking, as a browser needs it; see [`Device::read_async`].
    ///
    /// # Errors
    /// The errors of [`Mmdi::invert`].
    pub async fn invert_async(&self, frames: &[f32], mask: &[bool]) -> Result<Vec<f32>> {
        if self.settings.directions > 1 {
            return Err(Error::Usage("several directions of motion are inverted by `invert` alone".into()));
        }
        self.start(frames, mask)?;
        self.plan.read_async(self.maps).await
    }

    /// Uploads a slice and submits its inversion.
    fn start(&self, frames: &[f32], mask: &[bool]) -> Result<()> {
        let n = self.settings.size.pixels();
        let count = self.settings.frames.count() * self.settings.directions;
        if frames.len() != n * count || mask.len() != n {
            return Err(Error::Data(format!(
                "{count} frames and a mask of {} px need {} and {n} values, not {} and {}",
                self.settings.size,
                n * count,
                frames.len(),
                mask.len()
            )));
        }
        let mask: Vec<f32> = mask.iter().map(|&m| f32::from(m)).collect();
        self.plan.write(self.frames, frames)?;
        self.plan.write(self.mask, &mask)?;
        self.plan.run()
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
