use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use modstream_classifier::{MEASURES, Scratch, Vectorizer};
use ndarray::{Array1, Array2, ShapeBuilder};

/// Why no regression came out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The optimiser failed.
    #[error("linfa-logistic failed: {0}; look for texts without a letter, or too few comments")]
    Solver(String),
    /// It stopped on the way.
    #[error(
        "the fit did not converge: the gradient is {gradient:.1e} a comment after {iterations} iterations; lower the inverse regularisation or the measures' scale"
    )]
    NotConverged {
        /// The largest entry of the gradient, a comment.
        gradient: f64,
        /// The most iterations allowed.
        iterations: u64,
    },
}

/// A logistic regression over terms and measures.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    /// A weight a term.
    pub(crate) weights: Vec<f32>,
    /// A weight a standardised measure.
    pub(crate) measure_weights: [f32; MEASURES],
    pub(crate) intercept: f64,
    /// The largest entry of the gradient at the end, a comment.
    pub(crate) gradient: f64,
}

/// What the manifest calls this fit.
pub(crate) const SOLVER: &str = "linfa-logistic 0.8, L-BFGS, f32";

const ITERATIONS: u64 = 200;
/// linfa-logistic returns `Ok` however it stopped, so the gradient is measured here.
const LARGEST_GRADIENT: f64 = 1e-3;

/// Fits terms and measures against verdicts. A measure's vector entry is scaled by `measure_scale`: together with L2
/// regularisation this says how freely measures may be used beside terms.
pub(crate) fn fit(
    vectorizer: &Vectorizer,
    texts: &[&str],
    removed: &[bool],
    inverse_regularisation: f64,
    measure_scale: f64,
) -> Result<Regression, FitError> {
    let terms = vectorizer.terms();
    // Column-major: linfa-logistic's products run 3-4 times faster over it.
    let mut x = Array2::<f32>::zeros((texts.len(), terms + MEASURES).f());
    let mut scratch = Scratch::default();
    for (row, text) in texts.iter().enumerate() {
        vectorizer.vectorize(text, &mut scratch);
        let (vector, measures) = scratch.vector();
        for (term, value) in vector {
            x[[row, term as usize]] = value as f32;
        }
        for (measure, value) in measures.iter().enumerate() {
            x[[row, terms + measure]] = (value * measure_scale) as f32;
        }
    }
    let alpha = 1.0 / inverse_regularisation;
    let y: Array1<bool> = removed.iter().copied().collect();
    let dataset = DatasetBase::new(x, y);
    let model = LogisticRegression::<f32>::default()
        .alpha(alpha as f32)
        .max_iterations(ITERATIONS)
        .gradient_tolerance(1e-2)
        .fit(&dataset)
        .map_err(|error| FitError::Solver(error.to_string()))?;
    // linfa-logistic calls the larger class positive.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let weights = model.params() * sign;
    let intercept = model.intercept() * sign;

    let logits = dataset.records().dot(&weights) + intercept;
    let residuals: Array1<f32> = logits
        .iter()
        .zip(removed)
        .map(|(logit, &removed)| 1.0 / (1.0 + (-logit).exp()) - f32::from(u8::from(removed)))
        .collect();
    let slopes = dataset.records().t().dot(&residuals) + &weights * alpha as f32;
    let largest =
        slopes.iter().chain([&residuals.sum()]).fold(0.0_f64, |largest, slope| largest.max(f64::from(slope.abs())));
    let gradient = largest / texts.len() as f64;
    // Written so that a NaN fails too.
    if !(gradient <= LARGEST_GRADIENT && weights.iter().all(|weight| weight.is_finite())) {
        return Err(FitError::NotConverged { gradient, iterations: ITERATIONS });
    }
    Ok(Regression {
        weights: weights.iter().take(terms).copied().collect(),
        measure_weights: std::array::from_fn(|measure| (f64::from(weights[terms + measure]) * measure_scale) as f32),
        intercept: f64::from(intercept),
        gradient,
    })
}

impl Regression {
    /// The regression's log-odds of a text.
    pub(crate) fn log_odds(&self, vectorizer: &Vectorizer, text: &str, scratch: &mut Scratch) -> f64 {
        vectorizer.vectorize(text, scratch);
        let (vector, measures) = scratch.vector();
        let terms: f64 = vector.map(|(term, value)| value * f64::from(self.weights[term as usize])).sum();
        let measures: f64 =
            measures.iter().zip(self.measure_weights).map(|(value, weight)| value * f64::from(weight)).sum();
        self.intercept + terms + measures
    }
}
