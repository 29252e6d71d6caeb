//! From an array with named axes to the samples of a wave image in their order.

use super::checks::{positive, spacing};
use super::{AxisName, Certainty, FrameLayout, FrameLayoutChoice, Origin, ReadOptions, WaveImage, ZeroLevel};
use super::{DENSITY, FREQUENCY_HZ};
use crate::error::{Error, Result};
use crate::io::place::Affine;
use crate::io::volume::{Samples, Volume, VolumeGeometry};
use crate::size::Size;
use crate::wave::note::Note;
use num_complex::Complex64;
use std::f64::consts::TAU;

/// What the samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Phases of the wave.
    Phases,
    /// Real and imaginary part of the wave.
    Parts,
    /// Modulus and argument of the wave.
    Polar,
    /// A complex MR signal at phases of the wave, as two parts.
    Signal,
    /// Magnitude and phase of the MR signal at phases of the wave.
    MagnitudePhase,
}

/// Length and stride of each axis; both 1 and 0 for one that the array does not have.
struct Axes<'a>(&'a [(AxisName, usize)]);

impl Axes<'_> {
    fn has(&self, name: AxisName) -> bool {
        self.0.iter().any(|(other, _)| *other == name)
    }

    fn length(&self, name: AxisName) -> usize {
        self.0.iter().find(|(other, _)| *other == name).map_or(1, |(_, n)| *n)
    }

    fn stride(&self, name: AxisName) -> usize {
        match self.0.iter().position(|(other, _)| *other == name) {
            Some(at) => self.0[..at].iter().map(|(_, n)| n).product(),
            None => 0,
        }
    }

    fn text(&self) -> String {
        self.0.iter().map(|(name, _)| name.name()).collect::<Vec<_>>().join(",")
    }
}

impl WaveImage {
    /// The samples of `volume`, whose axes are `axes`, in their order. Of the phases the last `dropped` are left out.
    /// The mask is not set yet.
    pub(super) fn arrange(
        volume: &Volume,
        axes: &[(AxisName, usize)],
        options: &ReadOptions,
        dropped: usize,
    ) -> Result<Self> {
        use AxisName::{Direction, Frequency, MagPhase, Phase, ReIm, Slice, X, Y};
        let axes = Axes(axes);
        let complex = matches!(volume.data, Samples::Complex(_));
        let parts = usize::from(complex) + usize::from(axes.has(ReIm)) + usize::from(axes.has(MagPhase));
        let data = |what: String| Err(Error::Data(what));
        if parts > 1 {
            return data(format!(
                "{} have two kinds of parts; a sample is real, complex, re-im or mag-phase",
                if complex { "complex samples" } else { "the axes" }
            ));
        }
        let phases = axes.length(Phase);
        if axes.has(Phase) && phases < 3 {
            return data(format!(
                "{phases} phases do not define a wave; three or more over one period are needed"
            ));
        }
        let kind = match (axes.has(Phase), complex || axes.has(ReIm), axes.has(MagPhase)) {
            (true, true, _) => Kind::Signal,
            (true, _, true) => Kind::MagnitudePhase,
            (true, ..) => Kind::Phases,
            (_, true, _) => Kind::Parts,
            (_, _, true) => Kind::Polar,
            _ => {
                return Err(Error::OneFrame { shape: axes.text() });
            }
        };
        let size = Size::new(axes.length(X), axes.length(Y));
        let [slices, directions, frequencies] = [Slice, Direction, Frequency].map(|name| axes.length(name));
        let frames = if axes.has(Phase) { phases - dropped } else { 2 };

        // The two parts of a complex sample, wherever they lie.
        let second = if complex { 0 } else { axes.stride(ReIm) + axes.stride(MagPhase) };
        let pair = |at: usize| match &volume.data {
            Samples::Real(v) => [v[at], v[at + second]],
            Samples::Complex(v) => [v[at].re, v[at].im],
        };
        let turn = match kind {
            Kind::Polar => polar_turn(volume, options, axes.stride(MagPhase))?,
            _ => TAU,
        };
        let value = |at: usize, frame: usize| -> f64 {
            let [a, b] = pair(at);
            match (kind, frame) {
                (Kind::Phases, _) => a,
                (Kind::Parts, part) => [a, b][part],
                (Kind::Polar, part) => {
                    let u = Complex64::from_polar(a, b * TAU / turn);
                    [u.re, u.im][part]
                }
                // Where there is no signal there is no phase.
                (Kind::Signal, _) if (a, b) == (0.0, 0.0) => 0.0,
                (Kind::Signal, _) => b.atan2(a),
                (Kind::MagnitudePhase, _) if a == 0.0 => 0.0,
                (Kind::MagnitudePhase, _) => b,
            }
        };
        let strides = [Frequency, Slice, Phase, Direction, Y, X].map(|name| axes.stride(name));
        let mut samples = Vec::with_capacity(frequencies * slices * frames * directions * size.pixels());
        let timed = usize::from(axes.has(Phase));
        for f in 0..frequencies {
            for s in 0..slices {
                for t in 0..frames {
                    for d in 0..directions {
                        let at = f * strides[0] + s * strides[1] + timed * t * strides[2] + d * strides[3];
                        for y in 0..size.ny {
                            let row = at + y * strides[4];
                            samples.extend((0..size.nx).map(|x| value(row + x * strides[5], t) as f32));
                        }
                    }
                }
            }
        }
        let magnitude = matches!(kind, Kind::Signal | Kind::MagnitudePhase).then(|| {
            let mut sums = vec![0.0; slices * size.pixels()];
            for (i, sum) in sums.iter_mut().enumerate() {
                let (s, y, x) = (i / size.pixels(), i % size.pixels() / size.nx, i % size.nx);
                for t in 0..frames {
                    let at = s * strides[1] + t * strides[2] + y * strides[4] + x * strides[5];
                    let [a, b] = pair(at);
                    *sum += if kind == Kind::Signal { a.hypot(b) } else { a };
                }
            }
            sums.into_iter().map(|v| (v / frames as f64) as f32).collect()
        });
        let mut warnings = Vec::new();
        let (geometry, sliced) = turned(volume, &axes);
        let (spacing_mm, spacing_origin) = spacing(&geometry, options.spacing_mm, &mut warnings)?;
        let (frequencies_hz, frequency_origin) = frequencies_hz(volume, options, frequencies)?;
        let (density, density_origin) = match (options.density, volume.stated.density) {
            (Some(density), _) => (density, Origin::Given),
            (None, Some(density)) => (density, Origin::Stated),
            _ => (DENSITY, Origin::Assumed),
        };
        positive("density", density, "kg/m³")?;
        let named = &volume.stated.directions;
        let layout = match kind {
            Kind::Parts if !complex && options.layout != FrameLayoutChoice::Complex => FrameLayout::ReIm,
            Kind::Parts | Kind::Polar => FrameLayout::Complex,
            _ => FrameLayout::Phases,
        };
        Ok(WaveImage {
            size,
            slices,
            frames,
            directions,
            direction_names: if named.len() == directions {
                named.clone()
            } else {
                (0..directions).map(|d| d.to_string()).collect()
            },
            frequencies_hz,
            frequency_origin,
            density,
            density_origin,
            layout,
            zero: ZeroLevel::Known,
            spacing_mm,
            spacing_origin,
            axes: axes.text(),
            certainty: Certainty::Assumed,
            data: samples,
            masks: Vec::new(),
            magnitude,
            geometry,
            format: volume.format,
            map_dims: if sliced { vec![size.nx, size.ny, slices] } else { vec![size.nx, size.ny] },
            warnings,
            notes: if kind == Kind::Signal { vec![Note::SignalPhase] } else { Vec::new() },
        })
    }
}

/// The geometry in the order x, y, slice, and whether the maps have a slice axis.
fn turned(volume: &Volume, axes: &Axes) -> (VolumeGeometry, bool) {
    let shape = &volume.shape;
    // The stored axis that a named one is, by its stride.
    let stored = |name: AxisName| {
        let stride = axes.stride(name);
        let found =
            (0..shape.len()).find(|&k| shape[k] > 1 && shape[..k].iter().product::<usize>() == stride);
        found.filter(|_| axes.length(name) > 1)
    };
    let sliced = axes.has(AxisName::Slice) || (shape.len() > 3 && shape[2] == 1);
    let [x, y] = [AxisName::X, AxisName::Y].map(&stored);
    let (Some(x @ 0..3), Some(y @ 0..3)) = (x, y) else { return (volume.geometry.clone(), sliced) };
    if (x, y) == (0, 1) {
        return (volume.geometry.clone(), sliced);
    }
    let normal = 3 - x - y;
    let columns = [x, y, normal, 3];
    let geometry = match (&volume.geometry.affine, &volume.geometry.header) {
        (Some(affine), _) => VolumeGeometry::placed(Affine(affine.0.map(|row| columns.map(|k| row[k])))),
        (None, Some(header)) => {
            let mm = |k: usize| f64::from(header.pixdim[k + 1]).abs();
            VolumeGeometry { spacing_mm: Some([mm(x), mm(y)]), ..VolumeGeometry::default() }
        }
        (None, None) => volume.geometry.clone(),
    };
    (geometry, sliced)
}

/// One turn of the argument of a wave that is given as modulus and argument.
fn polar_turn(volume: &Volume, options: &ReadOptions, stride: usize) -> Result<f64> {
    let Samples::Real(v) = &volume.data else { return Ok(TAU) };
    options.turn.of_arguments(volume.stated.turn, || {
        let moves = |i: &usize| (i / stride) % 2 == 1 && v[i - stride] != 0.0;
        (0..v.len()).filter(moves).map(|i| v[i] as f32).collect()
    })
}

/// The frequencies and their origin.
fn frequencies_hz(volume: &Volume, options: &ReadOptions, count: usize) -> Result<(Vec<f64>, Origin)> {
    let (given, origin) = match (&options.frequencies_hz, &volume.stated.frequencies_hz) {
        (given, _) if !given.is_empty() => (given.clone(), Origin::Given),
        (_, stated) if !stated.is_empty() => (stated.clone(), Origin::Stated),
        _ if count > 1 => {
            return Err(Error::Data(format!(
                "the array holds {count} frequencies, which nothing states; give them in the order of their axis"
            )));
        }
        _ => (vec![FREQUENCY_HZ], Origin::Assumed),
    };
    if given.len() == count {
        return Ok((given, origin));
    }
    let list = given.iter().map(|v| format!("{v} Hz")).collect::<Vec<_>>().join(", ");
    Err(Error::setting(
        "frequency_hz",
        list,
        format!(
            "the image has {count} frequenc{}; give one number for each, in the order of their axis",
            if count == 1 { "y" } else { "ies" }
        ),
    ))
}
