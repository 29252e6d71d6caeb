//! The authors' samples of studies 1a and 1b, and how near a simulated field comes to theirs.

use num_complex::Complex64;
use palpate::lowlevel::io;
use std::path::Path;

/// Rows and columns of their images, 1 mm a pixel.
pub const SIZE: usize = 256;

/// One of their images.
pub struct Sample {
    pub name: String,
    /// The pixels inside of the body, row by row.
    pub inside: Vec<usize>,
    /// Both channels of u_z at these pixels, in units of their own.
    pub field: Vec<[f64; 2]>,
    /// True modulus of all pixels, kPa.
    pub truth: Vec<f64>,
    /// Their inversion, kPa.
    pub inverted: Vec<f32>,
}

impl Sample {
    fn read(study: &Path, name: &str) -> Sample {
        let file = |path: String| {
            let io::Samples::Real(values) = io::read(study.join(path)).expect("a sample").data else {
                panic!("their samples are real")
            };
            values
        };
        let truth = file(format!("truth/{name}.nii"));
        let field = file(format!("displacement/{name}.nii"));
        let inside: Vec<usize> = (0..SIZE * SIZE).filter(|i| truth[*i] > 0.0).collect();
        Sample {
            name: name.to_owned(),
            field: inside.iter().map(|i| [field[*i], field[SIZE * SIZE + i]]).collect(),
            inside,
            truth,
            inverted: file(format!("mmdi/{name}.mat")).into_iter().map(|v| v as f32).collect(),
        }
    }

    /// All samples of a study, in the order of their names.
    pub fn all(study: &Path) -> Vec<Sample> {
        let files = std::fs::read_dir(study.join("displacement")).expect("a study");
        let mut names: Vec<String> = files
            .map(|entry| entry.expect("entry").path().file_stem().expect("name").to_string_lossy().into())
            .collect();
        names.sort();
        names.iter().map(|name| Sample::read(study, name)).collect()
    }

    /// The means of a value over rings 1 px wide around the centre, at every pixel inside.
    pub fn ringed(&self, value: impl Fn(usize) -> Complex64) -> Vec<Complex64> {
        let ring = |pixel: usize| {
            let [x, y] = [pixel % SIZE, pixel / SIZE].map(|k| k as f64 - 127.5);
            x.hypot(y) as usize
        };
        let mut sums = vec![(Complex64::default(), 0.0); SIZE];
        for (k, pixel) in self.inside.iter().enumerate() {
            let (sum, count) = &mut sums[ring(*pixel)];
            (*sum, *count) = (*sum + value(k), *count + 1.0);
        }
        self.inside.iter().map(|pixel| sums[ring(*pixel)]).map(|(sum, count)| sum / count).collect()
    }
}

/// How well a simulated field explains a measured one.
#[derive(Clone, Copy)]
pub struct Fit {
    /// The sum of squares that is left.
    pub left: f64,
    /// The sum of squares about each channel's mean.
    pub whole: f64,
}

impl Fit {
    /// Least squares: each channel is an offset plus a gain times the real and one times the imaginary part.
    pub fn new(simulated: &[Complex64], field: &[[f64; 2]]) -> Fit {
        let n = field.len() as f64;
        let centre = simulated.iter().sum::<Complex64>() / n;
        let means = [0, 1].map(|c| field.iter().map(|v| v[c]).sum::<f64>() / n);
        let (mut rr, mut ri, mut ii) = (0.0, 0.0, 0.0);
        let (mut products, mut squares) = ([Complex64::default(); 2], [0.0; 2]);
        for (u, v) in simulated.iter().zip(field) {
            let u = u - centre;
            (rr, ri, ii) = (rr + u.re * u.re, ri + u.re * u.im, ii + u.im * u.im);
            for c in 0..2 {
                let v = v[c] - means[c];
                products[c] += u * v;
                squares[c] += v * v;
            }
        }
        let explained = products
            .map(|p| (ii * p.re * p.re - 2.0 * ri * p.re * p.im + rr * p.im * p.im) / (rr * ii - ri * ri));
        let whole = squares.iter().sum();
        Fit { left: whole - explained.iter().sum::<f64>(), whole }
    }

    pub fn r_squared(self) -> f64 {
        1.0 - self.left / self.whole
    }

    /// The root mean square of what is left, in parts of the field's.
    pub fn misfit(self) -> f64 {
        (self.left / self.whole).clamp(0.0, f64::INFINITY).sqrt() // keeps NaN
    }
}

/// What `of` makes of each sample, two at a time.
pub fn each<T: Send>(samples: &[Sample], of: impl Fn(&Sample) -> T + Sync) -> Vec<T> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let next = || next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mine = std::iter::repeat_with(next).take_while(|i| *i < samples.len());
        mine.map(|i| (i, of(&samples[i]))).collect::<Vec<_>>()
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}
