use super::gradient_norm;
use crate::kernel::learning::adam::{Settings, Step};
use ndarray::Array1;

/// One step of Adam or AdamW, as in PyTorch. Takes and returns the parameters and both moments.
pub fn adam(
    [mut theta, first, second]: [Array1<f64>; 3],
    gradients: &Array1<f64>,
    step: &Step,
    settings: &Settings,
) -> [Array1<f64>; 3] {
    let [beta1, beta2] = settings.betas.map(f64::from);
    let (rate, decay) = (f64::from(step.learning_rate), f64::from(settings.weight_decay));
    let max_norm = f64::from(settings.max_norm);
    let clip = if max_norm > 0.0 { f64::min(1.0, max_norm / (gradient_norm(gradients) + 1e-6)) } else { 1.0 };
    let mut g = gradients * clip;
    if settings.decoupled {
        theta *= 1.0 - rate * decay;
    } else {
        g += &(&theta * decay);
    }
    let first = first * beta1 + &g * (1.0 - beta1);
    let second = second * beta2 + &g * &g * (1.0 - beta2);
    let t = f64::from(step.step);
    let mean = &first / (1.0 - beta1.powf(t));
    let square = &second / (1.0 - beta2.powf(t));
    theta -= &(mean * rate / (square.sqrt() + f64::from(settings.epsilon)));
    [theta, first, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step has the size of the learning rate and the opposite sign of the gradient, whatever the
    /// gradient's size.
    #[test]
    fn the_first_step_is_the_learning_rate() {
        let zero = Array1::zeros(3);
        let settings = Settings::default();
        let step = Step::new(0, 1, 0.5, settings.betas);
        let gradients = Array1::from(vec![1e-3, -2.0, 1e4]);
        let [theta, ..] = adam([zero.clone(), zero.clone(), zero], &gradients, &step, &settings);
        for (value, expected) in theta.iter().zip([-0.5, 0.5, -0.5]) {
            assert!((value - expected).abs() < 1e-5, "{theta}");
        }
    }
}
