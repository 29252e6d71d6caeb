//! The cost of phantoms of every family, and the difference of their fields from those of a refined mesh.
//!
//! `cargo bench --bench phantoms` prints a table. `-- 12 16` compares these numbers of nodes per wavelength, `-- --each
//! 3` takes three phantoms of each family, and `-- --family liver` takes one family only. Times are of one thread.

use num_complex::Complex32;
use palpate::lowlevel::phantom::set::{Family, SetKind};
use palpate::lowlevel::phantom::{PhantomImages, Quality};

fn main() -> palpate::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let (mut nodes, mut each, mut only) = (vec![], 1, None);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), argument.parse::<f64>()) {
            ("--family", _) => only = arguments.next(),
            ("--each", _) => each = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(each),
            (_, Ok(n)) => nodes.push(n),
            _ => {}
        }
    }
    let of = |n| Quality { nodes_per_wavelength: n, ..Quality::default() };
    let qualities: Vec<Quality> =
        if nodes.is_empty() { vec![Quality::default()] } else { nodes.into_iter().map(of).collect() };
    let families: Vec<Family> = [SetKind::Table1, SetKind::Livers, SetKind::Bodies]
        .iter()
        .flat_map(|kind| kind.families())
        .map(|(family, _)| *family)
        .collect();
    println!(
        "family             nodes/wave  unknowns  systems  residual  seconds  MiB  from refined, all and driven"
    );
    for family in families.into_iter().filter(|f| only.as_ref().is_none_or(|name| name == f.name())) {
        for k in 0..each {
            let phantom = family.draw(&mut fastrand::Rng::with_seed(100 + k))?;
            let finest = qualities.iter().fold(Quality::default(), |a, b| {
                if b.nodes_per_wavelength > a.nodes_per_wavelength { *b } else { a }
            });
            let refined = phantom.simulate(&finest.refined())?;
            for quality in &qualities {
                let images = phantom.simulate(quality)?;
                let work = &images.work;
                println!(
                    "{:17} {:>11} {:>9} {:>8} {:>9.0e} {:>8.2} {:>4} {:>14.2} % {:>6.2} %",
                    family.name(),
                    quality.nodes_per_wavelength,
                    work.unknowns,
                    work.systems,
                    work.residual,
                    images.seconds,
                    work.memory.div_ceil(1 << 20),
                    100.0 * difference(&images, &refined, &[0, 1, 2]),
                    100.0 * difference(&images, &refined, &[phantom.driven_component()]),
                );
            }
        }
    }
    Ok(())
}

/// The root mean square of the difference over that of the reference, over the pixels inside both masks.
fn difference(images: &PhantomImages, reference: &PhantomImages, components: &[usize]) -> f64 {
    let (mut miss, mut size) = (0.0, 0.0);
    for plane in 0..images.planes() {
        for &c in components {
            let pairs = images.component(plane, c).iter().zip(reference.component(plane, c));
            for (_, (a, b)) in pairs.enumerate().filter(|(i, _)| images.mask[*i] && reference.mask[*i]) {
                miss += f64::from((a - b).norm_sqr());
                size += f64::from(Complex32::norm_sqr(b));
            }
        }
    }
    (miss / size).sqrt()
}
