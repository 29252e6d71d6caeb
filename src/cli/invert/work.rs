//! The device's part: images of one size and kind share one compiled inversion.

use crate::cli::dime::{DimeNetwork, DimeOptions, DimeReport};
use crate::cli::progress::Bars;
use crate::cli::report::{Part, Sense, Slice, rounded, sense};
use crate::cli::{AdapterOption, Forms, TuneOption};
use palpate::Result;
use palpate::lowlevel::dime::combine_frequencies;
use palpate::lowlevel::mmdi::{Mmdi, MmdiSettings, multifrequency};
use palpate::lowlevel::wave::{WaveImage, ZeroLevel};

/// Opened and compiled as far as the exams have needed it.
pub struct Work<'a> {
    pub bars: Bars,
    adapter: &'a AdapterOption,
    tune: &'a TuneOption,
    matrix_units: bool,
    /// Opened for the first image that there is something to compute of.
    forms: Option<Forms>,
    compiled: Option<(MmdiSettings, Mmdi)>,
    pub network: Option<DimeNetwork>,
}

impl<'a> Work<'a> {
    pub fn new(
        bars: Bars,
        adapter: &'a AdapterOption,
        tune: &'a TuneOption,
        matrix_units: bool,
        network: Option<DimeNetwork>,
    ) -> Self {
        Self { bars, adapter, tune, matrix_units, forms: None, compiled: None, network }
    }

    /// Inverts every slice at every frequency. With `each`, every direction alone as well. Returns the slices and the
    /// adapter's name.
    pub fn invert(
        &mut self,
        settings: &MmdiSettings,
        image: &WaveImage,
        each: bool,
    ) -> Result<(Vec<Slice>, String)> {
        let frequencies = &image.frequencies_hz;
        let mut slices: Vec<Slice> = image.masks.iter().cloned().map(Slice::empty).collect();
        let mut maps: Vec<Vec<Vec<f32>>> = vec![Vec::new(); image.slices];
        for (f, &frequency_hz) in frequencies.iter().enumerate() {
            let settings = MmdiSettings { frequency_hz, ..settings.clone() };
            let bar = self.bars.bar("slices", image.slices);
            let mmdi = self.compiled(&settings)?;
            for (s, slice) in slices.iter_mut().enumerate() {
                let found = mmdi.invert(&frames(image, f, s), &slice.mask)?;
                if image.directions > 1 || frequencies.len() > 1 {
                    slice.waves.extend(mmdi.waves()?);
                }
                maps[s].push(found);
                bar.inc(1);
            }
            bar.finish_and_clear();
        }
        if each && image.directions > 1 {
            self.each_direction(settings, image, &mut slices)?;
        }
        for (slice, maps) in slices.iter_mut().zip(maps) {
            slice.maps = multifrequency(&maps);
            if frequencies.len() > 1 {
                slice.frequencies = maps;
            }
            if each && frequencies.len() > 1 {
                let named = frequencies.iter().zip(&slice.frequencies);
                slice.parts.extend(
                    named.map(|(hz, maps)| Part { name: format!("{}Hz", rounded(*hz)), maps: maps.clone() }),
                );
            }
        }
        let name = |forms: &Forms| forms.chooser.pipelines().device().caps().info.name.clone();
        Ok((slices, self.forms.as_ref().map(name).unwrap_or_default()))
    }

    /// Adds the maps of each direction alone, over all frequencies.
    fn each_direction(
        &mut self,
        settings: &MmdiSettings,
        image: &WaveImage,
        slices: &mut [Slice],
    ) -> Result<()> {
        let mut maps = vec![Vec::new(); image.slices * image.directions];
        for (f, &frequency_hz) in image.frequencies_hz.iter().enumerate() {
            let settings = MmdiSettings { frequency_hz, directions: 1, ..settings.clone() };
            let mmdi = self.compiled(&settings)?;
            for (s, slice) in slices.iter().enumerate() {
                for d in 0..image.directions {
                    maps[s * image.directions + d].push(mmdi.invert(&image.direction(f, s, d), &slice.mask)?);
                }
            }
        }
        for (i, maps) in maps.into_iter().enumerate() {
            let name = format!("direction-{}", image.direction_names[i % image.directions]);
            slices[i / image.directions].parts.push(Part { name, maps: multifrequency(&maps) });
        }
        Ok(())
    }

    /// The inversion for `settings`, compiled if it is not the one that ran last.
    fn compiled(&mut self, settings: &MmdiSettings) -> Result<&Mmdi> {
        let forms = match &self.forms {
            Some(forms) => forms,
            None => self.forms.insert(self.tune.open(self.adapter, self.matrix_units)?),
        };
        if self.compiled.as_ref().is_none_or(|(compiled, _)| compiled != settings) {
            // The old plan's buffers go back to the pool before the new one asks for its own.
            self.compiled = None;
            let mmdi = self.bars.compile(forms.chooser.pipelines(), settings)?;
            self.compiled = Some((settings.clone(), mmdi));
        }
        let Some((_, mmdi)) = &self.compiled else { unreachable!("compiled above") };
        Ok(mmdi)
    }

    /// Adds DIME's maps to the slices, where they are asked for. MMDI comes first, since its loss modulus tells whether
    /// the wave has to be conjugated for the network. Of several directions, the network takes one.
    pub fn dime(
        &mut self,
        settings: &MmdiSettings,
        image: &mut WaveImage,
        slices: &mut [Slice],
        options: &DimeOptions,
    ) -> Result<Option<DimeReport>> {
        let (Some(network), Some(forms)) = (&mut self.network, &self.forms) else { return Ok(None) };
        let direction = options.direction(image)?;
        let sense = sense(slices, settings.spacing_mm);
        let conjugated = matches!(sense, Sense::Conjugated(_));
        let mut maps: Vec<Vec<Vec<f32>>> = vec![Vec::new(); slices.len()];
        for (f, &frequency_hz) in image.frequencies_hz.iter().enumerate() {
            let settings = MmdiSettings { frequency_hz, directions: 1, ..settings.clone() };
            let settings = network.settings(&settings, conjugated);
            let dime = network.compile(forms, &settings, &self.bars)?;
            let bar = self.bars.bar("slices, DIME", slices.len());
            for (s, slice) in slices.iter().enumerate() {
                maps[s].push(dime.invert(&image.direction(f, s, direction), &slice.mask)?);
                bar.inc(1);
            }
            bar.finish_and_clear();
        }
        slices.iter_mut().zip(&maps).for_each(|(slice, maps)| slice.dime = Some(combine_frequencies(maps)));
        let settings = network.settings(settings, conjugated);
        let maps: Vec<&[f32]> = slices.iter().flat_map(|s| &s.dime).map(Vec::as_slice).collect();
        let masks: Vec<&[bool]> = slices.iter().map(|s| s.mask.as_slice()).collect();
        Ok(Some(DimeReport::new(network, &settings, sense.conjugated(), &maps, &masks)))
    }
}

/// The frames of a slice, `[frame][direction][y][x]`. Where the zero level of several directions is lost, the mean of each
/// under the mask is subtracted; MMDI subtracts that of all.
fn frames(image: &WaveImage, frequency: usize, slice: usize) -> Vec<f32> {
    let mut frames = image.slice(frequency, slice).to_vec();
    if image.zero == ZeroLevel::Lost && image.directions > 1 {
        let mask = &image.masks[slice];
        for frame in frames.chunks_exact_mut(image.size.pixels()) {
            let inside = || frame.iter().zip(mask).filter(|(_, m)| **m);
            let mean = inside().map(|(v, _)| f64::from(*v)).sum::<f64>() / inside().count().max(1) as f64;
            frame.iter_mut().for_each(|v| *v -= mean as f32);
        }
    }
    frames
}
